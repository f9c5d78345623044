#include "pictory/errors_table.h"

#include "absl/strings/str_cat.h"

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

std::string ErrorTableMarkdown() {
  std::string text =
      "| HTTP status | Pictory `error_code` | gRPC code | Reason | Try again? | Meaning |\n"
      "|--|--|--|--|--|--|\n";
  for (const ErrorRow& row : kErrorTable) {
    const bool open = row.code == absl::StatusCode::kOk;
    std::string status = absl::StrCat(row.http_from);
    if (row.http_to != row.http_from) absl::StrAppend(&status, "–", row.http_to);
    if (row.http_from == 0) status = "anything else, or none";
    absl::StrAppend(&text, "| ", status, " | ", row.pictory_code.empty() ? "" : "`",
                    std::string(row.pictory_code), row.pictory_code.empty() ? "" : "`", " | ",
                    open ? "OK, job UNCONFIRMED" : absl::StatusCodeToString(row.code), " | ",
                    open ? "" : absl::StrCat("`", std::string(row.reason), "`"), " | ",
                    std::string(RetryName(row.retry)), " | ", std::string(row.meaning), " |\n");
  }
  return text;
}

}  // namespace gateway::pictory
