// The name of a job inside the gateway: never without its tenant.
#pragma once

#include <functional>
#include <string>

namespace gateway::jobs {

struct JobKey {
  std::string tenant;
  std::string id;  // a job_id or a request_id, as the holder says

  bool operator==(const JobKey&) const = default;
};

}  // namespace gateway::jobs

template <>
struct std::hash<gateway::jobs::JobKey> {
  std::size_t operator()(const gateway::jobs::JobKey& key) const noexcept {
    const std::size_t tenant = std::hash<std::string>()(key.tenant);
    return tenant ^ (std::hash<std::string>()(key.id) + 0x9e3779b97f4a7c15ULL + (tenant << 6));
  }
};
