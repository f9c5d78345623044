#include "face/status_json.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/reasons.h"

namespace gateway::face {
namespace {

std::string ValueOf(const http::ServerResponse& response, std::string_view name) {
  for (const auto& header : response.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

struct CodeRow {
  absl::StatusCode code;
  int status;
};

TEST(StatusJsonTest, EveryCodeHasItsHttpStatus) {
  using absl::StatusCode;
  for (const CodeRow& row :
       {CodeRow{StatusCode::kOk, 200}, CodeRow{StatusCode::kCancelled, 499},
        CodeRow{StatusCode::kUnknown, 500}, CodeRow{StatusCode::kInvalidArgument, 400},
        CodeRow{StatusCode::kDeadlineExceeded, 504}, CodeRow{StatusCode::kNotFound, 404},
        CodeRow{StatusCode::kAlreadyExists, 409}, CodeRow{StatusCode::kPermissionDenied, 403},
        CodeRow{StatusCode::kUnauthenticated, 401}, CodeRow{StatusCode::kResourceExhausted, 429},
        CodeRow{StatusCode::kFailedPrecondition, 400}, CodeRow{StatusCode::kAborted, 409},
        CodeRow{StatusCode::kOutOfRange, 400}, CodeRow{StatusCode::kUnimplemented, 501},
        CodeRow{StatusCode::kInternal, 500}, CodeRow{StatusCode::kUnavailable, 503},
        CodeRow{StatusCode::kDataLoss, 500}}) {
    EXPECT_EQ(HttpStatusOf(absl::Status(row.code, "x")), row.status);
  }
}

TEST(StatusJsonTest, SomeReasonsHaveAWordOfTheirOwn) {
  EXPECT_EQ(HttpStatusOf(errors::RequestTooLarge(2, 1)), 413);
  EXPECT_EQ(HttpStatusOf(errors::MetadataTooLarge(2, 1)), 431);
  EXPECT_EQ(HttpStatusOf(errors::RequestLate(std::chrono::seconds(1))), 408);
  EXPECT_EQ(HttpStatusOf(errors::MethodNotAllowed("PUT", "GET")), 405);
  EXPECT_EQ(HttpStatusOf(errors::NotJson("x")), 415);
  EXPECT_EQ(HttpStatusOf(errors::NotAcceptable("x", "y")), 406);
  EXPECT_EQ(HttpStatusOf(errors::RangeNotThere(1)), 416);
  EXPECT_EQ(HttpStatusOf(errors::HostUnknown("x")), 421);
  EXPECT_EQ(HttpStatusOf(errors::PageNotAllowed("x")), 403);
}

TEST(StatusJsonTest, WritesTheDetails) {
  EXPECT_EQ(StatusJson(errors::Invalid("file_url", "must be \"https\"")),
            R"({"code":3,"message":"file_url: must be \"https\"","details":[)"
            R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"INVALID_REQUEST",)"
            R"("domain":"pictory-gateway","metadata":{}},)"
            R"({"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[)"
            R"({"field":"file_url","description":"must be \"https\""}]}]})");
}

TEST(StatusJsonTest, SaysWhenToComeAgain) {
  const auto response = ErrorResponse(errors::Draining(std::chrono::milliseconds(1250)));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(ValueOf(response, "Retry-After"), "2");
  EXPECT_NE(
      StatusJson(errors::Draining(std::chrono::milliseconds(1250))).find(R"("retryDelay":"1.25s")"),
      std::string::npos);
  EXPECT_EQ(ValueOf(ErrorResponse(errors::Internal("x")), "Retry-After"), "");
  EXPECT_EQ(ValueOf(ErrorResponse(errors::CallerUnknown("x")), "WWW-Authenticate"), "Bearer");
}

}  // namespace
}  // namespace gateway::face
