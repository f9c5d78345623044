// `pictory submit`: many jobs of one file. What makes it safe to run again are the request_ids: the
// gateway knows a line that it was sent, whatever became of this program.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/limits.h"
#include "batch_before.h"
#include "batch_file.h"
#include "batch_reach.h"
#include "describe.h"
#include "follow_batch.h"
#include "json_text.h"
#include "last_job.h"
#include "mailbox.h"
#include "session.h"
#include "submit_commands.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr std::chrono::milliseconds kLook{200};
constexpr char kReusedReason[] = "REQUEST_ID_REUSED";
constexpr char kGoOn[] =
    "The same command goes on where this one stopped, and pays for nothing twice.\n";

// What became of a line, as one thread tells it to another.
struct Answered {
  std::size_t index = 0;
  std::optional<absl::StatusOr<Job>> job;  // unset: the thread has ended
};

// The numbers of lines, by what became of them.
struct Tally {
  std::vector<int> submitted;
  std::vector<int> existing;
  std::vector<int> failed;
  std::vector<int> unknown;  // sent, and no answer came
  std::vector<int> left;     // not sent
};

std::string Array(const std::vector<int>& lines) {
  return absl::StrCat("[", absl::StrJoin(lines, ","), "]");
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

class BatchRun {
 public:
  BatchRun(const Session& session, Batch batch, absl::Time began)
      : session_(session), batch_(std::move(batch)), began_(began) {}

  ExitCode Run() {
    session_.interrupt.SetLastWords(LastWords());
    SubmitAll();
    session_.interrupt.SetLastWords("");
    if (!last_.empty()) RememberLastJob(session_.args.server, last_);
    if (!session_.out.intact()) return kUnwritten;
    if (session_.args.watch && !session_.stop.stop_requested()) Watch();
    TellTally();
    return code_;
  }

 private:
  std::string LastWords() const {
    if (!session_.out.json()) return kGoOn;
    return ProblemLine({.code = absl::StatusCode::kCancelled,
                        .reason = kStoppedReason,
                        .message = "stopped",
                        .hint = kGoOn});
  }

  void SubmitAll() {
    const auto count = std::min<std::size_t>(static_cast<std::size_t>(session_.args.parallel),
                                             batch_.lines.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { Work(); });
    for (std::size_t running = count; running > 0;) {
      const std::optional<Answered> answered = answers_.Pop(kLook);
      if (session_.stop.stop_requested()) halted_ = true;
      if (!answered) continue;
      if (answered->job) {
        Take(batch_.lines[answered->index], *answered->job);
      } else {
        --running;
      }
      if (!session_.out.intact()) halted_ = true;
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = std::min(next_.load(), batch_.lines.size()); i < batch_.lines.size(); ++i)
      tally_.left.push_back(batch_.lines[i].number);
    for (std::vector<int>* lines :
         {&tally_.submitted, &tally_.existing, &tally_.failed, &tally_.unknown, &tally_.left})
      std::sort(lines->begin(), lines->end());
    // Of a line that was on its way something must be said, and nothing of those that were not.
    if (session_.stop.stop_requested() && tally_.unknown.empty()) code_ = Worse(code_, kDetached);
  }

  // One thread's share: a line after the other, until there are none or all is halted.
  void Work() {
    const CallOptions call = session_.PatientCall();
    while (!halted_) {
      const std::size_t index = next_++;
      if (index >= batch_.lines.size()) break;
      absl::StatusOr<Job> job = session_.client.Submit(*batch_.lines[index].request, call);
      Consider(job.status());
      answers_.Push({index, std::move(job)});
    }
    answers_.Push({});
  }

  // Halts all threads when the next lines would be refused, too.
  void Consider(const absl::Status& status) {
    const Reach reach = status.ok() ? Reach::kThisLine : ReachOf(status);
    if (reach == Reach::kThisLine) {
      refused_in_a_row_ = 0;
    } else if (reach == Reach::kAll || ++refused_in_a_row_ >= session_.args.parallel) {
      halted_ = true;
    }
  }

  void Take(const BatchLine& line, const absl::StatusOr<Job>& job) {
    if (!job.ok()) return TakeFailure(line, job.status());
    const bool existing = job->has_create_time() && TimeOf(job->create_time()) < began_;
    (existing ? tally_.existing : tally_.submitted).push_back(line.number);
    code_ = Worse(code_, ExitForState(job->state()));
    if (!IsFinal(job->state())) open_.push_back(*job);
    if (!existing) last_ = job->job_id();
    if (session_.out.json()) {
      session_.out.Answer(JsonObject()
                              .Integer("line", line.number)
                              .Text("outcome", existing ? "existing" : "submitted")
                              .Text("requestId", line.request_id)
                              .Raw("job", ToJsonLine(*job))
                              .Done() +
                          "\n");
    } else {
      session_.out.Answer(absl::StrCat("line ", line.number, "  ", line.submit->name, "  job ",
                                       OneLine(job->job_id()), "  ", StateWord(job->state()),
                                       existing ? "  (was there)" : "", "\n"));
    }
    if (job->state() == v1::JOB_STATE_UNCONFIRMED) session_.out.Warn(Advice(*job));
  }

  void TakeFailure(const BatchLine& line, const absl::Status& status) {
    const bool unknown = MayHaveBeenTaken(status);
    (unknown ? tally_.unknown : tally_.failed).push_back(line.number);
    code_ = Worse(code_, unknown ? kOutcomeUnknown : session_.ExitAfter(status));
    Problem problem = session_.ProblemWith(status, "", line.request_id);
    problem.line = line.number;
    if (problem.reason == kReusedReason) {
      problem.hint =
          "  This line was submitted before, with other settings or labels of the command; nothing "
          "was "
          "sent now.\n  Submit it as it was. A requestId of its own, or another --batch, would pay "
          "for it again.\n";
    } else if (unknown) {
      problem.hint = absl::StrCat(
          "  It is not known whether the job was taken; leave the line as it is until it is. ",
          kGoOn);
    }
    session_.out.Tell(problem);
  }

  void Watch() {
    if (open_.empty()) return;
    code_ = Worse(code_, FollowBatch(session_, open_));
  }

  void TellTally() const {
    const std::size_t all = batch_.lines.size() + batch_.bad.size();
    std::vector<int> bad;
    for (const BadLine& line : batch_.bad) bad.push_back(line.number);
    if (session_.out.json()) {
      session_.out.Answer(JsonObject()
                              .Raw("summary", JsonObject()
                                                  .Integer("lines", static_cast<std::int64_t>(all))
                                                  .Integer("submitted", Size(tally_.submitted))
                                                  .Integer("existing", Size(tally_.existing))
                                                  .Raw("failed", Array(tally_.failed))
                                                  .Raw("unknown", Array(tally_.unknown))
                                                  .Raw("notSubmitted", Array(tally_.left))
                                                  .Raw("malformed", Array(bad))
                                                  .Done())
                              .Done() +
                          "\n");
    } else {
      std::string text =
          absl::StrCat(all, all == 1 ? " line: " : " lines: ", tally_.submitted.size(),
                       " submitted, ", tally_.existing.size(), " there before");
      const auto add = [&text](const std::vector<int>& lines, const char* what) {
        if (lines.empty()) return;
        absl::StrAppend(&text, ", ", lines.size(), " ", what, " (line ", Ranges(lines), ")");
      };
      add(tally_.failed, "failed");
      add(tally_.unknown, "of which it is not known");
      add(tally_.left, "not submitted");
      add(bad, "malformed");
      session_.out.Answer(text + "\n");
    }
    if (!tally_.left.empty() || !tally_.unknown.empty()) session_.out.Note(kGoOn);
  }
  static std::int64_t Size(const std::vector<int>& lines) {
    return static_cast<std::int64_t>(lines.size());
  }

  const Session& session_;
  const Batch batch_;
  const absl::Time began_;  // by the gateway's clock
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> halted_{false};
  std::atomic<int> refused_in_a_row_{0};
  Mailbox<Answered> answers_;
  Tally tally_;
  std::vector<Job> open_;
  std::string last_;  // submitted; empty: none was
  ExitCode code_ = kSucceeded;
};

// Names all bad lines. Returns whether the others are to be submitted all the same.
bool TellBad(const Session& session, const std::string& name, const Batch& batch) {
  for (const BadLine& line : batch.bad) {
    Problem problem = UsageProblem(absl::StrCat(name, ":", line.number, ": ", line.what));
    problem.line = line.number;
    session.out.Tell(problem);
  }
  if (batch.bad.empty() || session.args.keep_going) return true;
  session.out.Warn(absl::StrCat("Nothing was submitted, because of ", batch.bad.size(),
                                batch.bad.size() == 1 ? " bad line" : " bad lines",
                                "; --keep-going leaves them out.\n"));
  return false;
}

}  // namespace

