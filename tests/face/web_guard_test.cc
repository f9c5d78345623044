#include "face/web_guard.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/errors.h"

namespace gateway::face {
namespace {

struct GuardRow {
  const char* host;
  const char* origin;  // null: none
  const char* site;    // Sec-Fetch-Site
  const char* reason;  // "": fine
};

WebVerdict JudgeIt(const GuardRow& row, const WebRules& rules,
                   const char* peer = "ipv4:127.0.0.1:9", bool tls = false) {
  http::ServerRequest request;
  request.path = "/v1/jobs";
  request.peer = std::make_shared<http::ServerPeer>(
      http::ServerPeer{.name = peer, .unix_socket = std::string_view(peer) == "unix:", .tls = tls});
  request.headers.push_back({"host", row.host});
  if (row.origin != nullptr) request.headers.push_back({"origin", row.origin});
  if (row.site != nullptr) request.headers.push_back({"sec-fetch-site", row.site});
  return Judge(request, rules);
}

const WebRules kRules{.origins = {"https://app.example.com"}, .hosts = {"gateway.example.com"}};

TEST(WebGuardTest, Table) {
  constexpr char kHost[] = "HOST_UNKNOWN";
  constexpr char kPage[] = "PAGE_NOT_ALLOWED";
  for (const GuardRow& row : {
           GuardRow{"127.0.0.1:8080", nullptr, nullptr, ""},        // curl
           GuardRow{"localhost:8080", nullptr, "none", ""},         // typed by a person
           GuardRow{"gateway.example.com", nullptr, nullptr, ""},   // a name of ours
           GuardRow{"evil.example:8080", nullptr, nullptr, kHost},  // DNS rebinding
           GuardRow{"evil.example:8080", "http://evil.example:8080", "same-origin", kHost},
           GuardRow{"127.0.0.1.evil.example", nullptr, nullptr, kHost},
           GuardRow{"", nullptr, nullptr, kHost},
           GuardRow{"127.0.0.1:8080", "https://evil.example", "cross-site", kPage},
           GuardRow{"127.0.0.1:8080", "null", "cross-site", kPage},   // a sandboxed frame
           GuardRow{"127.0.0.1:8080", nullptr, "cross-site", kPage},  // an <img>
           GuardRow{"127.0.0.1:8080", nullptr, "same-site", kPage},
           GuardRow{"127.0.0.1:8080", "http://127.0.0.1:9999", "same-site", kPage},
           GuardRow{"127.0.0.1:8080", "https://app.example.com", "cross-site", ""},
           GuardRow{"127.0.0.1:8080", "https://app.example.com.evil.example", "cross-site", kPage},
           GuardRow{"127.0.0.1:8080", "http://app.example.com", "cross-site", kPage},
           GuardRow{"127.0.0.1:8080", "http://127.0.0.1:8080", "same-origin",
                    ""},  // served from here
       }) {
    const WebVerdict verdict = JudgeIt(row, kRules);
    EXPECT_EQ(errors::Reason(verdict.refusal), row.reason)
        << row.host << " " << (row.origin == nullptr ? "-" : row.origin);
  }
}

TEST(WebGuardTest, OnlyAnAllowedPageMayReadTheAnswer) {
  EXPECT_EQ(JudgeIt({"localhost", "https://app.example.com", nullptr, ""}, kRules).origin,
            "https://app.example.com");
  EXPECT_EQ(JudgeIt({"localhost", nullptr, nullptr, ""}, kRules).origin, "");
}

TEST(WebGuardTest, NamesDoNotCountWhereNoNameLeads) {
  EXPECT_TRUE(JudgeIt({"any.example", nullptr, nullptr, ""}, kRules, "unix:").refusal.ok());
  EXPECT_TRUE(
      JudgeIt({"any.example", nullptr, nullptr, ""}, kRules, "ipv4:10.0.0.1:1", true).refusal.ok());
  // Pages do.
  EXPECT_FALSE(
      JudgeIt({"any.example", "https://evil.example", nullptr, ""}, kRules, "unix:").refusal.ok());
}

TEST(WebGuardTest, KnowsOrigins) {
  for (const char* const good : {"https://a.example", "http://localhost:3000", "http://[::1]:80"}) {
    EXPECT_TRUE(IsOrigin(good)) << good;
  }
  for (const char* const bad : {"", "*", "null", "a.example", "https://a.example/", "https://",
                                "https://A.example", "ftp://a.example", "https://a.example?x"}) {
    EXPECT_FALSE(IsOrigin(bad)) << bad;
  }
}

}  // namespace
}  // namespace gateway::face
