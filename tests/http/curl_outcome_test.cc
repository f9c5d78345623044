// Every way an answer can go wrong, and the outcome it must have.
#include <zlib.h>

#include "gmock/gmock.h"
#include "http/curl_transport.h"
#include "transport_test_support.h"

namespace gateway::http::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

using Script = ScriptedServer::Script;

// The outcome of one paid request whose connection does `script`.
Response Paid(const Script& script, milliseconds timeout = seconds(10), std::size_t cap = 1000) {
  ScriptedServer server(script);
  auto transport = MustCreate(OptionsFor(server.url()));
  Request request = Post("/job", "body");
  request.timeout = timeout;
  request.max_body_bytes = cap;
  Response response = Fetch(*transport, request);
  EXPECT_EQ(server.request_count(), 1);
  return response;
}

// Sends `bytes`, then closes.
Response PaidAnswer(const std::string& bytes) {
  return Paid([&](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(bytes);
    connection.Close();
  });
}

void ExpectUnknown(const Response& response, int status) {
  EXPECT_EQ(response.outcome, Outcome::kUnknown);
  EXPECT_EQ(response.status, status);
  EXPECT_THAT(response.error, Not(IsEmpty()));
}

TEST(OutcomeOf, ARefusedConnectionIsNotSent) {
  ::gateway::test::RefusingPort port;
  auto transport = MustCreate(OptionsFor("http://127.0.0.1:" + std::to_string(port.port())));
  for (const Request& request : {Post("/job", "body"), Get("/job")}) {
    const Response response = Fetch(*transport, request);
    EXPECT_EQ(response.outcome, Outcome::kNotSent);
    EXPECT_EQ(response.status, 0);
    EXPECT_THAT(response.error, HasSubstr("connect"));
  }
}

TEST(OutcomeOf, AResetBeforeTheStatusLineIsUnknown) {
  ExpectUnknown(
      Paid([](ScriptedConnection& connection, const ReceivedRequest&) { connection.Reset(); }), 0);
}

TEST(OutcomeOf, AResetAfterTheStatusLineIsUnknownWithStatus) {
  const Response response = Paid([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    connection.Reset();
  });
  ExpectUnknown(response, 200);
  EXPECT_EQ(response.body, "hello");
}

TEST(OutcomeOf, SilenceAfterSendingIsUnknown) {
  const Response response =
      Paid([](ScriptedConnection& connection, const ReceivedRequest&) { connection.Hold(); },
           milliseconds(30));
  ExpectUnknown(response, 0);
  EXPECT_THAT(response.error, HasSubstr("timed out"));
}

TEST(OutcomeOf, SilenceInTheMiddleIsUnknownWithStatus) {
  const Response response = Paid(
      [](ScriptedConnection& connection, const ReceivedRequest&) {
        connection.Send("HTTP/1.1 500 Oops\r\nContent-Length: 10\r\n\r\n12345");
        connection.Hold();
      },
      milliseconds(50));
  ExpectUnknown(response, 500);
  EXPECT_EQ(response.body, "12345");
}

TEST(OutcomeOf, ACutOrBrokenAnswerIsUnknown) {
  ExpectUnknown(PaidAnswer(""), 0);
  ExpectUnknown(PaidAnswer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"), 200);
  ExpectUnknown(PaidAnswer("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n12345"), 200);
  ExpectUnknown(PaidAnswer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 200);
  ExpectUnknown(PaidAnswer("{\"old\":\"HTTP/0.9\"}"), 0);
  ExpectUnknown(PaidAnswer("SSH-2.0-OpenSSH\r\n"), 0);
  ExpectUnknown(PaidAnswer("HTTP/1.1 100 Continue\r\n\r\n"), 0);
  ExpectUnknown(
      PaidAnswer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"),
      200);
}

TEST(OutcomeOf, ABodyLongerThanAnnouncedEndsWhereItWasAnnounced) {
  const Response response = PaidAnswer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}{}");
  EXPECT_EQ(response.outcome, Outcome::kComplete);
  EXPECT_EQ(response.body, "{}");
}

