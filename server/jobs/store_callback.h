// How a store answers: an answer or an error, once. See jobs/store.h.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gateway::jobs {

template <class T>
using StoreCallback = std::function<void(absl::StatusOr<T>)>;
using StoreDone = std::function<void(absl::Status)>;

}  // namespace gateway::jobs
