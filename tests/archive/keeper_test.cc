#include "archive/keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "archive/archive_folder.h"
#include "archive/detail.h"
#include "base/limits.h"

namespace gateway::archive {
namespace {

using http::FetchEnd;
using http::FetchHead;
using http::FetchRequest;
using testing::HasSubstr;

constexpr char kUrl[] = "https://d1.cloudfront.net/v.mp4";

// A Fetcher that answers as a test says.
class FakeFetcher final : public http::Fetcher {
 public:
  using Script = std::function<FetchEnd(const FetchRequest&, http::FetchSink&)>;
  FetchEnd Fetch(const FetchRequest& request, http::FetchSink& sink) override {
    requests.push_back(request);
    const Script script = scripts.front();
    scripts.pop_front();
    return script(request, sink);
  }
  std::deque<Script> scripts;
  std::vector<FetchRequest> requests;
};

FetchHead Whole(std::int64_t length, const std::string& tag = "\"v1\"") {
  return {.status = 200,
          .headers = {{"etag", tag}},
          .length = length,
          .ends_known = true,
          .location = ""};
}

// Sends these bytes of an answer with this head, and ends as told if the sink takes them.
FakeFetcher::Script Sends(const FetchHead& head, const std::string& bytes,
                          FetchEnd::What end = FetchEnd::What::kWhole) {
  return [=](const FetchRequest&, http::FetchSink& sink) -> FetchEnd {
    const bool taken = sink.Wanted() && sink.Begin(head) && sink.Take(bytes);
    return {.what = taken ? end : FetchEnd::What::kStopped,
            .head = head,
            .problem = "cut",
            .detail = "cut"};
  };
}

FakeFetcher::Script Answers(int status, const std::string& location = "") {
  return [=](const FetchRequest&, http::FetchSink&) -> FetchEnd {
    return {.what = FetchEnd::What::kWhole,
            .head = {.status = status, .headers = {}, .location = location},
            .problem = "",
            .detail = ""};
  };
}

class KeeperTest : public testing::Test {
 protected:
  absl::StatusOr<WholeFile> Keep(const std::string& url = kUrl) {
    Keeper keeper({.max_file_bytes = 1 * kMiB}, fetcher_, *disk_);
    return keeper.Keep({"acme", "j1"}, "video.mp4", url, stop_);
  }

