#include "mcp/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace gateway::mcp {
namespace {

using ::testing::HasSubstr;

Message Read(std::string_view text) {
  auto read = ReadMessage(text);
  EXPECT_TRUE(std::holds_alternative<Message>(read)) << text;
  return std::holds_alternative<Message>(read) ? std::get<Message>(read) : Message();
}

NoMessage Refused(std::string_view text) {
  auto read = ReadMessage(text);
  EXPECT_TRUE(std::holds_alternative<NoMessage>(read)) << text;
  return std::holds_alternative<NoMessage>(read) ? std::get<NoMessage>(read) : NoMessage();
}

TEST(ReadMessage, ReadsRequestsNotificationsAndResponses) {
  const Message request =
      Read(R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"usage"}})");
  EXPECT_EQ(request.id, "7");
  EXPECT_EQ(request.method, "tools/call");
  EXPECT_EQ(TextAt(request.params, "name"), "usage");
  EXPECT_EQ(Read(R"({"jsonrpc":"2.0","id":"a\"b","method":"ping"})").id, R"("a\"b")");
  EXPECT_TRUE(Read(R"({"jsonrpc":"2.0","method":"notifications/initialized"})").IsNotification());
  EXPECT_TRUE(Read(R"({"jsonrpc":"2.0","id":1,"result":{}})").IsResponse());
  EXPECT_TRUE(Read(R"({"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}})").IsResponse());
}

TEST(ReadMessage, TellsWhatIsNoJsonFromWhatIsNoMessage) {
  for (const char* const text : {"{", "nonsense", "", "{\"jsonrpc\":\"2.0\"} {}", "\xFF\xFE"}) {
    EXPECT_EQ(Refused(text).code, ErrorCode::kParse) << text;
  }
  for (const char* const text :
       {"[]", "1", "null", "{}", R"({"jsonrpc":"1.0","id":1,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":null,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":{},"method":"ping"})", R"({"jsonrpc":"2.0","id":1})",
        R"({"jsonrpc":"2.0","id":1,"method":5})", R"({"jsonrpc":"2.0","id":1,"method":"a","x":1})",
        R"({"jsonrpc":"2.0","id":1,"method":"a","params":[]})",
        R"({"jsonrpc":"2.0","id":1,"method":"a","result":{}})"}) {
    EXPECT_EQ(Refused(text).code, ErrorCode::kInvalidRequest) << text;
  }
}

TEST(ReadMessage, NamesTheRequestThatIsWrongIfItCan) {
  EXPECT_EQ(Refused(R"({"jsonrpc":"1.0","id":"x","method":"ping"})").id, R"("x")");
  EXPECT_EQ(Refused(R"({"jsonrpc":"2.0","id":null,"method":"ping"})").id, "null");
}

TEST(ReadMessage, RefusesWhatNestsTooDeep) {
  const std::string deep = R"({"jsonrpc":"2.0","id":1,"method":"a","params":{"a":)" +
                           std::string(100'000, '[') + std::string(100'000, ']') + "}}";
  EXPECT_THAT(Refused(deep).why, HasSubstr("deep"));
}

TEST(Lines, AreOneLine) {
  EXPECT_EQ(ResultLine("1", "{}"), R"({"jsonrpc":"2.0","id":1,"result":{}})");
  EXPECT_EQ(ErrorLine("null", ErrorCode::kParse, "a\nb"),
            R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"a\nb"}})");
  EXPECT_EQ(RequestLine("\"q\"", "elicitation/create", "{}"),
            R"({"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}})");
}

}  // namespace
}  // namespace gateway::mcp
