// JobKey is the name of a job inside the gateway. It always carries the tenant.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace gateway::jobs {

struct JobKey {
  std::string tenant;
  std::string id;  // a job_id or a request_id, as the holder says

  auto operator<=>(const JobKey&) const = default;
};

// JobKeyView is a JobKey that owns nothing: it looks something up by a name that somebody else
// keeps. Equal keys and views have the same hash.
struct JobKeyView {
  std::string_view tenant;
  std::string_view id;

  bool operator==(const JobKeyView&) const = default;
};

inline JobKeyView ViewOf(const JobKey& key) { return {key.tenant, key.id}; }

}  // namespace gateway::jobs

template <>
struct std::hash<gateway::jobs::JobKeyView> {
  std::size_t operator()(const gateway::jobs::JobKeyView& key) const noexcept {
    const std::size_t tenant = std::hash<std::string_view>()(key.tenant);
    return tenant ^ (std::hash<std::string_view>()(key.id) + 0x9e3779b97f4a7c15ULL + (tenant << 6));
  }
};

template <>
struct std::hash<gateway::jobs::JobKey> {
  std::size_t operator()(const gateway::jobs::JobKey& key) const noexcept {
    return std::hash<gateway::jobs::JobKeyView>()(ViewOf(key));
  }
};
