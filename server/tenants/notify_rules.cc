#include "tenants/notify_rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/host_port.h"
#include "base/limits.h"
#include "pictory/url_rules.h"

namespace gateway::tenants {

namespace v1 = ::pictory::jobs::v1;

namespace {

struct StateWord {
  std::string_view word;
  v1::JobState state;
};
constexpr StateWord kUnconfirmed = {"unconfirmed", v1::JOB_STATE_UNCONFIRMED};
constexpr StateWord kFinal[] = {{"succeeded", v1::JOB_STATE_SUCCEEDED},
                                {"failed", v1::JOB_STATE_FAILED},
                                {"expired", v1::JOB_STATE_EXPIRED},
                                {"cleaned", v1::JOB_STATE_CLEANED},
                                {"outcome_unknown", v1::JOB_STATE_OUTCOME_UNKNOWN},
                                {"cancelled", v1::JOB_STATE_CANCELLED}};

}  // namespace

std::set<v1::JobState> NotifyRules::FinalStates() {
  std::set<v1::JobState> states;
  for (const StateWord& each : kFinal) states.insert(each.state);
  return states;
}

std::string HostAndPort(std::string_view written) {
  if (written.find_first_of("/?#@\\ ") != std::string_view::npos) return "";
  const bool has_port =
      written.rfind(':') != std::string_view::npos &&
      (written.find(']') == std::string_view::npos ? true : written.rfind(':') > written.find(']'));
  const std::string whole = has_port ? std::string(written) : std::string(written) + ":443";
  const absl::StatusOr<HostPort> parsed = ParseHostPort(whole);
  if (!parsed.ok() || parsed->port == 0) return "";
  return pictory::HostAndPortOf("https://" + whole);
}

v1::JobState StateToTell(std::string_view written) {
  if (written == kUnconfirmed.word) return kUnconfirmed.state;
  for (const StateWord& each : kFinal) {
    if (written == each.word) return each.state;
  }
  return v1::JOB_STATE_UNSPECIFIED;
}

absl::Status CheckNotifyRules(const NotifyRules& rules) {
  const auto wrong = [](const auto&... words) {
    return absl::InvalidArgumentError(absl::StrCat(words...));
  };
  if (rules.empty()) {
    if (rules.inside_hosts.empty() && rules.secret_files.empty()) return absl::OkStatus();
    return wrong("needs a URL, or hosts that submits may name");
  }
  if (rules.secret_files.empty() || rules.secret_files.size() > limits::kNotifySecretsMax) {
    return wrong("needs the file of a secret to sign with, or of two while one is replaced");
  }
  if (rules.hosts.size() + rules.inside_hosts.size() > limits::kNotifyHostsMax) {
    return wrong("names more than ", limits::kNotifyHostsMax, " hosts");
  }
  if (rules.url.empty()) return absl::OkStatus();
  const auto& inside = rules.inside_hosts;
  const bool named =
      std::find(inside.begin(), inside.end(), pictory::HostAndPortOf(rules.url)) != inside.end();
  const std::string problem =
      named ? pictory::UrlFormProblem(rules.url, limits::kNotifyUrlMaxBytes)
            : pictory::UrlProblem(rules.url, /*allow_loopback=*/true, limits::kNotifyUrlMaxBytes);
  return problem.empty() ? absl::OkStatus() : wrong("has a URL that ", problem);
}

}  // namespace gateway::tenants
