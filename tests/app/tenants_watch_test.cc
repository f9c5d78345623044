#include "app/tenants_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/limits.h"
#include "support/fake_clock.h"

namespace gateway::app {
namespace {

namespace fs = std::filesystem;
using Found = FileWatch::Found;
using testing::HasSubstr;

// An EC key as an issuer publishes it (RFC 7515, appendix A.3), by two names.
std::string KeySet(const std::string& kid) {
  return R"({"keys":[{"kty":"EC","crv":"P-256","kid":")" + kid +
         R"(","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
         R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";
}

class TenantsWatchTest : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(directory_); }

  static void Write(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::trunc) << text;
  }
  TenantsRead Read() const {
    auto read = ReadTenants(path_.string());
    EXPECT_TRUE(read.ok()) << read.status();
    return read.ok() ? *std::move(read) : TenantsRead();
  }
  std::unique_ptr<FileWatch> Watch() {
    return std::make_unique<FileWatch>(
        WatchedTenants(path_.string(),
                       [this](const tenants::DirectoryPtr& directory) {
                         if (refuses_) return absl::InvalidArgumentError("not so");
                         got_.push_back(directory->tenants().tenants.begin()->first);
                         return absl::OkStatus();
                       }),
        Read().digest, clock_, clock_);
  }
  std::string Refused() const {
    return std::string(ReadTenants(path_.string()).status().message());
  }

  const fs::path directory_ = [] {
    std::string name = testing::TempDir() + "tenants-XXXXXX";
    return fs::path(mkdtemp(name.data()));
  }();
  const fs::path path_ = directory_ / "tenants.toml";
  test::FakeClock clock_;
  bool refuses_ = false;
  std::vector<std::string> got_;
};

TEST_F(TenantsWatchTest, TakesWhatTheFileSaysNow) {
  Write(path_, "[tenants.a]");
  const auto watch = Watch();
  clock_.Advance(10 * limits::kSecretLookInterval);
  EXPECT_TRUE(got_.empty());
  Write(path_, "[tenants.b]");
  clock_.Advance(limits::kSecretLookInterval);
  EXPECT_EQ(got_, std::vector<std::string>{"b"});
  EXPECT_EQ(watch->Look(), Found::kSame);
  watch->Stop();
  EXPECT_EQ(clock_.pending(), 0u);
}

TEST_F(TenantsWatchTest, WhatCannotBeUsedChangesNothing) {
  Write(path_, "[tenants.a]");
  const auto watch = Watch();
  Write(path_, "");
  EXPECT_EQ(watch->Look(), Found::kUnusable);
  fs::remove(path_);
  EXPECT_EQ(watch->Look(), Found::kUnusable);
  Write(path_, "[tenants.a]");
  EXPECT_EQ(watch->Look(), Found::kSame);
  refuses_ = true;
  Write(path_, "[tenants.b]");
  EXPECT_EQ(watch->Look(), Found::kUnusable);
  EXPECT_TRUE(got_.empty());
  refuses_ = false;
  EXPECT_EQ(watch->Look(), Found::kReplaced);
}

TEST_F(TenantsWatchTest, ANewKeySetIsANewDirectory) {
  const fs::path keys = directory_ / "jwks.json";
  Write(keys, KeySet("1"));
  Write(path_, "[tenants.a]\n[jwt]\njwks_file='" + keys.string() +
                   "'\nissuer='i'\naudience='a'\nalgorithms=['ES256']");
  const auto watch = Watch();
  EXPECT_EQ(watch->Look(), Found::kSame);
  Write(keys, KeySet("2"));
  EXPECT_EQ(watch->Look(), Found::kReplaced);
  Write(keys, "{}");
  EXPECT_EQ(watch->Look(), Found::kUnusable);
  EXPECT_EQ(got_.size(), 1u);
}

TEST_F(TenantsWatchTest, SaysWhichFileIsWrong) {
  EXPECT_THAT(Refused(), HasSubstr("tenants.toml: No such file"));
  fs::create_directory(path_);
  EXPECT_THAT(Refused(), HasSubstr("is no file"));
  fs::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);  // does not wait for a writer
  EXPECT_THAT(Refused(), HasSubstr("is no file"));
  fs::remove(path_);
  Write(path_, "[tenants.a]");
  chmod(path_.c_str(), 0646);
  EXPECT_THAT(Refused(), HasSubstr("chmod o-w"));
  chmod(path_.c_str(), 0644);
  Write(path_, "[jwt]\njwks_file='/nowhere'\nissuer='i'\naudience='a'\nalgorithms=['ES256']");
  EXPECT_THAT(Refused(), HasSubstr("/nowhere: No such file"));
}

}  // namespace
}  // namespace gateway::app
