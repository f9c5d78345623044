#include "app/secret_watch.h"
#include "base/limits.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "support/fake_clock.h"

namespace gateway::app {
namespace {

namespace fs = std::filesystem;
using Found = FileWatch::Found;

class SecretWatchTest : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(directory_); }

  static void Write(const fs::path& path, const std::string& text, unsigned mode = 0600) {
    std::ofstream(path, std::ios::trunc) << text;
    chmod(path.c_str(), mode);
  }
  std::unique_ptr<FileWatch> Watch() {
    return std::make_unique<FileWatch>(WatchedSecret({"--api-key-file", path_.string()},
                                                     [this](const Secret& secret) {
                                                       if (!refused_.ok()) return refused_;
                                                       got_.push_back(secret.Reveal());
                                                       return absl::OkStatus();
                                                     }),
                                       DigestOf({"pictai_old"}), clock_, clock_);
  }

  const fs::path directory_ = [] {
    std::string name = testing::TempDir() + "secret-XXXXXX";
    return fs::path(mkdtemp(name.data()));
  }();
  const fs::path path_ = directory_ / "key";
  test::FakeClock clock_;
  std::vector<std::string> got_;
  absl::Status refused_;
};

TEST_F(SecretWatchTest, TakesWhatTheFileSaysNow) {
  Write(path_, "pictai_old\n");
  const auto watch = Watch();
  clock_.Advance(10 * limits::kSecretLookInterval);
  EXPECT_TRUE(got_.empty());
  Write(path_, "pictai_new\n");  // as long, and perhaps within the clock's grain of the one before
  clock_.Advance(limits::kSecretLookInterval);
  EXPECT_EQ(got_, std::vector<std::string>{"pictai_new"});
  Write(directory_ / "other", "pictai_newer");
  fs::rename(directory_ / "other", path_);
  clock_.Advance(limits::kSecretLookInterval);
  EXPECT_EQ(got_.back(), "pictai_newer");
}

// key → ..data/key, ..data → a directory that is replaced as a whole.
TEST_F(SecretWatchTest, SeesALinkPutElsewhereAsKubernetesDoes) {
  for (const char* version : {"1", "2"}) {
    fs::create_directory(directory_ / version);
    Write(directory_ / version / "key", std::string("pictai_") + version);
  }
  fs::create_symlink("1", directory_ / "..data");
  fs::create_symlink("..data/key", path_);
  const auto watch = Watch();
  clock_.Advance(limits::kSecretLookInterval);
  fs::create_symlink("2", directory_ / "..data_tmp");
  fs::rename(directory_ / "..data_tmp", directory_ / "..data");
  clock_.Advance(limits::kSecretLookInterval);
  EXPECT_EQ(got_, (std::vector<std::string>{"pictai_1", "pictai_2"}));
}

TEST_F(SecretWatchTest, WhatCannotBeUsedChangesNothing) {
  Write(path_, "pictai_old");
  const auto watch = Watch();
  Write(path_, "");
  EXPECT_EQ(watch->Look(), Found::kUnusable);
  Write(path_, "two words");
  EXPECT_EQ(watch->Look(), Found::kUnusable);
  Write(path_, "pictai_new", 0644);
  EXPECT_EQ(watch->Look(), Found::kUnusable);
  Write(path_, std::string(5000, 'k'));
  EXPECT_EQ(watch->Look(), Found::kUnusable);
  fs::remove(path_);
  EXPECT_EQ(watch->Look(), Found::kUnusable);
  fs::create_directory(path_);
  EXPECT_EQ(watch->Look(), Found::kUnusable);
  fs::remove(path_);
  EXPECT_TRUE(got_.empty());
  Write(path_, "pictai_old");
  EXPECT_EQ(watch->Look(), Found::kSame);
  Write(path_, "pictai_new");
  EXPECT_EQ(watch->Look(), Found::kReplaced);
}

// `--api-key-file <(vault read …)`: who reads it again waits for ever.
TEST_F(SecretWatchTest, APipeIsNotRead) {
  EXPECT_FALSE(IsPipe(path_.string()));
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_TRUE(IsPipe(path_.string()));
  const auto watch = Watch();
  EXPECT_EQ(watch->Look(), Found::kUnusable);
}

TEST_F(SecretWatchTest, OneThatIsRefusedIsTriedAgain) {
  Write(path_, "pictai_old");
  const auto watch = Watch();
  Write(path_, "pictai_of_another");
  refused_ = absl::InvalidArgumentError("has the same credentials as east");
  EXPECT_EQ(watch->Look(), Found::kUnusable);
  refused_ = absl::OkStatus();
  clock_.Advance(limits::kSecretLookInterval);
  EXPECT_EQ(got_, std::vector<std::string>{"pictai_of_another"});
}

TEST_F(SecretWatchTest, LooksNoMoreOnceStopped) {
  Write(path_, "pictai_old");
  const auto watch = Watch();
  EXPECT_EQ(clock_.pending(), 1u);
  watch->Stop();
  EXPECT_EQ(clock_.pending(), 0u);
}

}  // namespace
}  // namespace gateway::app
