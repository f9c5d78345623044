// What a refusal says of the limit it is about: its QuotaFailure, as callers get it.
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"

namespace gateway::test {

// Subject and description; both are empty if there is not exactly one violation.
inline std::pair<std::string, std::string> QuotaOf(const absl::Status& refusal) {
  const auto payload = refusal.GetPayload("type.googleapis.com/google.rpc.QuotaFailure");
  ::pictory::jobs::internal::v1::QuotaFailure quota;
  if (!payload.has_value() || !quota.ParseFromString(std::string(*payload)) ||
      quota.violations_size() != 1) {
    return {};
  }
  return {quota.violations(0).subject(), quota.violations(0).description()};
}

}  // namespace gateway::test
