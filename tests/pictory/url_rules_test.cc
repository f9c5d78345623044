#include "pictory/url_rules.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace gateway::pictory {
namespace {

TEST(UrlProblem, TakesPublicHttpsUrls) {
  for (const char* url :
       {"https://example.com/a.mp4", "https://example.com", "HTTPS://Example.COM/x",
        "https://cdn.example.co.uk:8443/a%20b.mp3?sig=a/b+c@d#t", "https://a-b_c.example.com/",
        "https://example.com./a", "https://xn--mnchen-3ya.de/ä.mp4", "https://1.example.com/",
        "https://example.com?u=@", "https://3com.com/", "https://0xbeef.example/"}) {
    EXPECT_EQ(UrlProblem(url, false), "") << url;
  }
}

TEST(UrlProblem, RefusesWhatIsNotAPublicHttpsUrl) {
  for (const char* url : {"",
                          "example.com/a.mp4",
                          "http://example.com/a.mp4",
                          "ftp://example.com/",
                          "file:///etc/passwd",
                          "javascript:alert(1)",
                          "https:/example.com",
                          "https:///a",
                          "https://",
                          "https://:443/",
                          "https://user@example.com/",
                          "https://user:pw@example.com/",
                          "https://@example.com/",
                          "https://example.com:0/",
                          "https://example.com:99999/",
                          "https://example.com:a/",
                          "https://example.com:/",
                          "https://exa mple.com/",
                          "https://example.com\\@evil.com/",
                          "https://example.com/\nHost: x",
                          "https://ex%61mple.com/",
                          "https://-..com/",
                          "https://münchen.de/",
                          "https://１２７.0.0.1/",
                          "https://example.com../"}) {
    EXPECT_NE(UrlProblem(url, false), "") << url;
  }
  EXPECT_NE(UrlProblem(std::string("https://example.com/\0x", 22), false), "");
  const std::string base = "https://example.com/";
  EXPECT_EQ(UrlProblem(base + std::string(limits::kUrlMaxBytes - base.size(), 'a'), false), "");
  EXPECT_NE(UrlProblem(base + std::string(limits::kUrlMaxBytes - base.size() + 1, 'a'), false), "");
}

TEST(UrlProblem, RefusesIpAddressesInEveryForm) {
  for (const char* url :
       {"https://127.0.0.1/", "https://8.8.8.8/", "https://169.254.169.254/latest/meta-data",
        "https://2130706433/", "https://0x7f000001/", "https://0X7F.1/", "https://0177.0.0.1/",
        "https://017700000001/", "https://127.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1]:443/", "https://10.0.0.1./", "https://1.2.3.0x4/", "https://0x/",
        "https://example.0/"}) {
    EXPECT_NE(UrlProblem(url, false), "") << url;
  }
}

TEST(UrlProblem, RefusesInsideNames) {
  for (const char* url :
       {"https://localhost/", "https://LOCALHOST:8443/", "https://a.localhost/",
        "https://localhost./", "https://metadata.google.internal/", "https://db.internal/",
        "https://printer.local/", "https://intranet/", "https://router.lan/",
        "https://nas.home.arpa/", "https://localhost.localdomain/"}) {
    EXPECT_NE(UrlProblem(url, false), "") << url;
  }
}

TEST(UrlProblem, LoopbackIsFineForTheSandboxOnly) {
  for (const char* url : {"http://127.0.0.1:8090/a.mp4", "http://localhost:8090/a",
                          "http://[::1]:80/", "https://localhost/", "http://127.9.9.9/"}) {
    EXPECT_EQ(UrlProblem(url, true), "") << url;
    EXPECT_NE(UrlProblem(url, false), "") << url;
  }
  for (const char* url :
       {"http://example.com/", "http://10.0.0.1/", "http://localhost.evil.com/", "ftp://localhost/",
        "http://user@localhost/", "http://127.1/", "http://[::2]/", "http://127.0.0.1.evil.com/"}) {
    EXPECT_NE(UrlProblem(url, true), "") << url;
  }
}

}  // namespace
}  // namespace gateway::pictory
