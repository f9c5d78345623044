#include "chosen_jobs.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/limits.h"
#include "job_table.h"
#include "json_text.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kAskPollMs = 200;

void SetTime(absl::Time time, google::protobuf::Timestamp& out) {
  const std::int64_t millis = absl::ToUnixMillis(time);
  out.set_seconds(millis / 1000);
  out.set_nanos(static_cast<std::int32_t>(millis % 1000 * 1'000'000));
}

// A line that a person types; empty if there comes none.
std::string Typed(const std::stop_token& stop) {
  std::string line;
  while (!stop.stop_requested()) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (poll(&input, 1, kAskPollMs) <= 0) continue;
    char c = 0;
    if (read(STDIN_FILENO, &c, 1) != 1 || c == '\n') return line;
    line.push_back(c);
  }
  return "";
}

}  // namespace

ListJobsRequest FilterOf(const Invocation& args) {
  ListJobsRequest filter;
  for (const JobState state : args.states) filter.add_states(state);
  for (const JobKind kind : args.kinds) filter.add_kinds(kind);
  for (const auto& [key, value] : args.labels) (*filter.mutable_labels())[key] = value;
  if (args.since) SetTime(*args.since, *filter.mutable_created_from());
  if (args.before) SetTime(*args.before, *filter.mutable_created_until());
  return filter;
}

absl::StatusOr<ChosenJobs> ChooseJobs(const Session& session, ListJobsRequest filter,
                                      std::size_t most) {
  ChosenJobs chosen;
  filter.set_page_size(gateway::limits::kListPageMax);
  for (const absl::StatusOr<Job>& job :
       session.client.List(std::move(filter), session.PatientCall())) {
    if (!job.ok()) return job.status();
    chosen.more = chosen.jobs.size() == most;
    if (chosen.more) break;
    chosen.jobs.push_back(*job);
  }
  return chosen;
}

void ShowChosen(const Session& session, const char* would, const ChosenJobs& chosen) {
  if (session.out.json()) {
    for (const Job& job : chosen.jobs) {
      session.out.Answer(JsonObject().Text("would", would).Raw("job", ToJsonLine(job)).Done() +
                         "\n");
    }
    return;
  }
  const auto shown = std::min<std::size_t>(chosen.jobs.size(), gateway::limits::kBulkJobsShown);
  JobTable table(false);
  session.out.Answer(
      table.Whole({chosen.jobs.begin(), chosen.jobs.begin() + static_cast<std::ptrdiff_t>(shown)},
                  absl::Now()));
  if (shown < chosen.jobs.size()) {
    session.out.Answer(absl::StrCat("and ", chosen.jobs.size() - shown, " older\n"));
  }
}

bool IsConfirmed(const Session& session, std::size_t count) {
  if (session.args.yes) return true;
  const bool person = !session.out.json() && !session.args.quiet && isatty(STDIN_FILENO) != 0 &&
                      Output::Terminal() && session.args.source != "-";
  if (!person) {
    session.out.Note("Nothing was done. --yes does it.\n");
    return false;
  }
  session.out.Note(absl::StrCat("Type ", count, " to do it: "));
  if (absl::StripAsciiWhitespace(Typed(session.stop)) == absl::StrCat(count)) return true;
  session.out.Note("Nothing was done.\n");
  return false;
}

std::string CountsByState(const std::vector<Job>& jobs) {
  std::map<JobState, int> counts;
  for (const Job& job : jobs) ++counts[job.state()];
  std::string text;
  for (const auto& [state, count] : counts) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", count, " ", StateWord(state));
  }
  return text;
}

}  // namespace pictory_jobs::cli
