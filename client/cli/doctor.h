// These functions judge what `pictory doctor` has found: whether it is well, and what to do about
// it if it is not. Pure.
#pragma once

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "paint.h"
#include "pictory_jobs/job.h"
#include "problem.h"

namespace pictory_jobs::cli {

enum class Health { kOk, kWarn, kFail };

struct Finding {
  Health health = Health::kOk;
  const char* check = "";
  std::string what;
  std::string fix;  // what to do; empty where nothing is
};

Finding OnVersions(const std::string& own, const std::string& gateways);
Finding OnIdentity(const GetServerInfoResponse& info);
// `ahead` is by how much the gateway's clock is ahead of ours, give or take `unsure`.
Finding OnClock(std::chrono::milliseconds ahead, std::chrono::milliseconds unsure);
Finding OnStore(const GetServerInfoResponse& info);
Finding OnLoad(const GetServerInfoResponse& info);
// `asked` is how a free question to Pictory through the gateway ended, and after how long.
Finding OnPictory(const GetServerInfoResponse& info, const absl::Status& asked,
                  std::chrono::milliseconds took);
Finding OnBudget(const GetUsageResponse& usage);
// A quiet stream was to be held open for `wanted`; it was for `held`, and `end` says why no longer.
Finding OnStream(std::chrono::milliseconds wanted, std::chrono::milliseconds held,
                 const absl::Status& end);
// A call failed that all the others need.
Finding OnProblem(const char* check, const Problem& problem);

// `OK    clock     …`, and a line with what to do.
Pieces FindingText(const Finding& finding);
// `{"check":…,"health":"OK","message":…,"fix":…}` and a newline.
std::string FindingLine(const Finding& finding);

}  // namespace pictory_jobs::cli
