// Uploads over real HTTP: to the sandbox's media store, and to stores that understand less.
#include "upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <mutex>
#include <vector>

#include "client/fake_pacing.h"
#include "client/upload_rig.h"
#include "http/server.h"
#include "upload_answer.h"

namespace pictory_jobs::cli {
namespace {

using fake::FakePacing;
using fake::Place;
using fake::UploadRig;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class UploadTest : public ::testing::Test {
 protected:
  UploadTest() { rig_.Write("talk.mp4", bytes_); }

  absl::Status Send(const Place& place, const std::string& name = "talk.mp4") {
    const absl::StatusOr<LocalFile> file = LocalFile::Open(rig_.PathOf(name), true);
    if (!file.ok()) return file.status();
    Upload upload;
    upload.file = &*file;
    upload.gateway_is_here = true;
    upload.url = place.signed_url;
    upload.content_type = place.content_type;
    upload.pacing = pacing_.pacing();
    upload.stop = stop_.get_token();
    upload.progress = progress_;
    upload.retrying = [this](const std::string& why) {
      if (on_retry_) on_retry_();
      why_.push_back(why);
    };
    return SendFile(upload);
  }
  static std::string SignatureOf(const Place& place) {
    return place.signed_url.substr(place.signed_url.rfind('=') + 1);
  }

  // Enough for a client to ask before it sends them (`Expect: 100-continue`).
  const std::string bytes_ = UploadRig::Bytes(3'000'000);
  UploadRig rig_;
  FakePacing pacing_;
  std::stop_source stop_;
  std::function<void(std::int64_t)> progress_;
  std::function<void()> on_retry_;
  std::vector<std::string> why_;
};

TEST_F(UploadTest, SendsTheFileAndNothingSecret) {
  const Place place = rig_.Ask();
  std::int64_t seen = 0;
  progress_ = [&seen](std::int64_t done) { seen = done; };
  EXPECT_EQ(Send(place), absl::OkStatus());
  EXPECT_TRUE(rig_.Stored(place) == bytes_);
  EXPECT_EQ(rig_.Stat("with_credentials"), 0);
  EXPECT_EQ(seen, static_cast<std::int64_t>(bytes_.size()));
  EXPECT_THAT(pacing_.waits(), SizeIs(0));
}

TEST_F(UploadTest, GoesOnWhereItBrokeOff) {
  const Place place = rig_.Ask();
  rig_.Fault(R"({"type":"cut_upload","after_bytes":1000000})");
  rig_.Fault(R"({"type":"cut_upload","after_bytes":900000})", R"("skip":1,"times":1,)");
  EXPECT_EQ(Send(place), absl::OkStatus());
  EXPECT_TRUE(rig_.Stored(place) == bytes_);
  EXPECT_EQ(rig_.Stat("bytes_received"), static_cast<double>(bytes_.size()));
  EXPECT_THAT(pacing_.waits(), SizeIs(2));
  EXPECT_THAT(why_[0], HasSubstr("broke off"));
}

TEST_F(UploadTest, BeginsAnewWhereTheStoreCannotGoOn) {
  rig_.options.resumable_uploads = false;
  const Place place = rig_.Ask();
  rig_.Fault(R"({"type":"cut_upload","after_bytes":1000000})");
  EXPECT_EQ(Send(place), absl::OkStatus());
  EXPECT_TRUE(rig_.Stored(place) == bytes_);
  EXPECT_EQ(rig_.Stat("bytes_received"), 1'000'000 + static_cast<double>(bytes_.size()));
}

TEST_F(UploadTest, ALostAnswerIsFoundOut) {
  const Place place = rig_.Ask();
  rig_.Fault(R"({"type":"reset"})");
  EXPECT_EQ(Send(place), absl::OkStatus());
  EXPECT_TRUE(rig_.Stored(place) == bytes_);
}

TEST_F(UploadTest, TriesSoOftenAndNoMore) {
  const Place place = rig_.Ask();
  rig_.Fault(R"({"type":"status","status":503,"retry_after":7})", "");
  const absl::Status status = Send(place);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("HTTP 503"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("6 attempts"));
  EXPECT_EQ(rig_.Hits(), kUploadFruitlessMax);
  EXPECT_THAT(pacing_.waits(), ElementsAre(7, 7, 7, 7, 7));
}

TEST_F(UploadTest, NobodyListening) {
  Place place;
  {
    auto server = gateway::http::Server::Listen({});
    place.signed_url = "http://" + (*server)->authority() + "/x?X-Amz-Signature=abc";
  }
  const absl::Status status = Send(place);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("abc")));
  EXPECT_THAT(pacing_.waits(), SizeIs(kUploadFruitlessMax - 1));
}