absl::StatusOr<std::vector<Job>> JobsOfBatch(const Session& session) {
  ListJobsRequest filter;
  (*filter.mutable_labels())[kBatchLabel] = BatchLabelValue(BatchName(session.args));
  filter.set_page_size(gateway::limits::kListPageMax);
  std::vector<Job> jobs;
  for (const absl::StatusOr<Job>& job :
       session.client.List(std::move(filter), session.PatientCall())) {
    if (!job.ok()) return job.status();
    jobs.push_back(*job);
  }
  return jobs;
}

ExitCode SubmitLines(const Session& session, Batch batch, const GetServerInfoResponse& info) {
  // Jobs know the millisecond.
  const absl::Time began = absl::FromUnixMillis(absl::ToUnixMillis(TimeOf(info.server_time())));
  return BatchRun(session, std::move(batch), began).Run();
}

std::string BatchName(const Invocation& args) {
  if (!args.batch_name.empty()) return args.batch_name;
  return std::filesystem::path(args.source).filename().string();
}

ExitCode RunBatch(const Session& session, const std::string& text) {
  Batch batch = ReadBatch(text, BatchName(session.args), session.args);
  const bool bad = !batch.bad.empty();
  const bool goes_on = TellBad(session, Shown(session.args.source), batch);
  if (batch.lines.empty() && !bad) {
    session.out.Tell(UsageProblem(Shown(session.args.source) + ": there is no line in it"));
    return kUsage;
  }
  if (session.args.check_only || !goes_on || batch.lines.empty()) {
    if (session.args.check_only && !bad) {
      session.out.Note(absl::StrCat(batch.lines.size(),
                                    batch.lines.size() == 1 ? " line" : " lines",
                                    " could be submitted.\n"));
    }
    return bad ? kUsage : kSucceeded;
  }
  // One call shows whether there is a gateway at all, and what it is o'clock there: a job that was
  // created before was there before.
  const absl::StatusOr<GetServerInfoResponse> info = session.client.ServerInfo(session.Call());
  if (!info.ok()) return session.Failed(info.status());
  if (!session.args.changed) {
    const absl::StatusOr<std::vector<Job>> before = JobsOfBatch(session);
    if (!before.ok()) return session.Failed(before.status());
    if (const auto changed = WhatChanged(Shown(session.args.source), batch.lines, *before)) {
      session.out.Tell(*changed);
      return kUsage;
    }
  }
  const ExitCode code = SubmitLines(session, std::move(batch), *info);
  return bad ? Worse(code, kUsage) : code;
}

}  // namespace pictory_jobs::cli
