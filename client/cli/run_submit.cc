#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "describe.h"
#include "json_text.h"
#include "last_job.h"
#include "session.h"
#include "submit_commands.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

// The request_id is minted here, not by the library, so that an error can name it.
std::string EnsureRequestId(google::protobuf::Message& request) {
  const auto* const reflection = request.GetReflection();
  const auto* const id = request.GetDescriptor()->FindFieldByName("request_id");
  if (reflection->GetString(request, id).empty()) {
    reflection->SetString(&request, id, MintRequestId());
  }
  return reflection->GetString(request, id);
}

// What to do about a submit of which only the request_id is known.
std::string HowToFindOut(const std::string& command, const std::string& request_id,
                         const std::string& uploaded) {
  return absl::StrCat(
      "It is not known whether the job was taken. Do not submit it anew: ",
      uploaded.empty()
          ? std::string("the same command with\n ")
          : absl::StrCat("the same flags with\n  pictory ", command, " ", OneLine(uploaded)),
      " --request-id ", OneLine(request_id), "\nfinds out, and makes no second job.\n");
}

// What a second Ctrl-C leaves behind.
std::string LastWords(const Session& session, const std::string& request_id,
                      const std::string& how_to_find_out) {
  if (!session.out.json()) return how_to_find_out;
  return ProblemLine({.code = absl::StatusCode::kCancelled,
                      .reason = kStoppedReason,
                      .message = "stopped",
                      .hint = how_to_find_out,
                      .request_id = request_id});
}

// Names a job whose id standard output may not have taken.
ExitCode Untold(const Session& session, const Job& job) {
  const std::string id = OneLine(job.job_id());
  session.out.Tell(
      {.code = absl::StatusCode::kFailedPrecondition,
       .reason = kUnwrittenReason,
       .message = absl::StrCat("standard output cannot be written (", session.out.Failure(),
                               "), but the job was submitted. Do not submit it again."),
       .hint = absl::StrCat("job ", id, "\nGo on with: pictory watch ", id, "\n"),
       .job_id = id,
       .request_id = OneLine(job.request_id())});
  return kUnwritten;
}

// Tells the states of the jobs that have not ended, and how to go on with them.
void TellHowToGoOn(const Session& session, const std::vector<Followed>& all) {
  const auto tell = [&session](absl::StatusCode code, const char* reason, const std::string& what,
                               const std::string& ids) {
    session.out.Tell({.code = code,
                      .reason = reason,
                      .message = absl::StrCat(what, ": pictory watch ", ids),
                      .job_id = ids});
  };
  std::vector<std::string> detached;
  for (const Followed& one : all) {
    if (absl::IsCancelled(one.status)) detached.push_back(OneLine(one.job_id));
    if (absl::IsDeadlineExceeded(one.status)) {
      const bool unconfirmed = one.last && one.last->state() == v1::JOB_STATE_UNCONFIRMED;
      tell(absl::StatusCode::kDeadlineExceeded, kWaitedReason,
           unconfirmed ? "stopped waiting; the job is still UNCONFIRMED"
                       : "stopped waiting; the job goes on",
           OneLine(one.job_id));
    }
  }
  if (session.out.json()) {
    for (const std::string& id : detached)
      tell(absl::StatusCode::kCancelled, kDetachedReason, "detached; go on with", id);
  } else if (!detached.empty()) {
    tell(absl::StatusCode::kCancelled, kDetachedReason, "detached; go on with",
         absl::StrJoin(detached, " "));
  }
}

void TellOne(const Session& session, const Followed& one, bool progress, bool submitted) {
  Output& out = session.out;
  if (one.last && out.json()) {
    // Each state has been printed while progress was followed.
    if (!progress) out.Answer(ToJsonLine(*one.last) + "\n");
  } else if (one.last) {
    if (!submitted) out.Answer(Headline(*one.last));
    out.Answer(Describe(*one.last, absl::Now()));
  }
  const bool waited_out = absl::IsDeadlineExceeded(one.status) || absl::IsCancelled(one.status);
  if (!one.status.ok() && !waited_out) {
    Problem problem = session.ProblemWith(one.status, one.job_id);
    if ((one.last || submitted) && !absl::IsNotFound(one.status)) {
      problem.hint = absl::StrCat("The job goes on: pictory watch ", OneLine(one.job_id), "\n");
    }
    out.Tell(problem);
  }
  // What is to be said of UNCONFIRMED was said when the job was first seen in that state.
  if (one.last && one.last->state() != v1::JOB_STATE_UNCONFIRMED) out.Warn(Advice(*one.last));
}

