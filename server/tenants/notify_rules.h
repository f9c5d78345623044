// NotifyRules say whether and where a receiver of a tenant's own is told that a job has ended.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::tenants {

struct NotifyRules {
  std::string url;  // of jobs that name none; empty: they are told nowhere
  // To whose URLs a submit may have its job told: `host:port`.
  std::vector<std::string> hosts;
  // Those of the hosts, or that of `url`, that may be inside: `host:port`.
  std::vector<std::string> inside_hosts;
  std::vector<std::string> secret_files;                           // the new one first
  std::set<::pictory::jobs::v1::JobState> states = FinalStates();  // that are told

  bool empty() const { return url.empty() && hosts.empty(); }
  static std::set<::pictory::jobs::v1::JobState> FinalStates();
};

// A host as operators write it (`hooks.example.com`, `10.0.0.5:8443`) as `host:port`; the port is
// 443 where none is named. Empty: it is none. Pure.
std::string HostAndPort(std::string_view written);

// A state as operators write it, one of those below; UNSPECIFIED: it is none. Pure.
::pictory::jobs::v1::JobState StateToTell(std::string_view written);
inline constexpr char kStatesToTell[] =
    "succeeded, failed, expired, cleaned, outcome_unknown, cancelled and unconfirmed";

// What is wrong with rules that are read, in words that follow their name; OK if nothing. Pure.
absl::Status CheckNotifyRules(const NotifyRules& rules);

}  // namespace gateway::tenants
