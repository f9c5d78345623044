#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "json_text.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

std::string CountRow(std::string_view what, const GetUsageResponse::Count& count) {
  return absl::StrCat("  ", Pad(what, 17), Number(count.used()),
                      count.limit() > 0 ? " of " + Number(count.limit()) : "", "\n");
}

std::string UseRow(const std::string& whose, const GetUsageResponse::LabelUse& use) {
  return absl::StrCat(whose, "  ", Number(Summed(use.credits())), " AI credits of ", use.jobs(),
                      use.jobs() == 1 ? " job" : " jobs", "\n");
}

std::string LabelText(const std::string& key, const GetUsageResponse& usage) {
  std::string text;
  for (const GetUsageResponse::LabelUse& use : usage.by_label()) {
    text += UseRow(
        absl::StrCat(OneLine(key), use.has_value() ? "=" + OneLine(use.value()) : ": none"), use);
  }
  if (usage.has_by_label_others()) text += UseRow("other values", usage.by_label_others());
  if (usage.has_by_label_from()) {
    absl::StrAppend(&text, "These are the newest jobs only, since ",
                    absl::FormatTime("%Y-%m-%d %H:%M:%S",
                                     absl::FromUnixSeconds(usage.by_label_from().seconds()),
                                     absl::LocalTimeZone()),
                    ".\n");
  }
  return text;
}

std::string UsageText(const GetUsageResponse& usage) {
  return absl::StrCat(
      "tenant ", OneLine(usage.tenant()), "\n", "  ", Pad("account", 17), OneLine(usage.account()),
      "\n", CountRow("submits, 24 h", usage.submits_today()),
      CountRow("AI credits, 24 h", usage.credits_today()),
      usage.credits_reserved() > 0
          ? absl::StrCat("    ", Number(usage.credits_reserved()), " of them are reserved\n")
          : "",
      CountRow("active jobs", usage.active_jobs()),
      usage.repeated_today() > 0
          ? absl::StrCat("  ", Pad("repeated, 24 h", 17), usage.repeated_today(), ", paid once\n")
          : "",
      usage.submits_stopped() ? "  The operator has stopped new submits.\n" : "");
}

}  // namespace

ExitCode RunUsage(const Session& session) {
  GetUsageRequest request;
  request.set_label_key(session.args.by_label);
  if (session.args.since.has_value()) {
    request.mutable_created_from()->set_seconds(absl::ToUnixSeconds(*session.args.since));
  }
  const absl::StatusOr<GetUsageResponse> usage = session.client.Usage(request, session.Call());
  if (!usage.ok()) return session.Failed(usage.status());
  session.out.Answer(session.out.json()
                         ? ToJsonLine(*usage) + "\n"
                         : UsageText(*usage) + LabelText(session.args.by_label, *usage));
  return kSucceeded;
}

}  // namespace pictory_jobs::cli
