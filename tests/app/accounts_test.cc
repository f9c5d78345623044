#include "app/accounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tenants/tenants_file.h"

namespace gateway::app {
namespace {

using ::testing::HasSubstr;

class AccountsTest : public testing::Test {
 protected:
  AccountsTest() {
    std::string name = testing::TempDir() + "accounts-XXXXXX";
    folder_ = mkdtemp(name.data());
    config_.api_key = Secret("pictai_of_the_flags");
  }
  ~AccountsTest() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& name, const std::string& secret) {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path) << secret << "\n";
    chmod(path.c_str(), 0600);
    return path.string();
  }
  static tenants::Tenants Document(const std::string& text) {
    auto read = tenants::ParseTenants(text, "tenants.toml");
    EXPECT_TRUE(read.ok()) << read.status();
    return read.ok() ? *std::move(read) : tenants::Tenants{};
  }
  std::string Account(const std::string& name, const std::string& file) {
    return "[accounts." + name + "]\napi_key_file = \"" + file + "\"\n";
  }
  std::string Why(const std::string& text) {
    return std::string(AccountsOf(config_, Document(text)).status().message());
  }

  std::filesystem::path folder_;
  Config config_;
};

TEST_F(AccountsTest, WithoutADocumentThereIsThatOfTheFlags) {
  const auto setups = AccountsOf(config_, {});
  ASSERT_TRUE(setups.ok()) << setups.status();
  ASSERT_EQ(setups->size(), 1u);
  EXPECT_EQ(setups->front().name, "default");
  EXPECT_EQ(setups->front().options.client.api_key.Reveal(), "pictai_of_the_flags");
}

TEST_F(AccountsTest, EachHasItsOwnSecretAndWhatItDoesNotSayOfTheFlags) {
  config_.requests_per_second = 7;
  const auto setups = AccountsOf(
      config_, Document(Account("east", File("e", "pictai_east_1")) + "requests_per_second = 2\n" +
                        Account("west", File("w", "pictai_west_1")) +
                        "[tenants.a]\naccount = \"east\"\n[tenants.b]\naccount = \"west\"\n"));
  ASSERT_TRUE(setups.ok()) << setups.status();
  ASSERT_EQ(setups->size(), 2u) << "nobody uses that of the flags";
  EXPECT_EQ((*setups)[0].options.client.api_key.Reveal(), "pictai_east_1");
  EXPECT_EQ((*setups)[0].options.budget.requests_per_second, 2);
  EXPECT_EQ((*setups)[1].options.client.api_key.Reveal(), "pictai_west_1");
  EXPECT_EQ((*setups)[1].options.budget.requests_per_second, 7);
}

TEST_F(AccountsTest, ThatOfTheFlagsIsThereIfSomebodyUsesIt) {
  const std::string east = Account("east", File("e", "pictai_east_1"));
  EXPECT_FALSE(UsesFlags(Document(east + "[tenants.a]\naccount = \"east\"\n")));
  EXPECT_TRUE(UsesFlags(Document(east + "[tenants.a]\naccount = \"east\"\n[tenants.b]\n")));
  EXPECT_TRUE(UsesFlags(Document(east))) << "everybody is the tenant default";
  config_.api_key = Secret();
  EXPECT_THAT(Why(east + "[tenants.a]\naccount = \"east\"\n[tenants.b]\n"),
              HasSubstr("account default: has no credentials"));
}

TEST_F(AccountsTest, TwoNamesForOneAccountAreRefused) {
  EXPECT_THAT(
      Why(Account("east", File("e", "pictai_same_1")) +
          Account("west", File("w", "pictai_same_1")) + "[tenants.a]\naccount = \"east\"\n"),
      HasSubstr("account west: has the same credentials as east"));
  EXPECT_THAT(Why(Account("main", File("m", "pictai_of_the_flags")) + "[tenants.a]\n"),
              HasSubstr("account main: has the same credentials as default"));
}

TEST_F(AccountsTest, ANewerDocumentLooksOnlyAtWhatIsNew) {
  const tenants::Tenants document = Document(
      Account("east", (folder_ / "gone").string()) + Account("west", File("w", "pictai_west_1")) +
      "[tenants.a]\naccount = \"east\"\n[tenants.b]\naccount = \"west\"\n");
  const auto open = [](const std::string& account) { return account == "east"; };
  const auto setups = NewAccountsOf(config_, document, open);
  ASSERT_TRUE(setups.ok()) << setups.status();
  ASSERT_EQ(setups->size(), 1u);
  EXPECT_EQ(setups->front().name, "west");

  const std::string pipe = (folder_ / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const auto waits = NewAccountsOf(config_, Document(Account("new", pipe)), open);
  EXPECT_THAT(std::string(waits.status().message()), HasSubstr("is a pipe"));
}

TEST_F(AccountsTest, WhereCallersPayNoAccountIsNeeded) {
  const tenants::Tenants document = Document("[tenants.a]\ncallers_pay = true\n");
  EXPECT_FALSE(UsesFlags(document));
  const auto with = AccountsOf(config_, document);
  ASSERT_TRUE(with.ok()) << with.status();
  EXPECT_EQ(with->size(), 1u) << "jobs may have been made with it before";
  config_.api_key = Secret();
  const auto without = AccountsOf(config_, document);
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_TRUE(without->empty());
  EXPECT_TRUE(UsesFlags(Document("[tenants.a]\ncallers_pay = true\n[tenants.b]\n")));
}

TEST_F(AccountsTest, ACallersAccountHasAllButTheKeyFromTheFlags) {
  config_.auth = pictory::AuthMode::kOAuth;
  config_.requests_per_second = 7;
  const auto own = OptionsOfKey(config_, "key-1", Secret("pictai_own"));
  EXPECT_EQ(own.client.api_key.Reveal(), "pictai_own");
  EXPECT_FALSE(own.client.oauth.has_value());
  EXPECT_EQ(own.budget.requests_per_second, 7);
}

// Real keys never go there.
TEST_F(AccountsTest, InTheSandboxEachHasItsOwnAccount) {
  config_.sandbox = true;
  const auto setups =
      AccountsOf(config_, Document(Account("default", "x") + Account("east", "y") +
                                   "[tenants.a]\n[tenants.b]\naccount = \"east\"\n"));
  ASSERT_TRUE(setups.ok()) << setups.status();
  ASSERT_EQ(setups->size(), 2u);
  EXPECT_EQ((*setups)[0].options.client.api_key.Reveal(), "pictai_sandbox");
  EXPECT_EQ((*setups)[1].options.client.api_key.Reveal(), "pictai_sandbox_east");
  EXPECT_EQ(OptionsOfKey(config_, "key-1", Secret("pictai_own")).client.api_key.Reveal(),
            "pictai_sandbox_key-1");
  config_.auth = pictory::AuthMode::kOAuth;
  EXPECT_EQ(OptionsOfKey(config_, "key-1", Secret("pictai_own")).client.oauth->client_id,
            "sandbox_key-1");
}

}  // namespace
}  // namespace gateway::app
