// These functions make the calls for what an account has left and was charged, and read their
// answers. Pure.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "pictory/free_call.h"
#include "pictory/jobs/v1/account.pb.h"
#include "pictory/violations.h"

namespace gateway::pictory {

// Checks that year and month are both given, or neither, and make a month.
void CheckMonth(const ::pictory::jobs::v1::GetAccountRequest& request, Violations& violations);

FreeCall QuotaCall();
// Reads the quota into the answer, with what is left. UNAVAILABLE if it is not readable.
absl::Status ReadQuota(std::string_view body, ::pictory::jobs::v1::GetAccountResponse& account);

// The charges of the month of a request that passed.
FreeCall ChargesCall(const ::pictory::jobs::v1::GetAccountRequest& request);
// Reads them into the answer, with their sums.
absl::Status ReadCharges(std::string_view body, ::pictory::jobs::v1::GetAccountResponse& account);

}  // namespace gateway::pictory
