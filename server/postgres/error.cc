#include "postgres/error.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"

namespace gateway::postgres {
namespace {

template <std::size_t N>
bool IsOneOf(std::string_view state, const std::array<std::string_view, N>& states) {
  return std::find(states.begin(), states.end(), state) != states.end();
}

// Serialization failure, deadlock, lock not available.
constexpr std::array<std::string_view, 3> kRunAgain = {"40001", "40P01", "55P03"};
// The server is told to end, has crashed, starts; the transaction is read-only: an old primary; the
// next connection knows what became of a COMMIT.
constexpr std::array<std::string_view, 7> kConnectAgain = {
    "57P01", "57P02", "57P03", "57P05", "25006", "25P03", Error::kOutcomeUnknown};

}  // namespace

bool Error::ShouldRunAgain() const { return IsOneOf(sqlstate_, kRunAgain); }

bool Error::NeedsConnection() const {
  return sqlstate_.empty() || IsOfClass("08") || IsOneOf(sqlstate_, kConnectAgain);
}

bool Error::IsRolledBack() const {
  return (IsOfClass("23") || IsOfClass("40")) && !LeavesCommitUnknown();
}

bool Error::IsOfTheData() const { return IsOfClass("22") || IsOfClass("23") || IsOfClass("54"); }

std::string Describe(const Error& error) {
  if (error.sqlstate().empty()) return error.what();
  return absl::StrCat(error.what(), " (SQLSTATE ", error.sqlstate(), ")");
}

absl::Status ToStatus(const Error& error) {
  if (error.sqlstate() == "23505") {
    const char* what = error.constraint() == "jobs_by_pictory_id" ? "Pictory job id"
                       : error.constraint() == "jobs_by_request"  ? "request id"
                                                                  : "id";
    return absl::AlreadyExistsError(absl::StrCat("A job with this ", what, " is known already"));
  }
  if (error.IsOfTheData()) {
    return errors::Internal(absl::StrCat(
        "The gateway's job store refuses what was to be stored (SQLSTATE ", error.sqlstate(), ")"));
  }
  return errors::StoreAway(limits::kStoreRetryAfter);
}

}  // namespace gateway::postgres
