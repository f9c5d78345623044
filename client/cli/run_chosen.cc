// `pictory delete` and `pictory resolve` of all jobs that flags choose. Each job is one call of the
// API, so what one may do is what many may do, and a command that was stopped goes on when it is
// given again.
#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/limits.h"
#include "batch_reach.h"
#include "chosen_jobs.h"
#include "describe.h"
#include "json_text.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr char kMoreNote[] =
    "There are more than these; the same command takes the next ones afterwards.\n";

std::string Count(std::size_t count, const char* one, const char* many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

std::string IdArray(const std::vector<std::string>& ids) {
  return absl::StrCat("[",
                      absl::StrJoin(ids, ",",
                                    [](std::string* out, const std::string& id) {
                                      absl::StrAppend(out, "\"", OneLine(id), "\"");
                                    }),
                      "]");
}

// The states that jobs have which delete is of use for.
void AddEnded(ListJobsRequest& filter) {
  const auto& states = *v1::JobState_descriptor();
  for (int i = 0; i < states.value_count(); ++i) {
    const auto state = static_cast<JobState>(states.value(i)->number());
    if (IsFinal(state)) filter.add_states(state);
  }
}

// What is done to each of many jobs.
struct Deed {
  const char* would;  // such as `delete`
  const char* done;   // such as `deleted`
  std::function<absl::StatusOr<Job>(const Job&)> call;
};

// Does it to one job after the other, and tells of each. A job that is gone needs nothing more.
class Doing {
 public:
  Doing(const Session& session, const Deed& deed) : session_(session), deed_(deed) {}

  ExitCode Run(const std::vector<Job>& jobs) {
    std::size_t next = 0;
    while (next < jobs.size() && !halted_ && session_.out.intact() &&
           !session_.stop.stop_requested()) {
      Do(jobs[next++]);
    }
    if (!session_.out.intact()) return kUnwritten;
    if (session_.stop.stop_requested()) code_ = Worse(code_, kDetached);
    TellSum(jobs.size(), jobs.size() - next);
    return code_;
  }

 private:
  void Do(const Job& job) {
    const absl::StatusOr<Job> now = deed_.call(job);
    if (absl::IsNotFound(now.status())) {
      ++gone_;
    } else if (!now.ok()) {
      failed_.push_back(job.job_id());
      code_ = Worse(code_, session_.Failed(now.status(), job.job_id()));
      halted_ = ReachOf(now.status()) == Reach::kAll;
    } else {
      ++done_;
      session_.out.Answer(session_.out.json() ? ToJsonLine(*now) + "\n"
                                              : absl::StrCat("job ", OneLine(now->job_id()), "  ",
                                                             now->state() == v1::JOB_STATE_CANCELLED
                                                                 ? "cancelled before it was sent"
                                                                 : deed_.done,
                                                             "\n"));
    }
  }

  void TellSum(std::size_t all, std::size_t left) const {
    if (session_.out.json()) {
      session_.out.Answer(JsonObject()
                              .Raw("summary", JsonObject()
                                                  .Integer("jobs", Signed(all))
                                                  .Integer(deed_.done, Signed(done_))
                                                  .Integer("gone", Signed(gone_))
                                                  .Raw("failed", IdArray(failed_))
                                                  .Integer("left", Signed(left))
                                                  .Done())
                              .Done() +
                          "\n");
    } else {
      std::string sum = absl::StrCat(Count(all, "job", "jobs"), ": ", done_, " ", deed_.done);
      if (gone_ > 0) absl::StrAppend(&sum, ", ", gone_, " gone already");
      if (!failed_.empty()) absl::StrAppend(&sum, ", ", failed_.size(), " failed");
      if (left > 0) absl::StrAppend(&sum, ", ", left, " left");
      session_.out.Answer(sum + "\n");
    }
    if (left > 0) session_.out.Note("The same command goes on where this one stopped.\n");
  }
  static std::int64_t Signed(std::size_t count) { return static_cast<std::int64_t>(count); }

  const Session& session_;
  const Deed& deed_;
  std::size_t done_ = 0;
  std::size_t gone_ = 0;
  std::vector<std::string> failed_;
  bool halted_ = false;
  ExitCode code_ = kSucceeded;
};

// Shows what would be done, and does it once it is confirmed. `warning` says what it means.
ExitCode DoToChosen(const Session& session, const ChosenJobs& chosen, const Deed& deed,
                    const std::string& warning) {
  if (chosen.jobs.empty()) {
    if (session.out.json()) {
      session.out.Answer("{\"summary\":{\"jobs\":0}}\n");
    } else {
      session.out.Note(absl::StrCat("No jobs like that to ", deed.would, ".\n"));
    }
    return kSucceeded;
  }
  if (!session.args.yes) {
    ShowChosen(session, deed.would, chosen);
    if (session.out.json()) {
      session.out.Answer(absl::StrCat("{\"summary\":{\"dryRun\":true,\"jobs\":", chosen.jobs.size(),
                                      ",\"more\":", chosen.more ? "true" : "false", "}}\n"));
    } else {
      session.out.Answer(absl::StrCat("Would ", deed.would, " ",
                                      Count(chosen.jobs.size(), "job", "jobs"), " (",
                                      CountsByState(chosen.jobs), "). ", warning, "\n"));
    }
  }
  if (chosen.more) session.out.Note(kMoreNote);
  if (!IsConfirmed(session, chosen.jobs.size())) {
    return session.stop.stop_requested() ? kDetached : kSucceeded;
  }
  return Doing(session, deed).Run(chosen.jobs);
}

}  // namespace

