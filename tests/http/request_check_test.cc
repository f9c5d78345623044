#include "http/request_check.h"

#include "gmock/gmock.h"
#include "http/curl_transport.h"

namespace gateway::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(BaseUrl, IsNormalised) {
  EXPECT_EQ(ParseBaseUrl("https://api.pictory.ai", false)->text, "https://api.pictory.ai");
  EXPECT_EQ(ParseBaseUrl("https://api.pictory.ai/pictoryapis//", false)->text,
            "https://api.pictory.ai/pictoryapis");
  EXPECT_EQ(ParseBaseUrl("HTTPS://api.pictory.ai:8443/x", false)->text,
            "https://api.pictory.ai:8443/x");
  EXPECT_TRUE(ParseBaseUrl("https://api.pictory.ai", false)->tls);
  EXPECT_FALSE(ParseBaseUrl("http://127.0.0.1:1", true)->tls);
}

TEST(BaseUrl, PlainHttpOnlyToLoopbackAndOnlyIfAllowed) {
  for (const char* url : {"http://127.0.0.1:80", "http://127.9.8.7", "http://localhost:1/x",
                          "http://LOCALHOST", "http://[::1]:5"}) {
    EXPECT_TRUE(ParseBaseUrl(url, true).ok()) << url;
    EXPECT_FALSE(ParseBaseUrl(url, false).ok()) << url;
  }
  for (const char* url :
       {"http://api.pictory.ai", "http://10.0.0.1", "http://128.0.0.1", "http://[::2]",
        "http://localhost.evil.test", "http://127.0.0.1.evil.test", "http://0.0.0.0"}) {
    EXPECT_FALSE(ParseBaseUrl(url, true).ok()) << url;
  }
}

TEST(BaseUrl, RefusesWhatIsNotAHost) {
  for (const char* url :
       {"", "api.pictory.ai", "ftp://api.pictory.ai", "file:///etc/passwd", "https://",
        "https://user:hunter2@api.pictory.ai", "https://@api.pictory.ai", "https://a.test/?q",
        "https://a.test/#f", "https://a.test/ b", "https://a.test\r\n", "https://a.test:99999",
        "https://[fe80::1%25eth0]/"}) {
    const auto base = ParseBaseUrl(url, true);
    EXPECT_FALSE(base.ok()) << url;
    EXPECT_THAT(std::string(base.status().message()), Not(HasSubstr("hunter2")));
  }
}

// libcurl would decode it, and the name that is looked up would not be the one that was written.
TEST(BaseUrl, RefusesAPercentSignInTheHost) {
  for (const char* url : {"https://api%2eexample.com", "https://a%99.example.com/x",
                          "https://h.example.com%0d%0a", "https://%40"}) {
    EXPECT_FALSE(ParseBaseUrl(url, false).ok()) << url;
  }
  EXPECT_TRUE(ParseBaseUrl("https://h.example.com/a%20b", false).ok());
}

