#include "progress.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "describe.h"
#include "estimate_words.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kStateColumns = 11;  // UNCONFIRMED
constexpr int kTimeColumns = 5;
constexpr int kLeftColumns = 11;    // `~2m05s left`
constexpr int kWordsColumns = 16;   // of the message, before something else makes room for it
constexpr int kShortIdColumns = 9;  // the end of an id is what tells two apart

// The shapes of a line, from wide to narrow.
struct JobShape {
  enum class Id { kWhole, kShort, kNone } id;
  bool bar;
  bool kind;
  bool time;
};
constexpr JobShape kJobShapes[] = {
    {JobShape::Id::kWhole, true, true, true},  {JobShape::Id::kShort, true, true, true},
    {JobShape::Id::kNone, true, true, true},   {JobShape::Id::kNone, false, true, true},
    {JobShape::Id::kNone, false, false, true}, {JobShape::Id::kNone, false, false, false},
};

std::string IdOf(const Job& job, JobShape::Id shape) {
  if (shape == JobShape::Id::kNone) return "";
  const std::string id = OneLine(job.job_id());
  if (shape == JobShape::Id::kWhole || Columns(id) <= kShortIdColumns) return " " + id;
  return " …" + FitEnd(id, kShortIdColumns - 1);
}

std::string Words(const Job& job) {
  if (job.has_error())
    return InCommands(
        OneLine(job.error().message().empty() ? job.error().code() : job.error().message()));
  std::string words = InCommands(OneLine(job.message()));
  if (job.upstream_degraded())
    words += words.empty() ? "(Pictory cannot be asked)" : " (Pictory cannot be asked)";
  return words;
}

// Everything of a line but the message.
std::string Head(const Job& job, absl::Time now, const JobShape& shape) {
  std::string head =
      shape.kind ? absl::StrCat(KindWord(job.kind()), IdOf(job, shape.id), "  ") : "";
  absl::StrAppend(&head,
                  shape.kind ? Pad(StateWord(job.state()), kStateColumns) : StateWord(job.state()));
  if (!IsFinal(job.state()) && job.has_progress_percent()) {
    const double percent = std::clamp(job.progress_percent(), 0.0, 100.0);
    absl::StrAppend(&head, "  ", shape.bar ? Bar(percent / 100) + " " : "", Percent(percent));
  }
  if (shape.time && job.has_create_time()) {
    absl::StrAppend(&head, "  ", Pad(Elapsed(Age(job, now)), kTimeColumns));
    const std::string left = EstimateWords(job, now);
    if (!left.empty()) absl::StrAppend(&head, "  ", Pad(left, kLeftColumns));
  }
  head.erase(head.find_last_not_of(' ') + 1);
  return head;
}

}  // namespace

std::string ProgressLine(const Job& job, absl::Time now, int columns) {
  const std::string words = Words(job);
  const int wanted = words.empty() ? 0 : 2 + std::min(Columns(words), kWordsColumns);
  std::string line;
  for (const JobShape& shape : kJobShapes) {
    line = Head(job, now, shape);
    const bool narrowest = !shape.time;
    if (Columns(line) + (narrowest ? 0 : wanted) <= columns) break;
  }
  const int room = columns - Columns(line) - 2;
  if (!words.empty() && room > 0) absl::StrAppend(&line, "  ", Fit(words, room));
  return Fit(line, columns);
}

Progress::Progress(Mode mode, Screen screen)
    : mode_(mode), screen_(std::move(screen)), block_(screen_) {}

void Progress::Update(const Job& job, absl::Time now) {
  if (mode_ == Mode::kNone) return;
  auto same = std::find_if(jobs_.begin(), jobs_.end(), [&job](const Shown& other) {
    return other.job.job_id() == job.job_id();
  });
  if (same == jobs_.end()) same = jobs_.insert(jobs_.end(), Shown{});
  same->job = job;
  if (mode_ == Mode::kPlain) {
    TellPlainly(*same, now);
  } else {
    Draw(now, "");
  }
}

void Progress::TellPlainly(Shown& one, absl::Time now) {
  const Job& job = one.job;
  const bool news = job.state() != one.told_state;
  if (!news &&
      (job.revision() == one.told_revision || now - one.told < absl::FromChrono(kPlainEvery)))
    return;
  one.told = now;
  one.told_state = job.state();
  one.told_revision = job.revision();
  screen_.write(ProgressLine(job, now, kPlainColumns) + "\n");
}

void Progress::Note(const std::string& text, absl::Time now) {
  if (mode_ == Mode::kNone) return;
  if (mode_ == Mode::kPlain) {
    screen_.write(text + "\n");
  } else {
    Draw(now, text);
  }
}

void Progress::Tick(absl::Time now) {
  if (jobs_.empty()) return;
  if (mode_ == Mode::kLive) Draw(now, "");
  if (mode_ == Mode::kPlain) {
    for (Shown& one : jobs_) TellPlainly(one, now);
  }
}

void Progress::End(absl::Time now) {
  if (mode_ != Mode::kLive || jobs_.empty()) return;
  Draw(now, "");
  block_.End();
  jobs_.clear();
}

void Progress::Draw(absl::Time now, const std::string& above) {
  const int columns = block_.Columns();
  const std::size_t rows = static_cast<std::size_t>(block_.Rows());
  const std::size_t shown =
      jobs_.size() <= rows ? jobs_.size() : std::max<std::size_t>(1, rows - 1);
  // If there is no room for all jobs, those still at work come first.
  std::vector<const Job*> order;
  for (const Shown& one : jobs_) order.push_back(&one.job);
  if (shown < order.size()) {
    std::stable_partition(order.begin(), order.end(),
                          [](const Job* job) { return !IsFinal(job->state()); });
  }
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < shown; ++i) lines.push_back(ProgressLine(*order[i], now, columns));
  if (shown < order.size() && rows > 1) {
    lines.push_back(absl::StrCat("… and ", order.size() - shown, " more"));
  }
  block_.Draw(std::move(lines), above);
}

}  // namespace pictory_jobs::cli
