// What is the Pictory account's and no job's: its quota and charges, and its projects.
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "describe.h"
#include "json_text.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kJobsOnPage = 500;

std::string QuotaRow(const char* what, const v1::Quota::Count& count) {
  if (!count.has_used() && !count.has_limit()) return "";
  return absl::StrCat("  ", Pad(what, 22), count.has_used() ? Number(count.used()) : "unknown",
                      count.has_limit() ? " of " + Number(count.limit()) : "", "\n");
}

std::string AccountText(const GetAccountResponse& account) {
  std::string text = absl::StrCat("account ", OneLine(account.account()), "\n");
  const v1::Quota& quota = account.quota();
  text += QuotaRow("video minutes", quota.video_minutes());
  text += QuotaRow("transcription minutes", quota.transcription_minutes());
  text += QuotaRow("ElevenLabs minutes", quota.eleven_labs_voice_over_minutes());
  text += QuotaRow("AI credits", quota.ai_credits());
  if (account.has_ai_credits_left()) {
    absl::StrAppend(&text, "  ", Pad("AI credits left", 22), Number(account.ai_credits_left()),
                    "\n");
  }
  absl::StrAppend(&text, "  ", Pad("charged in the month", 22), Number(account.credits_charged()),
                  "\n");
  absl::StrAppend(&text, "  ", Pad("granted in the month", 22), Number(account.credits_granted()),
                  "\n");
  for (const v1::CreditTransaction& one : account.transactions()) {
    absl::StrAppend(&text, "  ", OneLine(one.time()), "  ", one.type() == "debit" ? "-" : "+",
                    Number(one.amount()), "  ", OneLine(one.source()), "\n");
  }
  if (account.omitted_transactions() > 0) {
    absl::StrAppend(&text, "  and ", account.omitted_transactions(), " more\n");
  }
  return text;
}

// The month in UTC, as a filter of jobs by their creation.
void CreatedIn(int year, int month, ListJobsRequest& filter) {
  if (year == 0) {
    const absl::CivilMonth now(absl::ToCivilMonth(absl::Now(), absl::UTCTimeZone()));
    year = static_cast<int>(now.year());
    month = now.month();
  }
  const absl::CivilMonth first(year, month);
  const auto seconds = [](absl::CivilMonth at) {
    return absl::ToUnixSeconds(absl::FromCivil(at, absl::UTCTimeZone()));
  };
  filter.mutable_created_from()->set_seconds(seconds(first));
  filter.mutable_created_until()->set_seconds(seconds(first + 1));
}

struct Cost {
  double credits = 0;
  int jobs = 0;
};

std::string ProjectText(const v1::Project& project) {
  std::string text = absl::StrCat("project ", OneLine(project.project_id()), "\n");
  Row(text, "name", OneLine(project.name()));
  Row(text, "source", OneLine(project.source()));
  Row(text, "saved", OneLine(project.save_time()));
  Row(text, "video", OneLine(project.video_url()));
  Row(text, "share", OneLine(project.share_url()));
  return text;
}

// One word of a shell, whatever is in it: the token is Pictory's.
std::string ShellWord(const std::string& word) {
  return absl::StrCat("'", absl::StrReplaceAll(OneLine(word), {{"'", "'\\''"}}), "'");
}

// Ends the list before its end, of which no reader of the projects alone would know.
ExitCode Unfinished(const Session& session, const std::string& next, const absl::Status& status) {
  const ExitCode code = session.Failed(status);
  session.out.Warn(absl::StrCat(
      "The list of projects is not whole.",
      next.empty() ? "" : absl::StrCat(" Go on: pictory projects --page-token ", ShellWord(next)),
      "\n"));
  return code;
}

ExitCode ListProjects(const Session& session) {
  ListProjectsRequest request;
  request.set_page_token(session.args.page_token);
  std::set<std::string> seen;
  bool any = false;
  do {
    if (!seen.insert(request.page_token()).second) {
      return Unfinished(session, "",
                        absl::DataLossError("Pictory names a page as the next one that it has "
                                            "named before: the list would have no end"));
    }
    const absl::StatusOr<ListProjectsResponse> page =
        session.client.Projects(request, session.PatientCall());
    if (!page.ok()) {
      // Before the first page nothing is listed, and nothing is missing.
      return seen.size() == 1 ? session.Failed(page.status())
                              : Unfinished(session, request.page_token(), page.status());
    }
    for (const v1::Project& project : page->projects()) {
      any = true;
      session.out.Answer(session.out.json() ? ToJsonLine(project) + "\n"
                                            : absl::StrCat(OneLine(project.project_id()), "  ",
                                                           OneLine(project.save_time()), "  ",
                                                           OneLine(project.name()), "\n"));
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && session.out.intact());
  if (!any) session.out.Note("No projects.\n");
  return kSucceeded;
}

}  // namespace

ExitCode RunAccount(const Session& session) {
  const Invocation& args = session.args;
  GetAccountRequest request;
  request.set_year(args.year);
  request.set_month(args.month);
  const absl::StatusOr<GetAccountResponse> account =
      session.client.Account(request, session.Call());
  if (!account.ok()) return session.Failed(account.status());
  std::map<std::string, Cost> by_value;
  double told = 0;
  if (!args.by_label.empty()) {
    ListJobsRequest filter;
    filter.set_page_size(kJobsOnPage);
    CreatedIn(args.year, args.month, filter);
    for (const absl::StatusOr<Job>& job : session.client.List(std::move(filter), session.Call())) {
      if (!job.ok()) return session.Failed(job.status());
      if (!job->has_credits_used()) continue;
      const auto label = job->labels().find(args.by_label);
      Cost& cost = by_value[label == job->labels().end() ? "" : label->second];
      cost.credits += job->credits_used();
      ++cost.jobs;
      told += job->credits_used();
    }
  }
  const double rest = Summed(account->credits_charged() - told);
  if (session.out.json()) {
    session.out.Answer(ToJsonLine(*account) + "\n");
    for (const auto& [value, cost] : by_value) {
      session.out.Answer(JsonObject()
                             .Text("label", args.by_label)
                             .Text("value", value)
                             .Number("credits", Summed(cost.credits))
                             .Integer("jobs", cost.jobs)
                             .Done() +
                         "\n");
    }
    if (!args.by_label.empty()) {
      session.out.Answer(
          JsonObject().Text("label", args.by_label).Number("unaccountedCredits", rest).Done() +
          "\n");
    }
    return kSucceeded;
  }
  session.out.Answer(AccountText(*account));
  for (const auto& [value, cost] : by_value) {
    session.out.Answer(absl::StrCat(OneLine(args.by_label), "=",
                                    value.empty() ? "(none)" : OneLine(value), "  ",
                                    Number(Summed(cost.credits)), " AI credits of ", cost.jobs,
                                    cost.jobs == 1 ? " job" : " jobs", "\n"));
  }
  if (!args.by_label.empty()) {
    session.out.Answer(absl::StrCat("charged less what jobs have told: ", Number(rest), "\n"));
  }
  return kSucceeded;
}

ExitCode RunProjects(const Session& session) {
  const Invocation& args = session.args;
  if (!args.source.empty()) {
    const absl::StatusOr<GetProjectResponse> project =
        session.client.Project(args.source, session.Call());
    if (!project.ok()) return session.Failed(project.status());
    session.out.Answer(session.out.json() ? ToJsonLine(*project) + "\n"
                                          : ProjectText(project->project()));
    return kSucceeded;
  }
  return ListProjects(session);
}

}  // namespace pictory_jobs::cli
