#include "pictory/errors_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace gateway::pictory {
namespace {

TEST(ErrorTable, FirstFittingRowDecides) {
  EXPECT_EQ(FindErrorRow(400, "").reason, "UPSTREAM_INVALID");
  EXPECT_EQ(FindErrorRow(400, "INSUFFICIENT_CREDITS").code, absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(FindErrorRow(200, "INSUFFICIENT_CREDITS").reason, "UPSTREAM_CREDITS");
  EXPECT_EQ(FindErrorRow(200, "5000").code, absl::StatusCode::kNotFound);
  EXPECT_EQ(FindErrorRow(401, "INSUFFICIENT_CREDITS").reason, "UPSTREAM_CREDENTIALS");
  EXPECT_EQ(FindErrorRow(418, "").reason, "UPSTREAM_REFUSED");
  EXPECT_EQ(FindErrorRow(201, "890").reason, "UPSTREAM_REFUSED");
  EXPECT_EQ(FindErrorRow(429, "").retry, Retry::kLater);
}

TEST(ErrorTable, OutcomeStaysOpenWhereThePostMayHaveWorked) {
  for (const int status :
       {0, 100, 301, 302, 307, 408, 409, 425, 500, 501, 502, 503, 504, 520, 599}) {
    EXPECT_TRUE(LeavesOutcomeOpen(status)) << status;
  }
  for (const int status :
       {200, 201, 202, 204, 400, 401, 402, 403, 404, 405, 413, 415, 422, 429, 451}) {
    EXPECT_FALSE(LeavesOutcomeOpen(status)) << status;
  }
  // Whatever their bodies say.
  EXPECT_EQ(FindErrorRow(500, "INSUFFICIENT_CREDITS").retry, Retry::kNever);
  EXPECT_EQ(FindErrorRow(409, "INVALID_REQUEST_BODY").retry, Retry::kNever);
}

TEST(ErrorTable, EveryRowIsReachableAndWhole) {
  for (const ErrorRow& row : kErrorTable) {
    EXPECT_LE(row.http_from, row.http_to);
    EXPECT_FALSE(row.meaning.empty());
    EXPECT_FALSE(RetryName(row.retry).empty());
    EXPECT_EQ(row.reason.empty(), row.code == absl::StatusCode::kOk) << row.meaning;
    EXPECT_EQ(row.retry == Retry::kNever, row.code == absl::StatusCode::kOk) << row.meaning;
    bool reached = false;
    for (int status = row.http_from; status <= row.http_to && !reached; ++status) {
      reached = &FindErrorRow(status, row.pictory_code) == &row;
    }
    EXPECT_TRUE(reached) << row.http_from << " " << row.pictory_code;
  }
}

TEST(ErrorTable, MarkdownHasARowForEachRow) {
  const std::string text = ErrorTableMarkdown();
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  EXPECT_EQ(lines, kErrorTable.size() + 2);
  EXPECT_NE(
      text.find(
          "| 200–499 | `INSUFFICIENT_CREDITS` | RESOURCE_EXHAUSTED | `UPSTREAM_CREDITS` | no |"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("| 500–599 |  | OK, job UNCONFIRMED |  | never; watch the job |"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace gateway::pictory
