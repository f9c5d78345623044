// The built command with local files: a scripted gateway, and the sandbox's media store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client/failing_output.h"
#include "client/fake_server.h"
#include "client/process.h"
#include "client/upload_rig.h"

namespace pictory_jobs {
namespace {

namespace v1 = fake::v1;
using fake::CallInfo;
using fake::FakeServer;
using fake::Handlers;
using fake::MakeJob;
using fake::Outcome;
using fake::Place;
using fake::Process;
using fake::Reader;
using fake::Streams;
using fake::UploadRig;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class CliUploadTest : public ::testing::Test {
 protected:
  CliUploadTest() {
    handlers_.create_upload = [this](const v1::CreateUploadRequest& request,
                                     const CallInfo&) -> absl::StatusOr<v1::CreateUploadResponse> {
      if (uploading_) uploading_();
      const std::lock_guard lock(mutex_);
      asked_ = request;
      place_ = rig_.Ask();
      v1::CreateUploadResponse response;
      response.set_signed_url(place_.signed_url);
      response.set_file_url(place_.url);
      response.set_content_type(place_.content_type);
      return response;
    };
    handlers_.transcribe = [this](const v1::TranscribeRequest& request,
                                  const CallInfo&) -> absl::StatusOr<v1::TranscribeResponse> {
      if (submitting_) submitting_();
      const std::lock_guard lock(mutex_);
      transcribed_ = request;
      if (!submit_status_.ok()) return submit_status_;
      v1::TranscribeResponse response;
      *response.mutable_job() = MakeJob("j1", v1::JOB_STATE_QUEUED);
      return response;
    };
    talk_ = rig_.Write("talk.mp4", bytes_);
  }

  FakeServer& Server() {
    if (!server_) server_ = std::make_unique<FakeServer>(handlers_);
    return *server_;
  }
  std::unique_ptr<Process> Start(std::vector<std::string> args, const Streams& streams = {}) {
    args.insert(args.end(), {"--server", Server().target()});
    return std::make_unique<Process>(std::move(args), "", streams);
  }
  Outcome Run(std::vector<std::string> args, const Streams& streams = {}) {
    return Start(std::move(args), streams)->Wait();
  }
  std::string Signature() const {
    return place_.signed_url.substr(place_.signed_url.rfind('=') + 1);
  }

  const std::string bytes_ = UploadRig::Bytes(3'000'000);
  UploadRig rig_;
  std::string talk_;
  std::mutex mutex_;
  Place place_;
  v1::CreateUploadRequest asked_;
  v1::TranscribeRequest transcribed_;
  absl::Status submit_status_;
  std::function<void()> uploading_;
  std::function<void()> submitting_;
  Handlers handlers_;
  std::unique_ptr<FakeServer> server_;
};

TEST_F(CliUploadTest, UploadPrintsTheUrlAlone) {
  const Outcome got = Run({"upload", talk_});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_EQ(got.out, place_.url + "\n");
  EXPECT_THAT(got.err, HasSubstr("talk.mp4  3.0 MB in "));
  EXPECT_THAT(got.err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(got.err, Not(HasSubstr(Signature())));
  EXPECT_EQ(asked_.file_name(), "talk.mp4");
  EXPECT_EQ(asked_.content_type(), "video/mp4");
  EXPECT_TRUE(rig_.Stored(place_) == bytes_);
  EXPECT_THAT(Run({"upload", talk_, "--quiet"}).err, IsEmpty());
}

TEST_F(CliUploadTest, UploadAsJsonIsOneObject) {
  const Outcome got = Run({"upload", talk_, "--json"});
  EXPECT_EQ(got.out, R"({"file":")" + talk_ + R"(","fileUrl":")" + place_.url +
                         R"(","contentType":"video/mp4","sizeBytes":3000000})" + "\n");
  EXPECT_THAT(got.err, IsEmpty());
}

TEST_F(CliUploadTest, TranscribeUploadsThenSubmits) {
  rig_.Fault(R"({"type":"cut_upload","after_bytes":1000000})");
  const Outcome got = Run({"transcribe", talk_, "--language", "de-DE", "--label", "a=b"});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_THAT(got.out, StartsWith("job j1\n"));
  EXPECT_THAT(got.err, HasSubstr("trying again"));
  EXPECT_THAT(got.err, HasSubstr("uploaded as " + place_.url));
  EXPECT_EQ(transcribed_.file_url(), place_.url);
  EXPECT_EQ(transcribed_.language(), "de-DE");
  EXPECT_EQ(transcribed_.labels().at("a"), "b");
  EXPECT_EQ(transcribed_.request_id().size(), 36u);
  EXPECT_TRUE(rig_.Stored(place_) == bytes_);
  EXPECT_EQ(rig_.Stat("bytes_received"), 3'000'000);
  EXPECT_EQ(Server().Calls("CreateUpload"), 1);
  EXPECT_EQ(Server().Calls("Transcribe"), 1);
}

TEST_F(CliUploadTest, ABadFileCostsNoCall) {
  rig_.Write("empty.mp4", "");
  for (const auto& [name, why] :
       {std::pair{"none.mp4", "no such file"}, std::pair{"empty.mp4", "is empty"},
        std::pair{"talk.mkv", "no such file"}}) {
    for (const char* command : {"transcribe", "upload"}) {
      const Outcome got = Run({command, rig_.PathOf(name)});
      EXPECT_EQ(got.exit_code, 2);
      EXPECT_THAT(got.err, HasSubstr(why));
    }
  }
  EXPECT_EQ(Server().Calls("CreateUpload"), 0);
}

TEST_F(CliUploadTest, ARefusedUploadSubmitsNothingAndShowsNoSecret) {
  rig_.options.upload_life = std::chrono::seconds(0);
  const Outcome got = Run({"transcribe", talk_});
  EXPECT_EQ(got.exit_code, 5);
  EXPECT_THAT(got.err, HasSubstr("403 AccessDenied: Request has expired"));
  EXPECT_THAT(got.err, HasSubstr("nothing was submitted"));
  EXPECT_THAT(got.err, Not(HasSubstr(Signature())));
  EXPECT_EQ(Server().Calls("Transcribe"), 0);
}

TEST_F(CliUploadTest, CtrlCEndsItCleanly) {
  rig_.Ask();  // starts the sandbox
  rig_.Fault(R"({"type":"never_answer"})");
  const auto process = Start({"transcribe", talk_});
  while (rig_.Hits() < 1) std::this_thread::yield();
  process->Signal(SIGINT);
  const Outcome got = process->Wait();
  EXPECT_EQ(got.exit_code, 130);
  EXPECT_THAT(got.err, HasSubstr("stopped; nothing was submitted"));
  EXPECT_EQ(Server().Calls("Transcribe"), 0);
}

TEST_F(CliUploadTest, AnUnclearSubmitIsRepeatedWithWhatWasUploaded) {
  submit_status_ = absl::InternalError("broken");
  const Outcome got = Run({"transcribe", talk_});
  EXPECT_EQ(got.exit_code, 6) << got.err;
  EXPECT_THAT(got.err, HasSubstr("pictory transcribe " + place_.url + " --request-id " +
                                 transcribed_.request_id()));
}

TEST_F(CliUploadTest, NothingIsSubmittedIfStdoutFailsDuringTheUpload) {
  Reader reader;
  uploading_ = [&] { reader.Leave(); };
  const Outcome got = Run({"transcribe", talk_}, {.out = reader.write_end()});
  EXPECT_EQ(got.exit_code, 2);
  EXPECT_THAT(got.err, HasSubstr("(Broken pipe); nothing was submitted"));
  EXPECT_EQ(Server().Calls("Transcribe"), 0);
}

TEST_F(CliUploadTest, TheIdIsOnStderrIfStdoutFailsDuringTheSubmit) {
  Reader reader;
  submitting_ = [&] { reader.Leave(); };
  const Outcome got = Run({"transcribe", talk_}, {.out = reader.write_end()});
  EXPECT_EQ(got.exit_code, 7);
  EXPECT_THAT(got.err, HasSubstr("\njob j1\n"));
}

TEST_F(CliUploadTest, TheUrlIsOnStderrIfStdoutFailsDuringTheUpload) {
  Reader reader;
  uploading_ = [&] { reader.Leave(); };
  const Outcome got = Run({"upload", talk_, "-q"}, {.out = reader.write_end()});
  EXPECT_EQ(got.exit_code, 7);
  EXPECT_THAT(got.err, HasSubstr("uploaded as " + place_.url + "\n"));
  EXPECT_THAT(got.err, Not(HasSubstr(Signature())));
}

TEST_F(CliUploadTest, AGatewayWithoutUploadsSaysSo) {
  handlers_.create_upload = nullptr;
  const Outcome got = Run({"upload", talk_});
  EXPECT_EQ(got.exit_code, 5);
  EXPECT_THAT(got.out, IsEmpty());
}

}  // namespace
}  // namespace pictory_jobs
