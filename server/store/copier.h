// These functions move what a store holds to another one, of any kind, while no gateway runs.
//
// The source is marked first, so that no gateway starts on it from then on, and the target until it
// has everything. Both marks are durable, and every step is one transaction, so that a copy that is
// killed at any point goes on when it is repeated, and nothing is in no store. A submit that was
// under way when its gateway ended becomes UNCONFIRMED on the way, as at any restart.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "store/copyable.h"

namespace gateway::store {

struct CopyEnd {
  Copyable* store = nullptr;
  std::string place;  // for people
};

struct CopyReport {
  CopyCounts counts;             // read back from the target
  std::int64_t interrupted = 0;  // jobs whose submit was under way
  bool resumed = false;
  bool already = false;  // everything was there before, and no gateway has used it
};

struct CopyHooks {
  // Are called now and then: so many jobs of all have been copied; and read back.
  std::function<void(std::int64_t jobs, std::int64_t of)> copied = [](auto, auto) {};
  std::function<void(std::int64_t jobs, std::int64_t of)> compared = [](auto, auto) {};
};

// FAILED_PRECONDITION, with what to do, if the target holds something else, or the source has been
// moved elsewhere; DATA_LOSS if what is read back differs, and then the source is still the one.
absl::StatusOr<CopyReport> Copy(const CopyEnd& source, const CopyEnd& target, WallTime now,
                                const CopyHooks& hooks);

// Gives up a copy, ended or not, whose target no gateway has used: empties the target, then lets
// gateways use the source again. Without a target, because it is lost, it does the latter only.
absl::Status UndoCopy(const CopyEnd& source, const std::optional<CopyEnd>& target);

}  // namespace gateway::store
