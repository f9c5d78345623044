#include "follow_batch.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "describe.h"
#include "json_text.h"
#include "pictory_jobs/options.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

using std::chrono::steady_clock;

// The pause between two looks grows: what is fast is seen soon, and what is slow is not asked for
// in vain.
constexpr std::chrono::milliseconds kFirstPause{300};
constexpr std::chrono::milliseconds kLastPause{5000};

// Tells a state that is new, and whether the job has to be asked for again.
bool Take(const Session& session, Progress& progress, const Job& job, int& told_revision) {
  if (job.revision() != told_revision) {
    told_revision = job.revision();
    if (session.out.json()) session.out.Answer(ToJsonLine(job) + "\n");
  }
  progress.Update(job, absl::Now());
  return !IsFinal(job.state());
}

std::string CountsOf(const std::map<std::string, int>& ends) {
  std::string text;
  for (const auto& [state, count] : ends) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", count, " ", state);
  }
  return text;
}

}  // namespace

ExitCode FollowBatch(const Session& session, std::vector<Job> jobs) {
  const auto began = steady_clock::now();
  Progress progress(session.out.ProgressMode(), Output::StderrScreen());
  std::map<std::string, int> told;  // the revision of each job
  std::map<std::string, int> ends;
  std::vector<std::string> open;
  for (const Job& job : jobs) {
    told[job.job_id()] = job.revision();
    progress.Update(job, absl::Now());
    open.push_back(job.job_id());
  }
  const Pacing pacing = Pacing::Real();
  ExitCode code = kSucceeded;
  auto pause = kFirstPause;
  while (!open.empty() && session.out.intact()) {
    if (!pacing.wait(pause, session.stop)) break;
    pause = std::min<std::chrono::milliseconds>(kLastPause, pause * 3 / 2);
    const auto batch = session.client.BatchGet(open, session.PatientCall());
    if (session.stop.stop_requested()) break;
    if (!batch.ok()) {
      progress.End(absl::Now());
      session.out.Tell(session.ProblemWith(batch.status()));
      return Worse(code, session.ExitAfter(batch.status()));
    }
    std::vector<std::string> still;
    for (std::size_t i = 0; i < open.size(); ++i) {
      const std::optional<Job>& job = (*batch)[i];
      if (!job) {
        ++ends["GONE"];
        code = Worse(code, kNotFound);
      } else if (Take(session, progress, *job, told[open[i]])) {
        still.push_back(open[i]);
      } else {
        ++ends[StateWord(job->state())];
        code = Worse(code, ExitForState(job->state()));
      }
    }
    open = std::move(still);
    progress.Tick(absl::Now());
    if (session.args.timeout && steady_clock::now() - began >= *session.args.timeout) break;
  }
  progress.End(absl::Now());
  if (!session.out.json() && !ends.empty()) session.out.Answer(CountsOf(ends) + "\n");
  if (open.empty()) return code;
  const bool interrupted = session.stop.stop_requested();
  session.out.Tell(
      {.code = interrupted ? absl::StatusCode::kCancelled : absl::StatusCode::kDeadlineExceeded,
       .reason = interrupted ? kDetachedReason : kWaitedReason,
       .message = absl::StrCat(interrupted ? "detached; " : "stopped waiting; ", open.size(),
                               open.size() == 1 ? " job goes on" : " jobs go on",
                               ": the same command goes on watching")});
  return Worse(code, interrupted ? kDetached : kStoppedWaiting);
}

}  // namespace pictory_jobs::cli
