#include "doctor.h"

#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "json_text.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// From here on tokens may be refused and times in lists are wrong to people.
constexpr seconds kClockOff{30};
constexpr seconds kClockFarOff{300};
constexpr double kNearlyUsed = 0.9;

std::string HealthWord(Health health) {
  switch (health) {
    case Health::kOk:
      return "OK";
    case Health::kWarn:
      return "WARN";
    case Health::kFail:
      break;
  }
  return "FAIL";
}

std::string Milliseconds(milliseconds time) { return absl::StrCat(time.count(), " ms"); }

// `0.1` of `0.1.7`: what must be equal for two programs to know the same calls.
std::string Series(const std::string& version) {
  const std::size_t dot = version.find('.');
  return dot == version.npos ? version : version.substr(0, version.find('.', dot + 1));
}

// Notes a limit that is used up, or nearly.
void NoteCount(const char* what, const GetUsageResponse::Count& count, Finding& finding,
               std::vector<std::string>& words) {
  words.push_back(absl::StrCat(what, " ", Number(count.used()),
                               count.limit() > 0 ? " of " + Number(count.limit()) : ""));
  if (count.limit() <= 0 || count.used() < kNearlyUsed * count.limit()) return;
  const bool used_up = count.used() >= count.limit();
  if (used_up) {
    finding.health = Health::kFail;
  } else if (finding.health == Health::kOk) {
    finding.health = Health::kWarn;
  }
  absl::StrAppend(&finding.fix, finding.fix.empty() ? "" : "; ", what,
                  used_up ? " are used up" : " are nearly used up");
}

}  // namespace

Finding OnVersions(const std::string& own, const std::string& gateways) {
  Finding finding{.check = "versions",
                  .what = absl::StrCat("pictory ", own, ", gateway ", OneLine(gateways))};
  if (Series(own) == Series(gateways)) return finding;
  finding.health = Health::kWarn;
  finding.fix = "bring the older of the two to the version of the other: calls may be missing";
  return finding;
}

Finding OnIdentity(const GetServerInfoResponse& info) {
  Finding finding{.check = "identity",
                  .what = absl::StrCat(OneLine(info.caller()), ", tenant ", OneLine(info.tenant()),
                                       ", may ", absl::StrJoin(info.roles(), ", "))};
  if (info.callers_pay()) absl::StrAppend(&finding.what, "; pays with a key of its own");
  for (const std::string& role : info.roles()) {
    if (role == "submit") return finding;
  }
  finding.health = Health::kWarn;
  finding.fix =
      "you may not submit; the gateway's operator gives that role (server/docs/security.md)";
  return finding;
}

Finding OnClock(milliseconds ahead, milliseconds unsure) {
  const milliseconds off = std::chrono::abs(ahead);
  Finding finding{.check = "clock",
                  .what = absl::StrCat("the gateway's is ", Milliseconds(off),
                                       ahead.count() < 0 ? " behind" : " ahead", ", give or take ",
                                       Milliseconds(unsure))};
  if (off - unsure <= kClockOff) return finding;
  finding.health = off - unsure > kClockFarOff ? Health::kFail : Health::kWarn;
  finding.fix =
      "set both clocks by NTP (timedatectl): tokens end by them, and ages in lists are wrong";
  return finding;
}

Finding OnStore(const GetServerInfoResponse& info) {
  if (!info.has_store_obstacle()) return {.check = "store", .what = "is read"};
  return {.health = Health::kFail,
          .check = "store",
          .what = absl::StrCat(OneLine(info.store_obstacle().reason()), ": ",
                               OneLine(info.store_obstacle().message())),
          .fix = "the gateway's operator looks at its log and at the disk of --state-dir"};
}

Finding OnLoad(const GetServerInfoResponse& info) {
  if (info.shed().empty()) return {.check = "load", .what = "nothing is refused"};
  return {.health = Health::kWarn,
          .check = "load",
          .what = "under pressure; refused are " + OneLine(absl::StrJoin(info.shed(), ", ")),
          .fix = "try again in a few seconds; if it lasts, the operator gives it more memory"};
}

