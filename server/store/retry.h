// When to come again for who is refused because a queue of the store is full, or while it closes.
#pragma once

#include <chrono>

namespace gateway::store {

inline constexpr std::chrono::seconds kRetryAfter{1};

}  // namespace gateway::store
