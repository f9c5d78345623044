#include "app/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gateway::app {
namespace {

Parsed Parse(std::vector<const char*> args) {
  args.insert(args.begin(), "pictory-gateway");
  return ParseCommandLine(static_cast<int>(args.size()), args.data());
}

class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"PICTORY_API_KEY", "PICTORY_LISTEN", "PICTORY_SANDBOX"}) unsetenv(name);
  }
  void TearDown() override { SetUp(); }
};

TEST_F(ConfigTest, DefaultsAreLoopbackAndTheSandbox) {
  const Parsed parsed = Parse({});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_EQ(parsed.gateway->listen[0].ToString(), "127.0.0.1:50051");
  EXPECT_EQ(parsed.gateway->admin_listen->ToString(), "127.0.0.1:8081");
  EXPECT_TRUE(parsed.gateway->sandbox);
  EXPECT_TRUE(parsed.gateway->sandbox_by_default);
  EXPECT_FALSE(parsed.gateway->state_dir.empty());
}

TEST_F(ConfigTest, AKeyMeansTheRealService) {
  setenv("PICTORY_API_KEY", "pictai_x", 1);
  const Parsed parsed = Parse({});
  ASSERT_TRUE(parsed.gateway.has_value());
  EXPECT_FALSE(parsed.gateway->sandbox);
  EXPECT_EQ(parsed.gateway->api_key.Reveal(), "pictai_x");
}

TEST_F(ConfigTest, FlagsBeatVariablesAndVariablesBeatFiles) {
  const auto file = std::filesystem::path(testing::TempDir()) / "gateway.conf";
  std::ofstream(file) << "listen=127.0.0.1:1\nmax-watches=7\n";
  const std::string path = file.string();
  Parsed parsed = Parse({"--config", path.c_str()});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_EQ(parsed.gateway->listen[0].port, 1);
  EXPECT_EQ(parsed.gateway->max_watches, 7);
  setenv("PICTORY_LISTEN", "127.0.0.1:2", 1);
  EXPECT_EQ(Parse({}).gateway->listen[0].port, 2);
  EXPECT_EQ(Parse({"--config", path.c_str()}).gateway->listen[0].port, 2);
  EXPECT_EQ(Parse({"--config", path.c_str(), "--listen", "127.0.0.1:3"}).gateway->listen[0].port, 3);
  std::ofstream(file) << "no-such-key=1\n";
  EXPECT_EQ(Parse({"--config", path.c_str()}).exit_code, 2);
}

TEST_F(ConfigTest, ReachableListenersNeedTrustAndCredentials) {
  EXPECT_EQ(Parse({"--listen", "0.0.0.0:1"}).exit_code, 2);
  EXPECT_EQ(Parse({"--sandbox", "--admin-listen", "0.0.0.0:1"}).exit_code, 2);
  EXPECT_TRUE(Parse({"--sandbox", "--listen", "0.0.0.0:1", "--trust-network"}).gateway.has_value());
}

TEST_F(ConfigTest, AKeyFileMustBePrivateAndHoldAKey) {
  const auto file = std::filesystem::path(testing::TempDir()) / "key";
  std::ofstream(file) << "pictai_file\n";
  const std::string path = file.string();
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  const Parsed open = Parse({"--api-key-file", path.c_str()});
  EXPECT_EQ(open.exit_code, 2);
  EXPECT_EQ(open.text.find("pictai_file"), std::string::npos);
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  EXPECT_EQ(Parse({"--api-key-file", path.c_str()}).gateway->api_key.Reveal(), "pictai_file");
  std::ofstream(file) << "\n";
  EXPECT_EQ(Parse({"--api-key-file", path.c_str()}).exit_code, 2);
}

TEST_F(ConfigTest, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(Parse({"--help"}).exit_code, 0);
  EXPECT_NE(Parse({"--version"}).text.find("gRPC"), std::string::npos);
  EXPECT_EQ(Parse({"--bogus"}).exit_code, 2);
}

TEST_F(ConfigTest, TheSandboxCommandHasItsOwnOptions) {
  const Parsed parsed = Parse({"sandbox", "--listen", "[::1]:0", "--speed", "5"});
  ASSERT_TRUE(parsed.sandbox.has_value()) << parsed.text;
  EXPECT_EQ(parsed.sandbox->listen.ToString(), "[::1]:0");
  EXPECT_EQ(parsed.sandbox->speed, 5);
  EXPECT_EQ(parsed.sandbox->token_seconds, 3600);
  EXPECT_EQ(Parse({"sandbox", "--token-seconds", "2"}).sandbox->token_seconds, 2);
  EXPECT_EQ(Parse({"sandbox", "--token-seconds", "0"}).exit_code, 2);
  EXPECT_EQ(Parse({"sandbox", "--client-id", "me"}).sandbox->client_id, "me");
  EXPECT_NE(Parse({"sandbox", "--help"}).text.find("/sandbox/faults"), std::string::npos);
  EXPECT_EQ(Parse({"sandbox", "--listen", "x"}).exit_code, 2);
}

TEST(AddressTest, SaysWhatIsWrong) {
  for (const char* bad : {"", "host", ":1", "::1:5", "h:", "h:x", "h:65536", "h:-1"}) {
    EXPECT_FALSE(ParseAddress(bad).ok()) << bad;
  }
  EXPECT_TRUE(ParseAddress("127.9.9.9:1")->IsLoopback());
  EXPECT_TRUE(ParseAddress("[::1]:1")->IsLoopback());
  EXPECT_FALSE(ParseAddress("10.0.0.1:1")->IsLoopback());
}

}  // namespace
}  // namespace gateway::app
