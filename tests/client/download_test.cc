// Downloads over real HTTP, from a server that breaks off, knows no ranges, or refuses.
#include "pictory_jobs/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <sstream>
#include <stop_token>
#include <string>
#include <utility>

#include "client/file_server.h"

namespace pictory_jobs::cli {
namespace {

using fake::FileServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DownloadTest : public ::testing::Test {
 protected:
  DownloadTest() {
    std::string name =
        (std::filesystem::temp_directory_path() / "pictory-download-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~DownloadTest() override { std::filesystem::remove_all(folder_); }

  absl::Status Fetch(const std::string& url, std::int64_t max_bytes = 1 << 20) const {
    Download download;
    download.url = url;
    download.gateway_is_here = true;
    download.max_bytes = max_bytes;
    download.path = Path();
    download.partial = Path() + ".j1.part";
    return FetchFile(download);
  }
  std::string Path() const { return (folder_ / "video.mp4").string(); }
  std::string Partial() const { return Path() + ".j1.part"; }
  static std::string Read(const std::string& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
  }
  // Leaves the beginning of version "1".
  void WritePartial(const std::string& bytes) const {
    std::ofstream(Partial(), std::ios::binary) << bytes;
    std::ofstream(Partial() + ".version") << "\"1\"\n";
  }

  std::filesystem::path folder_;
  const std::string video_ = std::string(100'000, 'a') + std::string(100'000, 'b');
};

TEST_F(DownloadTest, AppearsUnderItsNameOnceComplete) {
  FileServer server({.content = video_});
  const absl::Status status = Fetch(server.url());
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Read(Path()), video_);
  EXPECT_FALSE(std::filesystem::exists(Partial()));
}

TEST_F(DownloadTest, GoesOnWhereItBrokeOff) {
  FileServer server({.content = video_, .cut_after_bytes = 150'000, .etag = "\"1\""});
  EXPECT_TRUE(absl::IsUnavailable(Fetch(server.url())));
  EXPECT_FALSE(std::filesystem::exists(Path()));
  EXPECT_EQ(std::filesystem::file_size(Partial()), 150'000u);
  EXPECT_TRUE(Fetch(server.url()).ok());
  EXPECT_EQ(Read(Path()), video_);
  EXPECT_THAT(server.ranges(), ElementsAre("", "bytes=150000-"));
}

TEST_F(DownloadTest, LeavesAnothersPartialFileAlone) {
  FileServer slow({.content = video_, .cut_after_bytes = 150'000, .etag = "\"1\"", .hold = true});
  FileServer fast({.content = "other"});
  std::promise<void> begun;
  std::stop_source stop;
  Download first;
  first.url = slow.url();
  first.gateway_is_here = true;
  first.path = Path();
  first.partial = Partial();
  first.stop = stop.get_token();
  first.progress = [&, told = false](std::int64_t done, std::int64_t) mutable {
    if (done > 0 && !std::exchange(told, true)) begun.set_value();
  };
  auto ended = std::async(std::launch::async, [&] { return FetchFile(first); });
  begun.get_future().wait();
  EXPECT_TRUE(Fetch(fast.url()).ok());
  EXPECT_EQ(Read(Path()), "other");
  stop.request_stop();
  EXPECT_TRUE(absl::IsCancelled(ended.get()));
  const std::string left = Read(Partial());
  EXPECT_GT(left.size(), 5u);
  EXPECT_EQ(left, video_.substr(0, left.size())) << "it can be gone on with";
  const std::filesystem::directory_iterator files(folder_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 3) << "the video, and the other's two";
}

TEST_F(DownloadTest, BeginsAnewWhereTheFileIsAnotherByNow) {
  FileServer first({.content = video_, .cut_after_bytes = 150'000, .etag = "\"1\""});
  EXPECT_TRUE(absl::IsUnavailable(Fetch(first.url())));
  FileServer same({.content = video_, .cut_after_bytes = 10'000, .etag = "\"1\""});
  EXPECT_TRUE(absl::IsUnavailable(Fetch(same.url())));
  EXPECT_EQ(std::filesystem::file_size(Partial()), 160'000u);  // gone on with
  const std::string other(180'000, 'c');
  FileServer made_anew({.content = other, .etag = "\"2\""});
  EXPECT_TRUE(Fetch(made_anew.url()).ok());
  EXPECT_EQ(Read(Path()), other);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

// Neither before nor after the cut does it say which version it has, so it may be another.
TEST_F(DownloadTest, BeginsAnewWhereNothingTellsOneVersionFromAnother) {
  FileServer first({.content = video_, .cut_after_bytes = 150'000});
  EXPECT_TRUE(absl::IsUnavailable(Fetch(first.url())));
  const std::string other(180'000, 'c');
  FileServer second({.content = other});
  EXPECT_TRUE(Fetch(second.url()).ok());
  EXPECT_EQ(Read(Path()), other);
  EXPECT_THAT(second.ranges(), ElementsAre(""));
}

TEST_F(DownloadTest, BeginsAnewWhereAServerGoesOnWithAnotherVersion) {
  FileServer first({.content = video_, .cut_after_bytes = 150'000, .etag = "\"1\""});
  EXPECT_TRUE(absl::IsUnavailable(Fetch(first.url())));
  const std::string other(180'000, 'c');
  FileServer second({.content = other, .etag = "\"2\"", .if_range = false});
  EXPECT_TRUE(Fetch(second.url()).ok());
  EXPECT_EQ(Read(Path()), other);
  EXPECT_THAT(second.ranges(), ElementsAre("bytes=150000-", ""));
}

TEST_F(DownloadTest, APartialAnswerFromAnotherPlaceIsNotJoined) {
  FileServer server({.content = video_, .etag = "\"1\"", .begin_wrong_by = 7});
  WritePartial(video_.substr(0, 1000));
  EXPECT_TRUE(Fetch(server.url()).ok());
  EXPECT_EQ(Read(Path()), video_);
}

TEST_F(DownloadTest, BeginsAnewWhereTheServerKnowsNoRanges) {
  FileServer server({.content = video_, .ranges = false, .etag = "\"1\""});
  WritePartial("zzzz");
  EXPECT_TRUE(Fetch(server.url()).ok());
  EXPECT_EQ(Read(Path()), video_);
}

TEST_F(DownloadTest, BeginsAnewWhereThePartialFileIsTooLong) {
  FileServer server({.content = "short", .etag = "\"1\""});
  WritePartial("longer than the video");
  EXPECT_TRUE(Fetch(server.url()).ok());
  EXPECT_EQ(Read(Path()), "short");
}

TEST_F(DownloadTest, AnEmptyAnswerDoesNotEndWhatWasThere) {
  FileServer server({.content = "", .etag = "\"2\""});
  WritePartial("the beginning of another version");
  ASSERT_TRUE(Fetch(server.url()).ok());
  EXPECT_EQ(Read(Path()), "");
  EXPECT_FALSE(std::filesystem::exists(Partial()));
}

TEST_F(DownloadTest, AnErrorsPageIsNoVideo) {
  for (const auto& [status, code] : {std::pair{404, absl::StatusCode::kNotFound},
                                     std::pair{403, absl::StatusCode::kFailedPrecondition},
                                     std::pair{503, absl::StatusCode::kUnavailable}}) {
    FileServer server({.content = video_, .status = status});
    EXPECT_EQ(Fetch(server.url()).code(), code);
    EXPECT_FALSE(std::filesystem::exists(Path()));
  }
}

TEST_F(DownloadTest, IsNotLedAwayFromHttps) {
  FileServer other({.content = "secret"});
  FileServer server({.content = video_, .status = 302, .location = other.url()});
  EXPECT_FALSE(Fetch(server.url()).ok());
  EXPECT_FALSE(std::filesystem::exists(Path()));
  EXPECT_TRUE(other.ranges().empty());
}

TEST_F(DownloadTest, AFileThatCannotBeWrittenIsTheCallersMistake) {
  FileServer server({.content = video_});
  Download download;
  download.url = server.url();
  download.gateway_is_here = true;
  download.path = (folder_ / "none" / "v.mp4").string();
  download.partial = download.path + ".part";
  const absl::Status status = FetchFile(download);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot be written"));
}

TEST_F(DownloadTest, LeavesThisMachineAloneForAGatewayElsewhere) {
  FileServer server({.content = video_});
  Download download;
  download.url = server.url();
  download.path = Path();
  download.partial = Partial();
  EXPECT_TRUE(absl::IsInvalidArgument(FetchFile(download)));
  EXPECT_TRUE(server.ranges().empty());
}

TEST_F(DownloadTest, IsNotLedToAnInsideAddress) {
  FileServer inside({.content = "secret"});
  const std::string port = inside.url().substr(inside.url().rfind(':'));
  for (const std::string host : {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"}) {
    FileServer server({.content = video_, .status = 302, .location = "https://" + host + port});
    const absl::Status status = Fetch(server.url());
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("inside address"));
  }
}

// Whether the server says its length or not, and whatever an earlier attempt has brought.
TEST_F(DownloadTest, EndsWhereItIsLongerThanAllowed) {
  FileServer server({.content = video_, .etag = "\"1\""});
  for (const std::int64_t had : {0, 1000}) {
    if (had > 0) WritePartial(video_.substr(0, static_cast<std::size_t>(had)));
    const absl::Status status = Fetch(server.url(), 199'999);
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("--max-mib"));
    EXPECT_FALSE(std::filesystem::exists(Path()));
    EXPECT_FALSE(std::filesystem::exists(Partial()));
  }
  EXPECT_TRUE(Fetch(server.url(), 200'000).ok());
  std::string taken;
  Download download;
  download.url = server.url();
  download.gateway_is_here = true;
  download.max_bytes = 199'999;
  download.sink = [&taken](std::string_view bytes) {
    taken += bytes;
    return true;
  };
  EXPECT_TRUE(absl::IsFailedPrecondition(StreamFile(download)));
  EXPECT_LE(taken.size(), 199'999U);
}

}  // namespace
}  // namespace pictory_jobs::cli