Finding OnPictory(const GetServerInfoResponse& info, const absl::Status& asked, milliseconds took) {
  Finding finding{.check = "Pictory"};
  const std::string account = absl::StrCat(info.sandbox() ? "sandbox" : "account ",
                                           info.sandbox() ? "" : OneLine(info.account()));
  if (info.has_pictory_obstacle()) {
    finding.health = Health::kFail;
    finding.what = absl::StrCat(account, ": ", OneLine(info.pictory_obstacle().reason()), ": ",
                                InCommands(OneLine(info.pictory_obstacle().message())));
    finding.fix = info.callers_pay()
                      ? "look at your own key: PICTORY_CALLER_KEY or --caller-key-file"
                      : "the gateway's operator looks at its way to Pictory and at the API key";
    return finding;
  }
  if (asked.ok()) {
    finding.what = absl::StrCat(account, " answered in ", Milliseconds(took));
  } else if (Reason(asked) == "ROLE_REQUIRED") {
    finding.what = absl::StrCat(account,
                                ": nothing known to be in the way; not asked, because that "
                                "needs the role operate");
  } else {
    finding.health = absl::IsResourceExhausted(asked) ? Health::kWarn : Health::kFail;
    finding.what = absl::StrCat(account, ": ", Reason(asked), Reason(asked).empty() ? "" : ": ",
                                InCommands(OneLine(std::string(asked.message()))));
    finding.fix = absl::IsResourceExhausted(asked)
                      ? "the account's requests are used up for the moment; try again"
                      : "server/docs/errors.md tells what the reason means";
  }
  return finding;
}

Finding OnBudget(const GetUsageResponse& usage) {
  Finding finding{.check = "budget"};
  std::vector<std::string> words;
  NoteCount("submits of 24 h", usage.submits_today(), finding, words);
  NoteCount("AI credits of 24 h", usage.credits_today(), finding, words);
  NoteCount("active jobs", usage.active_jobs(), finding, words);
  finding.what = absl::StrJoin(words, ", ");
  if (!finding.fix.empty()) {
    finding.fix += ": wait, or ask the gateway's operator for more (pictory usage)";
  }
  if (usage.submits_stopped()) {
    finding.health = Health::kFail;
    finding.what = "the operator has stopped new submits; " + finding.what;
    finding.fix = "the operator removes the file stop-submits from the state directory";
  }
  return finding;
}

Finding OnStream(milliseconds wanted, milliseconds held, const absl::Status& end) {
  const std::string length = Elapsed(std::chrono::duration_cast<seconds>(end.ok() ? wanted : held));
  if (end.ok()) return {.check = "streams", .what = absl::StrCat("one was open for ", length)};
  if (absl::IsUnimplemented(end) || absl::IsPermissionDenied(end)) {
    return {.health = Health::kWarn,
            .check = "streams",
            .what = "could not be tried",
            .fix = "a proxy on the way lets no call of grpc.health.v1.Health through"};
  }
  return {.health = Health::kWarn,
          .check = "streams",
          .what = absl::StrCat("one was cut after ", length, " (",
                               OneLine(std::string(end.message())), ")"),
          .fix =
              "raise the time limits for streams of the proxy on the way; watches reconnect, but "
              "cost more (server/docs/mesh.md)"};
}

Finding OnProblem(const char* check, const Problem& problem) {
  std::string hint(absl::StripSuffix(problem.hint, "\n"));
  hint.erase(0, hint.find_first_not_of(' '));
  return {.health = Health::kFail,
          .check = check,
          .what = absl::StrCat(problem.reason, problem.reason.empty() ? "" : ": ", problem.message),
          .fix = OneLine(hint)};
}

Pieces FindingText(const Finding& finding) {
  constexpr int kHealthColumns = 6;
  constexpr int kCheckColumns = 10;
  const Hue hue = finding.health == Health::kOk     ? Hue::kGood
                  : finding.health == Health::kWarn ? Hue::kOdd
                                                    : Hue::kBad;
  std::string text = absl::StrCat(Pad(finding.check, kCheckColumns), finding.what, "\n");
  if (!finding.fix.empty()) {
    absl::StrAppend(&text, std::string(kHealthColumns + kCheckColumns, ' '), "-> ", finding.fix,
                    "\n");
  }
  return {{Pad(HealthWord(finding.health), kHealthColumns), hue}, {text}};
}

std::string FindingLine(const Finding& finding) {
  return JsonObject()
             .Text("check", finding.check)
             .Text("health", HealthWord(finding.health))
             .Text("message", finding.what)
             .Text("fix", finding.fix)
             .Done() +
         "\n";
}

}  // namespace pictory_jobs::cli