TEST_F(UploadTest, ARefusalIsToldInTheStoresWordsWithoutTheSignature) {
  rig_.options.upload_life = std::chrono::seconds(0);
  const Place expired = rig_.Ask();
  const absl::Status late = Send(expired);
  EXPECT_EQ(late.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(late.message()), HasSubstr("403 AccessDenied: Request has expired"));
  EXPECT_THAT(pacing_.waits(), SizeIs(0));
  Place wrong = rig_.Ask();
  wrong.signed_url.back() = wrong.signed_url.back() == '0' ? '1' : '0';
  const absl::Status refused = Send(wrong);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("SignatureDoesNotMatch"));
  EXPECT_THAT(std::string(refused.message()), Not(HasSubstr(SignatureOf(wrong))));
  EXPECT_EQ(rig_.Stat("bytes_received"), 0);  // refused before the bytes went out
}

TEST_F(UploadTest, StopsWhenAsked) {
  const Place place = rig_.Ask();
  progress_ = [this](std::int64_t) { stop_.request_stop(); };
  EXPECT_TRUE(absl::IsCancelled(Send(place)));
  stop_ = {};
  progress_ = nullptr;
  rig_.Fault(R"({"type":"status"})", "");
  on_retry_ = [this] { stop_.request_stop(); };
  EXPECT_TRUE(absl::IsCancelled(Send(place)));
  EXPECT_THAT(pacing_.waits(), SizeIs(1));
}

TEST_F(UploadTest, AFileThatChangesMeanwhileIsNotSent) {
  const Place place = rig_.Ask();
  rig_.Fault(R"({"type":"cut_upload","after_bytes":1000000})");
  on_retry_ = [this] { std::ofstream(rig_.PathOf("talk.mp4"), std::ios::app) << "more"; };
  const absl::Status status = Send(place);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("changed"));
}

TEST_F(UploadTest, OnlyToWhereItIsSafe) {
  for (const char* url : {"http://media.example.com/x", "ftp://127.0.0.1/x", "file:///etc/passwd",
                          "http://user@127.0.0.1/x", "http://127.0.0.1@evil.example/x", ""}) {
    Place place;
    place.signed_url = url;
    EXPECT_TRUE(absl::IsInvalidArgument(Send(place))) << url;
  }
}

TEST_F(UploadTest, ManyBytesNeedFewOfMemory) {
  const Place place = rig_.Ask();
  constexpr std::int64_t kBytes = 200'000'000;
  const std::string path = rig_.Write("long.mp4", "x");
  std::filesystem::resize_file(path, kBytes);  // sparse
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  EXPECT_EQ(Send(place, "long.mp4"), absl::OkStatus());
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 32'000) << "KiB, of client and store together";
  EXPECT_EQ(rig_.Stat("bytes_received"), kBytes);
}

// A store of the test's own: answers by number, and keeps what came.
class Store {
 public:
  using Answer = std::function<void(int number, const gateway::http::Responder&)>;
  explicit Store(Answer answer) : answer_(std::move(answer)) {
    gateway::http::ServerOptions options;
    options.max_body_bytes = 64 << 20;
    server_ = *gateway::http::Server::Listen(options);
    server_->Serve(
        [this](gateway::http::ServerRequest request, gateway::http::Responder responder) {
          int number = 0;
          {
            const std::lock_guard lock(mutex_);
            requests_.push_back(std::move(request));
            number = static_cast<int>(requests_.size());
          }
          answer_(number, responder);
        });
  }
  Place place() const {
    return {"http://" + server_->authority() + "/put?X-Amz-Signature=abc", "", "video/mp4"};
  }
  std::vector<gateway::http::ServerRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  const Answer answer_;
  std::mutex mutex_;
  std::vector<gateway::http::ServerRequest> requests_;
  std::unique_ptr<gateway::http::Server> server_;
};

gateway::http::ServerResponse Status(int status) {
  gateway::http::ServerResponse response;
  response.status = status;
  return response;
}

// Such a store takes the question how far it got for a file without bytes.
TEST_F(UploadTest, ASuccessThatProvesNothingIsNotBelieved) {
  Store store([](int number, const gateway::http::Responder& responder) {
    gateway::http::Delivery delivery;
    if (number == 1) {
      delivery.cut_after = 0;
      delivery.end = gateway::http::Delivery::End::kReset;
    }
    responder.Send(Status(200), delivery);
  });
  EXPECT_EQ(Send(store.place()), absl::OkStatus());
  const auto requests = store.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(*requests[1].FindHeader("content-range"), "bytes */3000000");
  EXPECT_TRUE(requests[1].body.empty());
  EXPECT_EQ(requests[2].FindHeader("content-range"), nullptr);
  EXPECT_TRUE(requests[2].body == bytes_);
  for (const auto& request : requests) {
    EXPECT_EQ(*request.FindHeader("content-type"), "video/mp4");
    EXPECT_EQ(request.FindHeader("authorization"), nullptr);
  }
}

