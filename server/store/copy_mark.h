// CopyMark says in a store which part it has in a copy. It stands in a table `copy`, which only
// stores have that a copy has touched.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "base/clock.h"
#include "jobs/job_key.h"

namespace gateway::store {

struct CopyMark {
  bool target = false;
  std::string copy;    // the same in both stores
  std::string other;   // where the other store is, for people
  std::string source;  // of a target: the name of its source (Copyable::ReadStoreId)
  WallTime begun;
  bool ended = false;
  bool used = false;  // of a target: a gateway has begun to use it
  jobs::JobKey last;  // of a target: the last job that is in it

  bool operator==(const CopyMark&) const = default;
};

// Whether a gateway may use a store with this mark. FAILED_PRECONDITION, with what to do: its jobs
// are in another one, or not all here yet.
absl::Status AdmitGateway(const std::optional<CopyMark>& mark);

}  // namespace gateway::store