TEST(RequestCheck, Paths) {
  const auto problem = [](std::string path) {
    Request request;
    request.path = std::move(path);
    return CheckRequest(request);
  };
  for (const char* good : {"/", "/v2/video/jobs/a%2Fb", "/x?page=1&key=a%20b", "/..a/.b/c.",
                           "/v1/jobs?next=/../", "/a//b"}) {
    EXPECT_EQ(problem(good), "") << good;
  }
  for (const char* bad :
       {"", "x", "http://elsewhere.test/", "/a b", "/a#b", "/..", "/a/../b", "/a/./b",
        "/a/%2e%2E/b", "/.%2e", "/a/..?x", "/\\..\\x", "/\xc3\xa9", "/v2/projects/..%2Fx/render",
        "/v1/jobs/a%5C..", "/v1/jobs/%252e%252e%2Fx", "/v1/jobs/..;/x"}) {
    EXPECT_NE(problem(bad), "") << bad;
  }
  EXPECT_NE(problem("/" + std::string(100'000, 'a')), "");
}

TEST(RequestCheck, Headers) {
  const auto problem = [](std::string name, std::string value) {
    Request request;
    request.path = "/";
    request.headers = {{std::move(name), std::move(value)}};
    return CheckRequest(request);
  };
  EXPECT_EQ(problem("X-Pictory-User-Id", "a\tb \xc3\xa9"), "");
  for (const char* name :
       {"", "a b", "a:b", "a;", "\xc3\xa9", "Content-Length", "transfer-encoding", "HOST",
        "Connection", "Expect", "Proxy-Authorization"}) {
    EXPECT_NE(problem(name, "1"), "") << name;
  }
  EXPECT_THAT(problem("Authorization", "secret\r\n"), Not(HasSubstr("secret")));
  EXPECT_NE(problem("X", "\x7f"), "");
  EXPECT_NE(problem("X", std::string(100'000, 'a')), "");
}

TEST(RequestCheck, Methods) {
  Request request;
  request.path = "/";
  for (const char* method : {"", "get", "CONNECT", "TRACE", "GET /x HTTP/1.1\r\n"}) {
    request.method = method;
    EXPECT_NE(CheckRequest(request), "") << method;
  }
}

TEST(TransportOptions, AreCheckedWithAReason) {
  const auto refusal = [](auto change) {
    CurlTransportOptions options;
    options.base_url = "https://api.pictory.ai";
    change(options);
    const auto transport = CurlTransport::Create(options);
    return transport.ok() ? "accepted" : std::string(transport.status().message());
  };
  using Options = CurlTransportOptions;
  EXPECT_EQ(refusal([](Options&) {}), "accepted");
  EXPECT_THAT(refusal([](Options& o) { o.base_url = "http://a.test"; }), HasSubstr("https"));
  EXPECT_THAT(refusal([](Options& o) { o.ca_file = "/none.pem"; }), HasSubstr("/none.pem"));
  EXPECT_THAT(refusal([](Options& o) { o.ca_file = "/etc/passwd"; }), HasSubstr("certificate"));
  EXPECT_THAT(refusal([](Options& o) { o.ca_file = "/etc"; }), HasSubstr("CA file"));
  EXPECT_THAT(refusal([](Options& o) { o.user_agent = "a\nb"; }), HasSubstr("user agent"));
  EXPECT_THAT(refusal([](Options& o) { o.proxy = "ftp://u:hunter2@p"; }),
              testing::AllOf(HasSubstr("proxy"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(refusal([](Options& o) { o.engines = 0; }), HasSubstr("engines"));
  EXPECT_THAT(refusal([](Options& o) { o.engines = 2, o.paid_in_flight = 1; }),
              HasSubstr("in flight"));
  EXPECT_THAT(refusal([](Options& o) { o.queue_max = 0; }), HasSubstr("queue_max"));
  EXPECT_THAT(refusal([](Options& o) { o.connect_timeout = {}; }), HasSubstr("timeout"));
}

TEST(WholeUrl, IsOfHttpsOrOfThisMachineAndHasNoUser) {
  const auto problem = [](const std::string& url, Reach reach, Lane lane = Lane::kPaid) {
    Request request;
    request.lane = lane;
    request.url = url;
    request.reach = reach;
    return CheckRequest(request);
  };
  EXPECT_EQ(problem("https://a.test/b?c=@d", Reach::kPublic), "");
  EXPECT_EQ(problem("HTTPS://a.test", Reach::kAnywhere), "");
  EXPECT_EQ(problem("http://127.0.0.1:1/", Reach::kLoopback), "");
  EXPECT_NE(problem("https://a.test/", Reach::kPublic, Lane::kRead), "");
  for (const char* url : {"http://a.test/", "ftp://a.test/", "file:///etc/passwd", "a.test",
                          "https://", "https://u@a.test/", "https://a.test\\@b.test/",
                          "https://a%2etest/", "https://a.test/\r\nX: y", "https://a.test/ b"}) {
    EXPECT_NE(problem(url, Reach::kPublic), "") << url;
  }
}

}  // namespace
}  // namespace gateway::http