TEST_F(UploadTest, IsNotLedElsewhere) {
  Store other([](int, const gateway::http::Responder& responder) { responder.Send(Status(200)); });
  Store store([&other](int, const gateway::http::Responder& responder) {
    gateway::http::ServerResponse response = Status(307);
    response.headers.push_back({"Location", other.place().signed_url});
    responder.Send(std::move(response));
  });
  const absl::Status status = Send(store.place());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("HTTP 307 (redirects"));
  EXPECT_TRUE(other.requests().empty());
}

TEST_F(UploadTest, AFileIsCheckedBeforeAnythingElse) {
  const auto why = [&](const std::string& name, bool speech, const std::string& type = "") {
    const auto file = LocalFile::Open(rig_.PathOf(name), speech, type);
    EXPECT_TRUE(file.ok() || absl::IsInvalidArgument(file.status())) << file.status();
    return file.ok() ? "fine: " + file->content_type() : std::string(file.status().message());
  };
  rig_.Write("empty.mp4", "");
  rig_.Write("a.mkv", "x");
  rig_.Write("A.MOV", "x");
  rig_.Write("logo.png", "x");
  std::filesystem::create_directory(rig_.PathOf("folder.mp4"));
  ASSERT_EQ(mkfifo(rig_.PathOf("pipe.mp4").c_str(), 0600), 0);
  std::filesystem::resize_file(rig_.Write("huge.mp4", "x"), (std::uintmax_t{5} << 30) + 1);
  EXPECT_THAT(why("none.mp4", true), HasSubstr("none.mp4: no such file"));
  EXPECT_THAT(why("empty.mp4", true), HasSubstr("is empty"));
  EXPECT_THAT(why("folder.mp4", true), HasSubstr("is a directory"));
  EXPECT_THAT(why("pipe.mp4", true), HasSubstr("is no regular file"));
  EXPECT_THAT(why("huge.mp4", true), HasSubstr("5 GiB"));
  EXPECT_THAT(why("a.mkv", true), HasSubstr("MP4, MOV, AVI, MP3, WAV and M4A"));
  EXPECT_THAT(why("logo.png", true), HasSubstr("MP4"));
  EXPECT_EQ(why("A.MOV", true), "fine: video/quicktime");
  EXPECT_EQ(why("logo.png", false), "fine: image/png");
  EXPECT_THAT(why("a.mkv", false), HasSubstr("--content-type"));
  EXPECT_EQ(why("a.mkv", false, "video/x-matroska"), "fine: video/x-matroska");
  EXPECT_THAT(why("a.mkv", false, "video"), HasSubstr("--content-type"));
}

TEST(UploadAnswerTest, WhereToGoOn) {
  EXPECT_EQ(NextByte("", 10), 0);
  EXPECT_EQ(NextByte("bytes=0-4", 10), 5);
  EXPECT_EQ(NextByte("bytes=0-9", 10), 10);
  for (const char* bad :
       {"bytes=0-10", "bytes=1-4", "0-4", "bytes=0-", "bytes=0-x", "bytes=0--4"}) {
    EXPECT_EQ(NextByte(bad, 10), std::nullopt) << bad;
  }
}

TEST(UploadAnswerTest, DelaysGrowAndObeyTheStore) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  EXPECT_EQ(UploadDelay(0, 0, seconds(0)), milliseconds(250));
  EXPECT_EQ(UploadDelay(1, 0, seconds(0)), milliseconds(500));
  EXPECT_EQ(UploadDelay(40, 0, seconds(0)), milliseconds(7500));
  EXPECT_LE(UploadDelay(40, 0.999, seconds(0)), seconds(15));
  EXPECT_EQ(UploadDelay(0, 0, seconds(20)), seconds(20));
  EXPECT_EQ(UploadDelay(0, 0, seconds(2000)), seconds(60));
}

TEST(UploadAnswerTest, WhatMayPass) {
  for (const long status : {500L, 502L, 503L, 429L, 408L}) {
    EXPECT_TRUE(absl::IsUnavailable(RefusedBy(status, "")));
  }
  for (const long status : {301L, 400L, 401L, 403L, 404L, 413L, 501L}) {
    EXPECT_EQ(RefusedBy(status, "").code(), absl::StatusCode::kFailedPrecondition) << status;
  }
  EXPECT_TRUE(absl::IsUnavailable(RefusedBy(400, "<Error><Code>RequestTimeout</Code></Error>")));
}

}  // namespace
}  // namespace pictory_jobs::cli
