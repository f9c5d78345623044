#include "admin/webhook_seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "base/limits.h"

namespace gateway::admin {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr char kSealed[] = "0123456789abcdef0123456789abcdef";

TEST(WebhookSeal, IsTheMacEverybodyElseComputes) {
  // RFC 4231, test case 2.
  const WebhookSeal seal(Secret("Jefe"));
  EXPECT_EQ(seal.Seal("what do ya want for nothing?"),
            "what do ya want for nothing?."
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(WebhookSeal, OpensWhatItSealedAndNothingElse) {
  const WebhookSeal seal(Secret("one key"));
  const std::string good = seal.Seal(kSealed);
  EXPECT_EQ(seal.Open(good), kSealed);
  EXPECT_EQ(WebhookSeal(Secret("another")).Open(good), std::nullopt);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == '0' ? '1' : '0';
    EXPECT_EQ(seal.Open(bad), std::nullopt) << i;
  }
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_EQ(seal.Open(good.substr(0, cut)), std::nullopt) << cut;
    EXPECT_EQ(seal.Open(good.substr(good.size() - cut)), std::nullopt) << cut;
  }
  EXPECT_EQ(seal.Open(good + "0"), std::nullopt);
  EXPECT_EQ(seal.Open(seal.Seal("")), std::nullopt);
  EXPECT_EQ(seal.Open(seal.Seal(std::string(1000, 'a'))), std::nullopt);
}

class KeyFile : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(directory_); }
  std::string Text() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const fs::path directory_ = [] {
    std::string name = testing::TempDir() + "seal-XXXXXX";
    return fs::path(mkdtemp(name.data()));
  }();
  const fs::path file_ = directory_ / "webhook.key";
};

TEST_F(KeyFile, IsMadeOnceForItsOwnerOnly) {
  const auto first = WebhookSeal::FromFile(file_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(fs::status(file_).permissions(), fs::perms(0600));
  EXPECT_EQ(Text().size(), limits::kWebhookKeyBytes);
  const auto again = WebhookSeal::FromFile(file_);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->Open(first->Seal(kSealed)), kSealed);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), {}), 1)
      << "nothing is left beside it";
}

TEST_F(KeyFile, IsAnotherEverywhere) {
  std::set<std::string> keys;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(WebhookSeal::FromFile(file_).ok());
    keys.insert(Text());
    fs::remove(file_);
  }
  EXPECT_EQ(keys.size(), 10u);
}

TEST_F(KeyFile, OfAStartThatWasCutShortIsNoObstacle) {
  std::ofstream(file_.string() + ".new") << "half";
  EXPECT_TRUE(WebhookSeal::FromFile(file_).ok());
}

TEST_F(KeyFile, IsNotReadThroughALink) {
  ASSERT_TRUE(WebhookSeal::FromFile(directory_ / "other").ok());
  fs::create_symlink("other", file_);
  const auto refused = WebhookSeal::FromFile(file_);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("symbolic link"));
}

TEST_F(KeyFile, ThatOthersCanReadOrThatIsDamagedIsRefused) {
  ASSERT_TRUE(WebhookSeal::FromFile(file_).ok());
  const std::string key = Text();
  fs::permissions(file_, fs::perms(0660));  // as Kubernetes leaves the files of a volume
  EXPECT_TRUE(WebhookSeal::FromFile(file_).ok());
  fs::permissions(file_, fs::perms(0644));
  const auto open = WebhookSeal::FromFile(file_);
  EXPECT_EQ(open.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(open.status().message()), HasSubstr("chmod 600 "));
  fs::permissions(file_, fs::perms(0600));
  for (const std::string& damaged : {std::string(), key.substr(1), key + "x"}) {
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << damaged;
    const auto refused = WebhookSeal::FromFile(file_);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr(file_.string()));
  }
  const auto nowhere = WebhookSeal::FromFile(directory_ / "none" / "webhook.key");
  EXPECT_THAT(std::string(nowhere.status().message()), HasSubstr("No such file"));
}

}  // namespace
}  // namespace gateway::admin