TEST(OutcomeOf, ABodyUntilTheEndOfTheConnectionIsComplete) {
  const Response response = PaidAnswer("HTTP/1.0 200 OK\r\n\r\nall of it");
  EXPECT_EQ(response.outcome, Outcome::kComplete);
  EXPECT_EQ(response.body, "all of it");
}

TEST(OutcomeOf, TrickledAnswersArriveWhole) {
  const Response response = Paid([](ScriptedConnection& connection, const ReceivedRequest&) {
    for (char c : HttpReply(202, "{\"a\":1}", "X-A: b\r\n")) connection.Send({&c, 1});
  });
  EXPECT_EQ(response.outcome, Outcome::kComplete);
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.body, "{\"a\":1}");
}

TEST(OutcomeOf, OnlyTheFinalResponseIsReported) {
  const Response response = PaidAnswer(
      "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nX-Final: a\r\n b\r\n\r\n"
      "2\r\n{}\r\n0\r\nX-Trailer: t\r\n\r\n");
  EXPECT_EQ(response.outcome, Outcome::kComplete);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "{}");
  EXPECT_EQ(response.FindHeader("x-early"), nullptr);
  EXPECT_EQ(response.FindHeader("link"), nullptr);
  EXPECT_EQ(response.FindHeader("x-trailer"), nullptr);
  ASSERT_NE(response.FindHeader("x-final"), nullptr);
  EXPECT_EQ(*response.FindHeader("x-final"), "a b");
}

TEST(OutcomeOf, GzipIsDecodedAndTheCapCountsDecodedBytes) {
  const std::string text(1000, 'a');
  const auto gzipped = [](const std::string& body) {
    return [reply = HttpReply(200, Gzip(body), "Content-Encoding: gzip\r\n")](
               ScriptedConnection& connection, const ReceivedRequest&) { connection.Send(reply); };
  };
  const Response whole = Paid(gzipped(text), seconds(10), 1000);
  EXPECT_EQ(whole.outcome, Outcome::kComplete);
  EXPECT_EQ(whole.body, text);
  const Response over = Paid(gzipped(text + "a"), seconds(10), 1000);
  ExpectUnknown(over, 200);
  EXPECT_LE(over.body.size(), 1000u);
  EXPECT_THAT(over.error, HasSubstr("exceeds 1000 bytes"));
  EXPECT_EQ(over.longer_than_bytes, 1000u);
  EXPECT_EQ(whole.longer_than_bytes, 0u);
  ExpectUnknown(Paid(gzipped(std::string(10'000'000, 'a')), seconds(10), 1000), 200);
}

TEST(OutcomeOf, ABodyAnnouncedOverTheCapIsNotWaitedFor) {
  // The rest never comes: only the announcement can end the transfer this early.
  const Response over = Paid([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n{");
    connection.Hold();
  });
  ExpectUnknown(over, 200);
  EXPECT_EQ(over.longer_than_bytes, 1000u);
}

TEST(OutcomeOf, HeadersAreCapped) {
  std::string many;
  while (many.size() < limits::kResponseHeadersMaxBytes) many += "X-A: 0123456789\r\n";
  const Response response = PaidAnswer(HttpReply(200, "{}", many));
  ExpectUnknown(response, 200);
  EXPECT_THAT(response.error, HasSubstr("headers exceed"));
}

TEST(OutcomeOf, AStalledAnswerIsGivenUpBeforeItsTimeout) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    connection.Hold();
  });
  CurlTransportOptions options = OptionsFor(server.url());
  options.stall_timeout = seconds(1);
  Request request = Get("/x");
  request.timeout = seconds(9);
  const Response response = Fetch(*MustCreate(options), request);
  ExpectUnknown(response, 200);
  EXPECT_THAT(response.error, HasSubstr("too slow"));
}

}  // namespace
}  // namespace gateway::http::test
