// How a store that several processes share limits their submits. Such a store counts them itself,
// in the transaction that begins them (Sharing::LimitWith); this is what does not depend on the
// store: what a record counts, and whether what was counted lets one more in.
//
// A window is counted in steps: it ends with the step that is under way, and reaches back as far as
// it is long, to the beginning of the step in which that is. So it never holds less than what was
// counted within its length, and a place is free again up to a step later than that.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/limits.h"
#include "jobs/job.h"
#include "tenants/tenants.h"

namespace gateway::jobs {

// The limits of a submit: those of its tenant, and those of all tenants together. 0 is no limit.
struct SubmitLimits {
  int all_per_minute = 0;
  int all_per_day = 0;
  tenants::TenantLimits tenant;  // with those that every tenant has

  bool of_all() const { return all_per_minute > 0 || all_per_day > 0; }
  bool of_tenant() const {
    return tenant.submits_per_minute > 0 || tenant.submits_per_day > 0 ||
           tenant.credits_per_day > 0 || tenant.active_jobs > 0;
  }
};

// Looks up the limits of a tenant as they are now. Called on a thread of the store.
using SubmitLimitsOf = std::function<SubmitLimits(const std::string& tenant)>;

// What a record counts in the windows. One that waits counts by being there, in those of a day.
struct CountedSpending {
  bool spent = false;   // it may have cost money; if not, the rest is 0
  double credits = 0;   // that it used, or may use
  double reserved = 0;  // of them, those of which Pictory has not told

  bool operator==(const CountedSpending&) const = default;
};
CountedSpending CountedOf(const JobRecord& record);

// Whether the record is that of a job which waited and is sent by the change that makes it so.
bool IsSentAfterWaiting(const JobRecord& record);

// The windows of a minute and of a day.
struct SpendingWindow {
  Duration length;
  Duration step;
  const char* name;

  // The beginning of the step in which this time is.
  WallTime StepOf(WallTime time) const {
    return time - time.time_since_epoch() % std::chrono::duration_cast<WallTime::duration>(step);
  }
  // The beginning of the first step of the window that ends now.
  WallTime FirstStep(WallTime now) const {
    return StepOf(now - std::chrono::duration_cast<WallTime::duration>(length));
  }
};
inline constexpr SpendingWindow kShortWindow{std::chrono::minutes(1), limits::kSpendingShortStep,
                                             "minute"};
inline constexpr SpendingWindow kLongWindow{limits::kSpendingWindow, limits::kSpendingLongStep,
                                            "day"};

// What is counted of one tenant, or of all.
struct SpentSums {
  struct Step {
    std::int64_t submits = 0;
    double credits = 0;
  };
  using Steps = std::map<WallTime, Step>;  // by their beginning

  Steps day;     // of kLongWindow
  Steps minute;  // of kShortWindow
  std::int64_t waiting = 0;
  double waiting_credits = 0;  // that those may use
  std::int64_t active = 0;     // jobs that have not ended

  void Add(WallTime when, std::int64_t submits, double credits);
};

// SpendingCheck decides about submits one after the other.
class SpendingCheck {
 public:
  explicit SpendingCheck(WallTime now) : now_(now) {}

  // What was counted before; all tenants together have the empty name.
  SpentSums& Of(const std::string& tenant) { return sums_[tenant]; }

  // Counts the submit with this record; or counts nothing, and says why it must not be:
  // RESOURCE_EXHAUSTED.
  absl::Status Take(const JobRecord& record, const SubmitLimits& limits);

 private:
  const WallTime now_;
  std::map<std::string, SpentSums> sums_;
};

}  // namespace gateway::jobs