ExitCode RunDeleteChosen(const Session& session) {
  ListJobsRequest filter = FilterOf(session.args);
  const bool cancel_only = session.args.cancel_only;
  if (filter.states().empty() && cancel_only) filter.add_states(v1::JOB_STATE_WAITING);
  if (filter.states().empty()) AddEnded(filter);
  const absl::StatusOr<ChosenJobs> chosen =
      ChooseJobs(session, std::move(filter), gateway::limits::kBulkJobsMax);
  if (!chosen.ok()) return session.Failed(chosen.status());
  return DoToChosen(session, *chosen,
                    {.would = cancel_only ? "cancel" : "delete",
                     .done = cancel_only ? "cancelled" : "deleted",
                     .call =
                         [&session, cancel_only](const Job& job) {
                           // What waited when it was shown may have become a video meanwhile.
                           const bool waits = job.state() == v1::JOB_STATE_WAITING;
                           return waits || cancel_only
                                      ? session.client.Cancel(job.job_id(), session.PatientCall())
                                      : session.client.Delete(job.job_id(), session.PatientCall());
                         }},
                    cancel_only ? "They are never sent, and stay, as CANCELLED. It costs nothing, "
                                  "and cannot be undone."
                                : "Their outputs at Pictory and in the archive go, too; jobs that "
                                  "are WAITING are cancelled. It costs nothing, and cannot be "
                                  "undone.");
}

ExitCode RunResolveChosen(const Session& session) {
  ListJobsRequest filter = FilterOf(session.args);
  filter.add_states(v1::JOB_STATE_UNCONFIRMED);
  const bool abandons = session.args.abandon;
  const absl::StatusOr<ChosenJobs> chosen =
      ChooseJobs(session, std::move(filter),
                 abandons ? gateway::limits::kBulkJobsMax : gateway::limits::kBulkLooksMax);
  if (!chosen.ok()) return session.Failed(chosen.status());
  const auto resolve = [&session](const Job& job, bool abandon) {
    ResolveJobRequest request;
    request.set_job_id(job.job_id());
    if (abandon) request.set_abandon(true);
    return session.client.Resolve(request, session.PatientCall());
  };
  if (abandons) {
    const Deed abandon{.would = "abandon",
                       .done = "abandoned",
                       .call = [&resolve](const Job& job) -> absl::StatusOr<Job> {
                         absl::StatusOr<ResolveJobResponse> now = resolve(job, true);
                         if (!now.ok()) return now.status();
                         return std::move(*now->mutable_job());
                       }};
    return DoToChosen(session, *chosen, abandon,
                      "Pictory may be working on them and bill them, and how much is not known; "
                      "`pictory resolve` without --abandon shows what they could be. It cannot be "
                      "undone.");
  }
  if (chosen->jobs.empty()) session.out.Note("No jobs like that are UNCONFIRMED.\n");
  ExitCode code = kSucceeded;
  for (const Job& job : chosen->jobs) {
    const absl::StatusOr<ResolveJobResponse> look = resolve(job, false);
    if (!look.ok()) {
      code = Worse(code, session.Failed(look.status(), job.job_id()));
      if (code == kDetached || ReachOf(look.status()) == Reach::kAll) break;
      continue;
    }
    session.out.Answer(session.out.json()
                           ? ToJsonLine(*look) + "\n"
                           : Headline(look->job()) + Describe(look->job(), absl::Now()) +
                                 DescribeCandidates(*look));
    if (!session.out.intact()) break;
  }
  if (chosen->more) {
    session.out.Note("There are more than these; choose fewer by --kind, --label or --since.\n");
  }
  return code;
}

}  // namespace pictory_jobs::cli
