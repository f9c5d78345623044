#include "progress.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "describe.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kBarColumns = 20;
constexpr int kStateColumns = 11;  // UNCONFIRMED

std::string Bar(const Job& job) {
  const double percent = std::clamp(job.progress_percent(), 0.0, 100.0);
  const auto full = static_cast<std::size_t>(percent / 100 * kBarColumns);
  char number[16];
  std::snprintf(number, sizeof number, "%3.0f %%", percent);
  return "[" + std::string(full, '#') + std::string(kBarColumns - full, '-') + "] " + number;
}

std::string Words(const Job& job) {
  if (job.has_error())
    return OneLine(job.error().message().empty() ? job.error().code() : job.error().message());
  std::string words = OneLine(job.message());
  if (job.upstream_degraded())
    words += words.empty() ? "(Pictory cannot be asked)" : " (Pictory cannot be asked)";
  return words;
}

}  // namespace

std::string ProgressLine(const Job& job, absl::Time now, int columns) {
  std::string line = absl::StrCat(KindWord(job.kind()), " ", OneLine(job.job_id()), "  ",
                                  Pad(StateWord(job.state()), kStateColumns));
  if (!IsFinal(job.state()) && job.has_progress_percent()) absl::StrAppend(&line, "  ", Bar(job));
  if (job.has_create_time()) absl::StrAppend(&line, "  ", Pad(Elapsed(Age(job, now)), 5));
  const std::string words = Words(job);
  if (!words.empty()) absl::StrAppend(&line, "  ", words);
  line.erase(line.find_last_not_of(' ') + 1);
  return Fit(line, columns);
}

Progress::Progress(Mode mode, int columns, int rows, Write write)
    : mode_(mode), columns_(columns), rows_(rows), write_(std::move(write)) {}

void Progress::Update(const Job& job, absl::Time now) {
  if (mode_ == Mode::kNone) return;
  if (mode_ == Mode::kPlain) {
    write_(ProgressLine(job, now, 1000) + "\n");
    return;
  }
  const auto same = std::find_if(jobs_.begin(), jobs_.end(), [&job](const Job& other) {
    return other.job_id() == job.job_id();
  });
  if (same == jobs_.end()) {
    jobs_.push_back(job);
  } else {
    *same = job;
  }
  Draw(now, "");
}

void Progress::Note(const std::string& text, absl::Time now) {
  if (mode_ == Mode::kNone) return;
  if (mode_ == Mode::kPlain) {
    write_(absl::StrCat(absl::StripSuffix(text, "\n"), "\n"));
  } else {
    Draw(now, text);
  }
}

void Progress::Tick(absl::Time now) {
  if (mode_ == Mode::kLive && !jobs_.empty()) Draw(now, "");
}

std::string Progress::Back() {
  const int lines = std::exchange(drawn_, 0);
  return lines == 0 ? "\r" : absl::StrCat("\r\x1b[", lines, "A");
}

void Progress::Draw(absl::Time now, const std::string& above) {
  constexpr char kClearLine[] = "\x1b[2K";
  std::string frame = Back();
  const std::vector<std::string> remarks = absl::StrSplit(above, '\n', absl::SkipEmpty());
  for (const std::string& line : remarks) absl::StrAppend(&frame, kClearLine, Fit(line, columns_ - 1), "\n");
  const int total = static_cast<int>(jobs_.size());
  const int shown = total <= rows_ ? total : std::max(1, rows_ - 1);
  // Those still at work first, where not all have room.
  std::vector<const Job*> order;
  for (const Job& job : jobs_) order.push_back(&job);
  if (shown < total) {
    std::stable_partition(order.begin(), order.end(),
                          [](const Job* job) { return !IsFinal(job->state()); });
  }
  for (int i = 0; i < shown; ++i) {
    absl::StrAppend(&frame, kClearLine,
                    ProgressLine(*order[static_cast<std::size_t>(i)], now, columns_ - 1), "\n");
  }
  drawn_ = shown;
  if (shown < total) {
    absl::StrAppend(&frame, kClearLine, "… and ", total - shown, " more\n");
    ++drawn_;
  }
  write_(frame);
}

}  // namespace pictory_jobs::cli