  ArchiveFolder folder_;
  std::unique_ptr<Disk> disk_ = *Disk::Open({.directory = folder_.path(), .max_bytes = 4 * kMiB});
  FakeFetcher fetcher_;
  std::atomic<bool> stop_{false};
};

TEST_F(KeeperTest, FetchesAFileOnce) {
  fetcher_.scripts = {Sends(Whole(3), "abc")};
  const auto kept = Keep();
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->bytes, 3);
  EXPECT_EQ(fetcher_.requests[0].url, kUrl);
  EXPECT_FALSE(fetcher_.requests[0].loopback);
  EXPECT_EQ(Keep()->sha256, kept->sha256) << "it is there already";
  EXPECT_EQ(fetcher_.requests.size(), 1u);
}

TEST_F(KeeperTest, GoesOnWhereItBrokeOff) {
  fetcher_.scripts = {Sends(Whole(6), "abc", FetchEnd::What::kBroken),
                      Sends({.status = 206,
                             .headers = {{"content-range", "bytes 3-5/6"}, {"etag", "\"v1\""}},
                             .length = 3,
                             .ends_known = true,
                             .location = ""},
                            "def")};
  EXPECT_TRUE(absl::IsUnavailable(Keep().status()));
  EXPECT_EQ(Keep()->bytes, 6);
  EXPECT_EQ(fetcher_.requests[1].from, 3);
  EXPECT_EQ(fetcher_.requests[1].validator, "\"v1\"");
  EXPECT_EQ(folder_.Text("acme/j1/video.mp4"), "abcdef");
}

TEST_F(KeeperTest, AnotherVersionIsFetchedFromItsBeginning) {
  fetcher_.scripts = {Sends(Whole(6), "abc", FetchEnd::What::kBroken),
                      Sends(Whole(4, "\"v2\""), "wxyz")};
  EXPECT_FALSE(Keep().ok());
  EXPECT_EQ(Keep()->bytes, 4);
  EXPECT_EQ(folder_.Text("acme/j1/video.mp4"), "wxyz");
}

TEST_F(KeeperTest, FollowsARedirectToWhereItMayFetch) {
  fetcher_.scripts = {Answers(302, "https://other.example.com/v.mp4"), Sends(Whole(1), "a")};
  EXPECT_TRUE(Keep().ok());
  EXPECT_EQ(fetcher_.requests[1].url, "https://other.example.com/v.mp4");
}

TEST_F(KeeperTest, FollowsNoRedirectInsideNorForEver) {
  fetcher_.scripts = {Answers(302, "http://169.254.169.254/latest/meta-data")};
  EXPECT_TRUE(absl::IsInvalidArgument(Keep().status()));
  EXPECT_EQ(fetcher_.requests.size(), 1u);
  for (int i = 0; i <= limits::kArchiveRedirectsMax; ++i) {
    fetcher_.scripts.push_back(Answers(302, kUrl));
  }
  EXPECT_THAT(std::string(Keep().status().message()), HasSubstr("redirects more than"));
  EXPECT_TRUE(fetcher_.scripts.empty());
}

TEST_F(KeeperTest, AFileOfNoToldLengthIsBoundedAsItComes) {
  FetchHead chunked = Whole(-1);
  fetcher_.scripts = {Sends(chunked, std::string(kMiB + 1, 'x'))};
  EXPECT_TRUE(absl::IsOutOfRange(Keep().status()));
  EXPECT_EQ(disk_->used_bytes(), 0);
}

TEST_F(KeeperTest, WhatHasNoRoomIsNotBegun) {
  folder_.Write("acme/j9/video.mp4", std::string(4 * kMiB - 10, 'x'));
  disk_.reset();
  disk_ = *Disk::Open({.directory = folder_.path(), .max_bytes = 4 * kMiB});
  ASSERT_FALSE(disk_->CountMore());
  fetcher_.scripts = {Sends(Whole(100), std::string(100, 'a'))};
  EXPECT_TRUE(absl::IsResourceExhausted(Keep().status()));
  EXPECT_EQ(disk_->used_bytes(), 4 * kMiB - 10);
}

TEST_F(KeeperTest, ARefusedLinkIsTold) {
  fetcher_.scripts = {Answers(403)};
  EXPECT_TRUE(absl::IsPermissionDenied(Keep().status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Keep("http://10.0.0.1/v").status()));
}

// No server has said so, and names may be wrong for a while.
TEST_F(KeeperTest, AnAddressInsideIsNoRefusalOfTheServers) {
  fetcher_.scripts = {[](const FetchRequest&, http::FetchSink&) -> FetchEnd {
    return {.what = FetchEnd::What::kInside, .head = {}, .problem = "", .detail = ""};
  }};
  EXPECT_TRUE(absl::IsUnavailable(Keep().status()));
}

// Callers read the problem, and the log has the rest.
TEST_F(KeeperTest, WhatNamesOurInsideIsForTheLog) {
  fetcher_.scripts = {[](const FetchRequest&, http::FetchSink&) -> FetchEnd {
    return {.what = FetchEnd::What::kBroken,
            .head = {},
            .problem = "Couldn't resolve proxy name",
            .detail = "Could not resolve proxy: proxy.corp"};
  }};
  const absl::Status broken = Keep().status();
  EXPECT_EQ(broken.message(), "The fetch broke off: Couldn't resolve proxy name");
  EXPECT_EQ(DetailOf(broken), "Could not resolve proxy: proxy.corp");
}

// It would cost a look at Pictory, and the file in the end.
TEST_F(KeeperTest, ADiskThatDoesNotTakeTheFileIsNoRefusalOfTheServers) {
  std::filesystem::create_directories(folder_.path() + "/acme/j1/.video.mp4.part");
  EXPECT_TRUE(absl::IsInternal(Keep().status())) << Keep().status();
  folder_.Write("umbra", "a file in the place of a tenant's folder");
  Keeper keeper({.max_file_bytes = 1 * kMiB}, fetcher_, *disk_);
  const absl::Status status = keeper.Keep({"umbra", "j1"}, "video.mp4", kUrl, stop_).status();
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_TRUE(fetcher_.requests.empty());
}

TEST_F(KeeperTest, EndsWhenItIsToldTo) {
  stop_ = true;
  fetcher_.scripts = {Sends(Whole(1), "a")};
  EXPECT_TRUE(absl::IsCancelled(Keep().status()));
}

}  // namespace
}  // namespace gateway::archive
