// `pictory resubmit`: the lines of a file again whose jobs have failed. The gateway does not keep
// what was asked for, so the file has to say it.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "again.h"
#include "batch_file.h"
#include "chosen_jobs.h"
#include "json_text.h"
#include "request.h"
#include "session.h"
#include "submit_commands.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

template <class Value>
bool Fits(const std::vector<Value>& wanted, Value value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

bool IsChosen(const Job& job, const Invocation& args) {
  const bool state =
      args.states.empty() ? job.state() == v1::JOB_STATE_FAILED : Fits(args.states, job.state());
  const absl::Time created = absl::FromUnixSeconds(job.create_time().seconds()) +
                             absl::Nanoseconds(job.create_time().nanos());
  return state && Fits(args.kinds, job.kind()) && (!args.since || created >= *args.since) &&
         (!args.before || created < *args.before) &&
         std::all_of(args.labels.begin(), args.labels.end(), [&job](const auto& label) {
           const auto found = job.labels().find(label.first);
           return found != job.labels().end() && found->second == label.second;
         });
}

std::string CostText(const AgainPlan& plan, const AgainCost& cost) {
  if (std::all_of(plan.again.begin(), plan.again.end(),
                  [](const AgainPlan::One& one) { return one.failed->sandbox(); })) {
    return "The sandbox bills nothing.";
  }
  if (cost.known == 0) {
    return "They may be billed; how much is not known, because no such job of the file has told.";
  }
  std::string text =
      absl::StrCat("They may use about ", Number(Summed(cost.credits)),
                   " AI credits, as those of the file that succeeded did on average");
  if (cost.known < plan.again.size()) {
    absl::StrAppend(&text, "; of ", plan.again.size() - cost.known, " of them nothing is known");
  }
  return text + ".";
}

void ShowPlan(const Session& session, const Batch& batch, const AgainPlan& plan,
              const AgainCost& cost) {
  const bool json = session.out.json();
  for (const AgainPlan::One& one : plan.again) {
    const BatchLine& line = batch.lines[one.line];
    const v1::JobError& error = one.failed->error();
    session.out.Answer(json ? JsonObject()
                                      .Text("would", "resubmit")
                                      .Integer("line", line.number)
                                      .Text("requestId", AgainId(*one.failed))
                                      .Raw("job", ToJsonLine(*one.failed))
                                      .Done() +
                                  "\n"
                            : absl::StrCat("line ", line.number, "  ", line.submit->name, "  job ",
                                           OneLine(one.failed->job_id()), "  ",
                                           StateWord(one.failed->state()),
                                           error.message().empty() ? "" : "  ",
                                           Fit(InCommands(OneLine(error.message())), 60), "\n"));
  }
  if (json) {
    session.out.Answer(
        JsonObject()
            .Raw("summary",
                 JsonObject()
                     .Raw("dryRun", "true")
                     .Integer("lines", static_cast<std::int64_t>(plan.again.size()))
                     .Number("credits", Summed(cost.credits))
                     .Integer("creditsKnownOf", static_cast<std::int64_t>(cost.known))
                     .Integer("withoutLine", static_cast<std::int64_t>(plan.without_line.size()))
                     .Done())
            .Done() +
        "\n");
  } else {
    session.out.Answer(absl::StrCat("Would submit ", plan.again.size(),
                                    plan.again.size() == 1 ? " line" : " lines", " again. ",
                                    CostText(plan, cost), "\n"));
  }
}

void TellWithoutLine(const Session& session, const AgainPlan& plan) {
  if (plan.without_line.empty()) return;
  constexpr std::size_t kNamed = 5;
  std::vector<std::string> ids;
  for (const Job* job : plan.without_line) {
    if (ids.size() < kNamed) ids.push_back(OneLine(job->job_id()));
  }
  session.out.Warn(absl::StrCat(
      plan.without_line.size() == 1 ? "1 job was"
                                    : absl::StrCat(plan.without_line.size(), " jobs were"),
      " made of lines that are not in the file as they were, and cannot be submitted again by it: ",
      absl::StrJoin(ids, " "), ids.size() < plan.without_line.size() ? " …" : "", "\n"));
}

}  // namespace

ExitCode RunResubmit(const Session& session, const std::string& text) {
  const Invocation& args = session.args;
  Invocation defaults = args;
  defaults.labels.clear();  // here they choose jobs
  Batch batch = ReadBatch(text, BatchName(args), defaults);
  for (const BadLine& line : batch.bad) {
    Problem problem =
        UsageProblem(absl::StrCat(Shown(args.source), ":", line.number, ": ", line.what));
    problem.line = line.number;
    session.out.Tell(problem);
  }
  if (!batch.bad.empty()) return kUsage;
  const absl::StatusOr<GetServerInfoResponse> info = session.client.ServerInfo(session.Call());
  if (!info.ok()) return session.Failed(info.status());
  const absl::StatusOr<std::vector<Job>> jobs = JobsOfBatch(session);
  if (!jobs.ok()) return session.Failed(jobs.status());

  const AgainPlan plan =
      PlanAgain(batch.lines, *jobs, [&args](const Job& job) { return IsChosen(job, args); });
  TellWithoutLine(session, plan);
  if (!args.yes || plan.again.empty()) ShowPlan(session, batch, plan, CostOf(plan, *jobs));
  if (plan.again.empty()) return kSucceeded;
  if (!IsConfirmed(session, plan.again.size())) {
    return session.stop.stop_requested() ? kDetached : kSucceeded;
  }
  Batch again;
  for (const AgainPlan::One& one : plan.again) {
    BatchLine& line = batch.lines[one.line];
    Rename(line, AgainId(*one.failed), {one.failed->labels().begin(), one.failed->labels().end()});
    again.lines.push_back(std::move(line));
  }
  return SubmitLines(session, std::move(again), *info);
}

}  // namespace pictory_jobs::cli