// Tells the job's id first, then what becomes of the job.
ExitCode TellSubmitted(const Session& session, const Job& job) {
  const Invocation& args = session.args;
  RememberLastJob(args.server, job.job_id());
  const bool follow = (args.watch || args.wait) && !IsFinal(job.state());
  if (!session.out.json()) {
    session.out.Answer(Headline(job));
  } else if (!follow || args.watch) {
    session.out.Answer(ToJsonLine(job) + "\n");
  } else {
    session.out.Note(Headline(job));  // should this program be killed meanwhile
  }
  if (!session.out.Delivered()) return kUnwritten;
  session.interrupt.SetLastWords("");
  if (follow) return FollowJobs(session, {job.job_id()}, args.watch, &job);
  if (!session.out.json()) session.out.Answer(Describe(job, absl::Now()));
  const std::string advice = Advice(job);
  session.out.Warn(advice);
  if (advice.empty() && !session.out.json() && !IsFinal(job.state()) && Output::Terminal()) {
    session.out.Note(absl::StrCat("Follow it with: pictory watch ", OneLine(job.job_id()), "\n"));
  }
  return ExitForState(job.state());
}

}  // namespace

ExitCode FollowJobs(const Session& session, const std::vector<std::string>& job_ids,
                    bool show_progress, const Job* submitted) {
  std::stop_source stop;  // Ctrl-C, or nobody reads any longer
  const std::stop_callback interrupted(session.stop, [&stop] { stop.request_stop(); });
  FollowOptions options;
  options.timeout = session.args.timeout;
  options.stop = stop.get_token();
  Progress progress(show_progress ? session.out.ProgressMode() : Progress::Mode::kNone,
                    Output::StderrScreen());
  std::set<std::string> doubted;  // jobs seen UNCONFIRMED
  const auto advise = [&](const Job& job) {
    if (job.state() != v1::JOB_STATE_UNCONFIRMED || !doubted.insert(job.job_id()).second) return;
    const std::string advice = Advice(job, /*followed=*/true);
    if (progress.shown()) {
      progress.Note(std::string(absl::StripSuffix(advice, "\n")), absl::Now());
    } else {
      session.out.Warn(advice);  // with --quiet too: it may save somebody's money
    }
  };
  if (submitted != nullptr) advise(*submitted);
  const auto each = [&](const Job& job) {
    advise(job);
    if (!show_progress) return;
    const bool told = submitted != nullptr && job.revision() == submitted->revision();
    if (session.out.json() && !told) session.out.Answer(ToJsonLine(job) + "\n");
    if (!session.out.intact()) stop.request_stop();
  };
  const std::vector<Followed> all = Follow(session.client, job_ids, options, progress, each);
  progress.End(absl::Now());
  if (!session.out.intact()) return kUnwritten;
  ExitCode code = kSucceeded;
  for (const Followed& one : all) {
    TellOne(session, one, show_progress, submitted != nullptr);
    code = Worse(code, ExitFor(one));
  }
  TellHowToGoOn(session, all);
  return code;
}

ExitCode RunSubmit(const Session& session, SubmitRequest request, const std::string& uploaded) {
  const std::string request_id = EnsureRequestId(*request);
  // Another upload would be another request: what was uploaded has to be named.
  const std::string how_to_find_out = HowToFindOut(session.args.submit->name, request_id, uploaded);
  session.interrupt.SetLastWords(LastWords(session, request_id, how_to_find_out));
  const absl::StatusOr<Job> job = session.client.Submit(*request, session.Call());
  if (!job.ok()) {
    const bool open = MayHaveBeenTaken(job.status());
    Problem problem = session.ProblemWith(job.status(), "", request_id);
    if (open) problem.hint = how_to_find_out;
    session.out.Tell(problem);
    if (open) return kOutcomeUnknown;
    session.interrupt.SetLastWords("");
    return session.ExitAfter(job.status());
  }
  const ExitCode code = TellSubmitted(session, *job);
  return session.out.Delivered() ? code : Untold(session, *job);
}

ExitCode RunWatch(const Session& session) {
  if (session.args.jobs.empty()) return RunWatchMany(session);
  return FollowJobs(session, session.args.jobs, true);
}

ExitCode RunWait(const Session& session) { return FollowJobs(session, session.args.jobs, false); }

}  // namespace pictory_jobs::cli
