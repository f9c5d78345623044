// Bodies of answers, and parts of them.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "http/server_head.h"
#include "server_test_support.h"

namespace gateway::http::test {
namespace {

class RangeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ =
        std::filesystem::path(::testing::TempDir()) / ("server_test_" + std::to_string(::getpid()));
    std::string text;
    for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i) + " ";
    std::ofstream(file_, std::ios::binary) << text;
    text_ = text;
    server_ = Serve([this](ServerRequest, Responder responder) {
      ServerResponse response;
      response.headers.push_back({"Content-Type", "video/mp4"});
      response.body = *FileBody(file_);
      response.ranges = true;
      response.etag = "\"v1\"";
      responder.Send(std::move(response));
    });
  }
  void TearDown() override { std::filesystem::remove(file_); }
  PlainReply Get(const std::string& range, const std::string& method = "GET") {
    PlainClient client(server_->port());
    return client.Call(method, "/", "", range.empty() ? "" : "Range: " + range + "\r\n");
  }

  std::filesystem::path file_;
  std::string text_;
  std::unique_ptr<Server> server_;
};

TEST_F(RangeTest, SendsWholeFilesAndParts) {
  const PlainReply whole = Get("");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.headers.at("accept-ranges"), "bytes");
  EXPECT_EQ(whole.body, text_);
  const PlainReply middle = Get("bytes=100000-200000");
  EXPECT_EQ(middle.status, 206);
  EXPECT_EQ(middle.body, text_.substr(100'000, 100'001));
  EXPECT_EQ(middle.headers.at("content-range"),
            "bytes 100000-200000/" + std::to_string(text_.size()));
  EXPECT_EQ(Get("bytes=5-").body, text_.substr(5));
  EXPECT_EQ(Get("bytes=-5").body, text_.substr(text_.size() - 5));
}

TEST_F(RangeTest, APartIsOfTheBodyThatThePeerHasBegunOrTheWholeIsSent) {
  const auto of = [this](const std::string& tag) {
    PlainClient client(server_->port());
    return client.Call("GET", "/", "", "Range: bytes=5-\r\nIf-Range: " + tag + "\r\n");
  };
  EXPECT_EQ(Get("").headers.at("etag"), "\"v1\"");
  EXPECT_EQ(of("\"v1\"").status, 206);
  EXPECT_EQ(of("\"v2\"").status, 200);
  EXPECT_EQ(of("\"v2\"").body, text_);
  EXPECT_EQ(of("Mon, 02 Nov 2026 10:00:00 GMT").status, 200) << "no date was ever told";
}

TEST_F(RangeTest, AnswersHeadWithoutABody) {
  const PlainReply head = Get("", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), std::to_string(text_.size()));
  EXPECT_EQ(head.body, "");
}

TEST_F(RangeTest, TellsWhatCannotBeHad) {
  const PlainReply reply = Get("bytes=999999999-");
  EXPECT_EQ(reply.status, 416);
  EXPECT_EQ(reply.headers.at("content-range"), "bytes */" + std::to_string(text_.size()));
}

TEST(ParseRangeTest, Table) {
  using Kind = RangeAnswer::Kind;
  const struct {
    const char* value;
    Kind kind;
    std::uint64_t first, count;
  } kCases[] = {
      {"bytes=0-0", Kind::kPart, 0, 1},
      {"bytes=0-9", Kind::kPart, 0, 10},
      {"bytes=9-", Kind::kPart, 9, 1},
      {"bytes=2-1000", Kind::kPart, 2, 8},
      {"bytes=-3", Kind::kPart, 7, 3},
      {"bytes=-1000", Kind::kPart, 0, 10},
      {"bytes=10-", Kind::kUnsatisfiable, 0, 0},
      {"bytes=-0", Kind::kUnsatisfiable, 0, 0},
      {"bytes=5-2", Kind::kWhole, 0, 0},
      {"bytes=0-1,3-4", Kind::kWhole, 0, 0},
      {"bytes=a-b", Kind::kWhole, 0, 0},
      {"bytes=99999999999999999999-", Kind::kWhole, 0, 0},
      {"bytes=", Kind::kWhole, 0, 0},
      {"bytes=-", Kind::kWhole, 0, 0},
      {"lines=0-1", Kind::kWhole, 0, 0},
      {"", Kind::kWhole, 0, 0},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.value);
    const RangeAnswer answer = ParseRange(one.value, 10);
    EXPECT_EQ(answer.kind, one.kind);
    EXPECT_EQ(answer.part.first, one.first);
    EXPECT_EQ(answer.part.count, one.count);
  }
}

TEST(WriteHeadTest, LeavesOutHeadersThatWouldBreakOut) {
  ServerResponse response;
  response.headers = {{"Location", "/a\r\nSet-Cookie: x"}, {"X-Good", "yes"}};
  const std::string head = WriteHead(response, 404, 3, "", true, WallTime());
  EXPECT_EQ(head,
            "HTTP/1.1 404 Not Found\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nX-Good: yes\r\n"
            "Content-Length: 3\r\nConnection: keep-alive\r\n\r\n");
}

TEST(BodyTest, RepeatsAPatternBetweenHeadAndTail) {
  const auto body = RepeatingBody("<", "ab", ">", 8);
  std::string text(8, '?');
  ASSERT_TRUE(body->Read(0, text.data(), 8));
  EXPECT_EQ(text, "<ababab>");
  std::string part(3, '?');
  ASSERT_TRUE(body->Read(5, part.data(), 3));
  EXPECT_EQ(part, "ab>");
}

TEST(BodyTest, AMissingFileIsAnError) {
  EXPECT_FALSE(FileBody("/nonexistent/file").ok());
  EXPECT_FALSE(FileBody("/tmp").ok());
}

}  // namespace
}  // namespace gateway::http::test
