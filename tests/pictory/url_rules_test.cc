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

TEST(IsLink, IsHttpsWithAHostAndNothingThatMisleads) {
  for (const std::string url :
       {"https://v.example/a.mp4", "HTTPS://V.example:8443/a?b=c&d=%20#e", "https://x",
        "https://203.0.113.7/a", "https://[2001:db8::1]/a", "https://v.example/\xC3\xA4.mp4"}) {
    EXPECT_TRUE(IsLink(url, false)) << url;
    EXPECT_TRUE(IsLink(url, true)) << url;
  }
  for (const std::string url : {"",
                                "v.example/a",
                                "//v.example/a",
                                "javascript:alert(1)",
                                "javascript://v.example/%0aalert(1)",
                                "file:///etc/passwd",
                                "data:text/html,x",
                                "ftp://v.example/a",
                                "blob:https://v.example/a",
                                "https:v.example",
                                "https://",
                                "https:///a",
                                "https://a b/",
                                " https://v.example/",
                                "https://v.example/\n",
                                "https://v.example/\t",
                                "https://v.example/\x1b[31m",
                                "https://v.example/\x7f",
                                "https://v.example/\xC2\x9B"
                                "31m",
                                "https://v.example/\xE2\x80\xAEgpm.exe",
                                "https://v.example/\xFF",
                                "https://v.example\\@evil.example/",
                                "https://bank.example@evil.example/",
                                "https://v.example:0/",
                                "https://v.example:99999/",
                                "https://v..example/",
                                "https://[::1/",
                                "http://v.example/a",
                                "http://169.254.169.254/latest"}) {
    EXPECT_FALSE(IsLink(url, false)) << url;
    EXPECT_FALSE(IsLink(url, true)) << url;
  }
  for (const std::string url :
       {"http://127.0.0.1:8080/a", "http://localhost/a", "http://[::1]:9/a"}) {
    EXPECT_FALSE(IsLink(url, false)) << url;
    EXPECT_TRUE(IsLink(url, true)) << url;
  }
  const std::string longest =
      "https://v.example/" + std::string(limits::kResultUrlMaxBytes - 18, 'a');
  EXPECT_TRUE(IsLink(longest, false));
  EXPECT_FALSE(IsLink(longest + "a", false));
}

}  // namespace
}  // namespace gateway::pictory
