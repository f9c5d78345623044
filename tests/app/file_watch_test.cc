#include "app/file_watch.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/limits.h"
#include "support/fake_clock.h"

namespace gateway::app {
namespace {

using Found = FileWatch::Found;

class FileWatchTest : public testing::Test {
 protected:
  WatchedFiles Files(const std::string& name = "secret") {
    WatchedFiles files{.name = name, .file = "f", .advice = "a"};
    files.read = [this]() -> absl::StatusOr<FileTexts> {
      if (text_.empty()) return absl::NotFoundError("f: gone");
      return FileTexts{text_};
    };
    files.make = [this](const FileTexts& texts) -> absl::StatusOr<WatchedFiles::Use> {
      ++made_;
      if (texts.front() == "bad") return absl::InvalidArgumentError("f: bad");
      return [this, text = texts.front()] {
        if (refuses_) return absl::InvalidArgumentError("not now");
        used_.push_back(text);
        return absl::OkStatus();
      };
    };
    files.looked = [this] { ++looked_; };
    return files;
  }

  test::FakeClock clock_;
  std::string text_ = "old";
  bool refuses_ = false;
  int made_ = 0;
  int looked_ = 0;
  std::vector<std::string> used_;
};

TEST_F(FileWatchTest, WhatIsNewIsMadeAndUsedOnce) {
  FileWatch watch(Files(), DigestOf({"old"}), clock_, clock_);
  clock_.Advance(3 * limits::kSecretLookInterval);
  EXPECT_EQ(made_, 0);
  EXPECT_EQ(looked_, 3);
  text_ = "new";
  clock_.Advance(3 * limits::kSecretLookInterval);
  EXPECT_EQ(used_, std::vector<std::string>{"new"});
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(watch.Look(), Found::kSame);
}

TEST_F(FileWatchTest, WhatIsBadIsLookedIntoOnceUntilItChanges) {
  FileWatch watch(Files(), DigestOf({"old"}), clock_, clock_);
  text_ = "bad";
  clock_.Advance(10 * limits::kSecretLookInterval);
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(watch.Look(), Found::kUnusable);
  text_ = "old";
  EXPECT_EQ(watch.Look(), Found::kSame);
  text_ = "bad";
  EXPECT_EQ(watch.Look(), Found::kUnusable);
  EXPECT_EQ(made_, 2);
  text_ = "";
  EXPECT_EQ(watch.Look(), Found::kUnusable);
  EXPECT_TRUE(used_.empty());
}

TEST_F(FileWatchTest, WhatIsRefusedIsTriedAgainAndNotMadeAgain) {
  FileWatch watch(Files(), DigestOf({"old"}), clock_, clock_);
  text_ = "new";
  refuses_ = true;
  clock_.Advance(5 * limits::kSecretLookInterval);
  EXPECT_TRUE(used_.empty());
  refuses_ = false;
  EXPECT_EQ(watch.Look(), Found::kReplaced);
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(used_, std::vector<std::string>{"new"});
}

// One of two files was read before both were replaced, and the other after it.
TEST_F(FileWatchTest, FilesThatAreJustBeingReplacedAreReadOnceMore) {
  WatchedFiles files = Files();
  int reads = 0;
  files.read = [&reads]() -> absl::StatusOr<FileTexts> {
    return FileTexts{++reads == 1 ? "bad" : "new"};
  };
  FileWatch watch(std::move(files), DigestOf({"old"}), clock_, clock_);
  EXPECT_EQ(watch.Look(), Found::kReplaced);
}

TEST_F(FileWatchTest, WhatIsKeptIsToldByFile) {
  FileWatches watches(clock_, clock_);
  WatchedFiles own = Files();
  own.file = "secret";
  watches.Add(std::move(own), DigestOf({"old"}));
  WatchedFiles tls = Files("tls");
  tls.file = "cert";
  tls.read = [] { return FileTexts{"same"}; };
  watches.Add(std::move(tls), DigestOf({"same"}));
  const auto kept = [](double secret) {
    return std::map<std::string, double>{{"secret", secret}, {"cert", 0}};
  };
  EXPECT_EQ(watches.Kept(), kept(0)) << "there from the beginning";
  text_ = "bad";
  clock_.Advance(limits::kSecretLookInterval);
  EXPECT_EQ(watches.Kept(), kept(1));
  text_ = "";
  clock_.Advance(limits::kSecretLookInterval);
  EXPECT_EQ(watches.Kept(), kept(1));
  text_ = "new";
  clock_.Advance(limits::kSecretLookInterval);
  EXPECT_EQ(watches.Kept(), kept(0));
}

TEST_F(FileWatchTest, TextsAreToldApartByTheFileTheyStandIn) {
  EXPECT_NE(DigestOf({"a", "b"}), DigestOf({"ab"}));
  EXPECT_NE(DigestOf({"a", "b"}), DigestOf({"ab", ""}));
  EXPECT_EQ(DigestOf({"a", "b"}), DigestOf({"a", "b"}));
}

TEST_F(FileWatchTest, AllAreStoppedTogetherAndNoneComesAfterwards) {
  FileWatches watches(clock_, clock_);
  watches.Add(Files(), DigestOf({"old"}));
  watches.Add(Files("tls"), DigestOf({"old"}));
  EXPECT_STREQ(watches.Look("tenants", "none"), "none");
  EXPECT_STREQ(watches.Look("tls", "none"), "as before");
  text_ = "new";
  EXPECT_STREQ(watches.Look("secret", "none"), "replaced");
  text_ = "bad";
  EXPECT_STREQ(watches.Look("tls", "none"), "unusable, what was read before stays");
  EXPECT_EQ(clock_.pending(), 2u);
  watches.StopAll();
  EXPECT_EQ(clock_.pending(), 0u);
  watches.Add(Files(), DigestOf({"old"}));
  EXPECT_EQ(clock_.pending(), 0u);
}

}  // namespace
}  // namespace gateway::app
