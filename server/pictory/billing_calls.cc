#include "pictory/billing_calls.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "json/check.h"
#include "pictory/reading.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

}  // namespace

void CheckMonth(const v1::GetAccountRequest& request, Violations& violations) {
  if (request.year() == 0 && request.month() == 0) return;
  if (request.year() == 0 || request.month() == 0) {
    violations.Add(request.year() == 0 ? "year" : "month",
                   "is required: a month needs both year and month, the present one neither");
    return;
  }
  if (request.year() < 2000 || request.year() > 9999) {
    violations.Add("year", "must be a year, such as 2026");
  }
  if (request.month() < 1 || request.month() > 12) violations.Add("month", "must be 1 to 12");
}

FreeCall QuotaCall() {
  FreeCall call;
  call.path = "/v1/quota";
  return call;
}

absl::Status ReadQuota(std::string_view body, v1::GetAccountResponse& account) {
  v1::Quota& quota = *account.mutable_quota();
  const absl::StatusOr<json::ReadStats> read = json::Read(body, &quota, FreeReading());
  if (!read.ok()) return Unreadable("quota", std::string(read.status().message()));
  if (read->message_type != json::Type::kObject) return Unreadable("quota", "no object");
  const v1::Quota::Count& credits = quota.ai_credits();
  if (credits.has_used() && credits.has_limit()) {
    account.set_ai_credits_left(std::max(0.0, credits.limit() - credits.used()));
  }
  return absl::OkStatus();
}

FreeCall ChargesCall(const v1::GetAccountRequest& request) {
  FreeCall call;
  call.path = "/v1/aicredits/usage";
  if (request.year() != 0) {
    absl::StrAppend(&call.path, "?year=", request.year(), "&month=", request.month());
  }
  call.max_reply_bytes = limits::kFreeReplyMaxBytes;
  return call;
}

absl::Status ReadCharges(std::string_view body, v1::GetAccountResponse& account) {
  constexpr std::string_view kWhat = "list of charges";
  json::Outline list;
  list.elements = false;
  const absl::Status checked = json::Check(body, FreeReplyLimits(), &list);
  if (!checked.ok()) return Unreadable(kWhat, std::string(checked.message()));
  if (list.type != json::Type::kArray) return Unreadable(kWhat, "no list");
  double charged = 0;
  double granted = 0;
  std::size_t bytes = 0;
  for (const std::string_view element : json::Elements(list.root)) {
    v1::CreditTransaction transaction;
    const absl::StatusOr<json::ReadStats> read = json::Read(element, &transaction, FreeReading());
    if (!read.ok() || read->message_type != json::Type::kObject) {
      return Unreadable(kWhat, "a charge is none");
    }
    if (transaction.type() == "debit") charged += transaction.amount();
    if (transaction.type() == "credit") granted += transaction.amount();
    bytes += transaction.ByteSizeLong();
    if (account.transactions_size() < limits::kTransactionsMax &&
        bytes <= limits::kListAnswerMaxBytes) {
      *account.add_transactions() = std::move(transaction);
    } else {
      account.set_omitted_transactions(account.omitted_transactions() + 1);
    }
  }
  account.set_credits_charged(charged);
  account.set_credits_granted(granted);
  return absl::OkStatus();
}

}  // namespace gateway::pictory
