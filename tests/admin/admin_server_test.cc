#include "admin/admin_server.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/limits.h"
#include "sandbox/plain_client.h"

namespace gateway::admin {
namespace {

using test::PlainClient;

class AdminServerTest : public testing::Test {
 protected:
  AdminServerTest() {
    auto started = AdminServer::Start("127.0.0.1", 0, metrics_);
    EXPECT_TRUE(started.ok()) << started.status();
    admin_ = *std::move(started);
  }
  std::uint16_t port() const {
    const std::string authority = admin_->authority();
    return static_cast<std::uint16_t>(std::stoi(authority.substr(authority.rfind(':') + 1)));
  }
  int Get(const std::string& path) { return PlainClient(port()).Call("GET", path).status; }

  obs::Metrics metrics_;
  std::unique_ptr<AdminServer> admin_;
};

TEST_F(AdminServerTest, TellsWhetherItLivesAndIsReady) {
  EXPECT_EQ(Get("/livez"), 200);
  EXPECT_EQ(Get("/readyz"), 503);
  admin_->SetReady(true);
  EXPECT_EQ(Get("/readyz"), 200);
  EXPECT_EQ(Get("/metrics"), 200);
  EXPECT_EQ(Get("/"), 404);
  EXPECT_EQ(PlainClient(port()).Call("POST", "/livez").status, 405);
}

TEST_F(AdminServerTest, AProbeGetsThroughHoweverManyConnectionsStrangersHold) {
  std::deque<PlainClient> strangers;
  for (std::size_t i = 0; i < 4 * limits::kAdminConnectionsMax; ++i) {
    strangers.emplace_back(port());
    if (i % 3 == 0) strangers.back().Send("GET /livez HTTP/1.1\r\nX-Slow: ");
    if (i % 3 == 1)
      strangers.back().Send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n");
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Get("/livez"), 200);
  EXPECT_EQ(Get("/metrics"), 200);
}

}  // namespace
}  // namespace gateway::admin
