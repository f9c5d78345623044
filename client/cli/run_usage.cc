#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "json_text.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kPage = 500;

std::string CountRow(std::string_view what, const GetUsageResponse::Count& count) {
  return absl::StrCat("  ", Pad(what, 17), Number(count.used()),
                      count.limit() > 0 ? " of " + Number(count.limit()) : "", "\n");
}

std::string UsageText(const GetUsageResponse& usage) {
  return absl::StrCat("tenant ", OneLine(usage.tenant()), "\n", "  ", Pad("account", 17),
                      OneLine(usage.account()), "\n",
                      CountRow("submits, 24 h", usage.submits_today()),
                      CountRow("AI credits, 24 h", usage.credits_today()),
                      CountRow("active jobs", usage.active_jobs()),
                      usage.submits_stopped() ? "  The operator has stopped new submits.\n" : "");
}

struct UsedBy {
  double credits = 0;
  int jobs = 0;
};

}  // namespace

ExitCode RunUsage(const Session& session) {
  const absl::StatusOr<GetUsageResponse> usage = session.client.Usage(session.Call());
  if (!usage.ok()) return session.Failed(usage.status());
  std::map<std::string, UsedBy> by_value;
  if (const std::string& key = session.args.by_label; !key.empty()) {
    ListJobsRequest filter;
    filter.set_page_size(kPage);
    for (const absl::StatusOr<Job>& job : session.client.List(std::move(filter), session.Call())) {
      if (!job.ok()) return session.Failed(job.status());
      if (!job->has_credits_used()) continue;
      const auto label = job->labels().find(key);
      UsedBy& sum = by_value[label == job->labels().end() ? "" : label->second];
      sum.credits += job->credits_used();
      ++sum.jobs;
    }
  }
  if (session.out.json()) {
    session.out.Answer(ToJsonLine(*usage) + "\n");
    for (const auto& [value, sum] : by_value) {
      session.out.Answer(JsonObject()
                             .Text("label", session.args.by_label)
                             .Text("value", value)
                             .Number("credits", Summed(sum.credits))
                             .Integer("jobs", sum.jobs)
                             .Done() +
                         "\n");
    }
    return kSucceeded;
  }
  session.out.Answer(UsageText(*usage));
  for (const auto& [value, sum] : by_value) {
    session.out.Answer(absl::StrCat(OneLine(session.args.by_label), "=",
                                    value.empty() ? "(none)" : OneLine(value), "  ",
                                    Number(Summed(sum.credits)), " AI credits of ", sum.jobs,
                                    sum.jobs == 1 ? " job" : " jobs", "\n"));
  }
  return kSucceeded;
}

}  // namespace pictory_jobs::cli
