#include "notify/destination.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "pictory/url_rules.h"

namespace gateway::notify {
namespace {

bool Has(const std::vector<std::string>& hosts, const std::string& host) {
  return std::find(hosts.begin(), hosts.end(), host) != hosts.end();
}

}  // namespace

absl::StatusOr<Destination> DestinationOf(const std::string& url, const tenants::NotifyRules& rules,
                                          bool loopback) {
  const auto refuse = [](const auto&... words) {
    return absl::FailedPreconditionError(absl::StrCat(words...));
  };
  const bool own = url.empty();
  Destination to{.url = own ? rules.url : url};
  if (to.url.empty()) return refuse("is not set any more");
  to.host = pictory::HostAndPortOf(to.url);
  const bool inside = Has(rules.inside_hosts, to.host);
  const std::string problem =
      inside ? pictory::UrlFormProblem(to.url, limits::kNotifyUrlMaxBytes)
             : pictory::UrlProblem(to.url, loopback, limits::kNotifyUrlMaxBytes);
  if (!problem.empty()) return refuse(problem);
  if (!own && !Has(rules.hosts, to.host)) {
    return refuse("names a host that the operator has not allowed (notify_hosts)");
  }
  if (rules.secret_files.empty()) return refuse("is there, and no secret to sign with");
  const bool here =
      !inside &&
      !pictory::UrlProblem(to.url, /*allow_loopback=*/false, limits::kNotifyUrlMaxBytes).empty();
  to.reach = inside ? http::Reach::kAnywhere : here ? http::Reach::kLoopback : http::Reach::kPublic;
  return to;
}

}  // namespace gateway::notify
