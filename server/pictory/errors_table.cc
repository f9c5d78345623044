#include "pictory/errors_table.h"

namespace gateway::pictory {

const ErrorRow& FindErrorRow(int http_status, std::string_view pictory_code) {
  for (const ErrorRow& row : kErrorTable) {
    const bool status_fits = http_status >= row.http_from && http_status <= row.http_to;
    const bool code_fits = row.pictory_code.empty() || row.pictory_code == pictory_code;
    if (status_fits && code_fits) return row;
  }
  return kErrorTable.back();
}

bool LeavesOutcomeOpen(int http_status) {
  return FindErrorRow(http_status, "").code == absl::StatusCode::kOk;
}

std::string_view RetryName(Retry retry) {
  switch (retry) {
    case Retry::kNo:
      return "no";
    case Retry::kLater:
      return "after the delay";
    case Retry::kFix:
      return "after the operator acted";
    case Retry::kNever:
      return "never; watch the job";
  }
  return "";
}

}  // namespace gateway::pictory
