#include "mcp/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "mcp/mcp_house.h"

namespace gateway::mcp {
namespace {

using ::testing::HasSubstr;

std::string TextOf(const http::ServerResponse& response) {
  if (response.body == nullptr) return "";
  std::string text(response.body->size(), '\0');
  EXPECT_TRUE(response.body->Read(0, text.data(), text.size()));
  return text;
}

http::ServerRequest Post(std::string body, std::vector<http::Header> headers = {}) {
  http::ServerRequest request;
  request.method = "POST";
  request.body = std::move(body);
  request.headers = std::move(headers);
  return request;
}

std::vector<http::Header> HeadersOf(const std::string& method, const std::string& name = "") {
  std::vector<http::Header> headers = {{"mcp-protocol-version", "2026-07-28"},
                                       {"mcp-method", method}};
  if (!name.empty()) headers.push_back({"mcp-name", name});
  return headers;
}

TEST(AnswerPost, TakesMessagesOfBothKinds) {
  House house({});
  const auto modern = AnswerPost(house.server, Post(Modern("tools/list"), HeadersOf("tools/list")));
  EXPECT_EQ(modern.status, 200);
  EXPECT_THAT(TextOf(modern), HasSubstr("create_preview"));
  EXPECT_EQ(AnswerPost(house.server, Post(Older("ping"))).status, 200);
  EXPECT_EQ(
      AnswerPost(house.server, Post(R"({"jsonrpc":"2.0","method":"notifications/x"})")).status,
      202);
}

TEST(AnswerPost, HeadersMustSayWhatTheBodySays) {
  House house({});
  const std::string call = Modern("tools/call", CallOf("no_such", "{}"));
  const std::vector<std::vector<http::Header>> wrong = {{},
                                                        HeadersOf("tools/list", "no_such"),
                                                        HeadersOf("tools/call", "other"),
                                                        HeadersOf("tools/call"),
                                                        {{"mcp-protocol-version", "2025-11-25"},
                                                         {"mcp-method", "tools/call"},
                                                         {"mcp-name", "no_such"}},
                                                        {{"mcp-protocol-version", "2026-07-28"},
                                                         {"mcp-method", "tools/call"},
                                                         {"mcp-method", "tools/call"},
                                                         {"mcp-name", "no_such"}}};
  for (const auto& headers : wrong) {
    const auto answer = AnswerPost(house.server, Post(call, headers));
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(TextOf(answer), HasSubstr("-32020"));
  }
  for (const char* const name : {"no_such", "=?base64?bm9fc3VjaA==?="}) {
    EXPECT_THAT(TextOf(AnswerPost(house.server, Post(call, HeadersOf("tools/call", name)))),
                HasSubstr("-32602"));
  }
}

TEST(AnswerPost, ErrorsHaveTheStatusOfTheProtocol) {
  House house({});
  EXPECT_EQ(AnswerPost(house.server, Post("{")).status, 400);
  EXPECT_EQ(AnswerPost(house.server, Post("[]")).status, 400);
  EXPECT_EQ(AnswerPost(house.server, Post(Modern("no/such"), HeadersOf("no/such"))).status, 404);
  EXPECT_EQ(AnswerPost(house.server, Post(Older("no/such"))).status, 200);
}

TEST(AnswerPost, AsksNothingOfOlderVersions) {
  fake::Handlers handlers;
  House house(std::move(handlers), {});
  AnswerPost(house.server, Post(Older("initialize", R"({"capabilities":{"elicitation":{}}})")));
  EXPECT_THAT(TextOf(AnswerPost(
                  house.server,
                  Post(Older("tools/call",
                             R"({"name":"generate_image","arguments":{"prompt":"a house"}})")))),
              HasSubstr("CONFIRMATION_NEEDED"));
}

}  // namespace
}  // namespace gateway::mcp
