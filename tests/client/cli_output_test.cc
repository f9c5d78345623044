// The built command where its answers cannot be written: nothing is paid for that nobody hears of,
// and the id of what was paid for reaches the user.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client/failing_output.h"
#include "client/fake_server.h"
#include "client/process.h"

namespace pictory_jobs {
namespace {

namespace v1 = fake::v1;
using fake::CallInfo;
using fake::FakeServer;
using fake::FillingFile;
using fake::Handlers;
using fake::MakeJob;
using fake::Outcome;
using fake::Process;
using fake::Reader;
using fake::StateMessage;
using fake::Streams;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using WatchWriter = fake::Writer<v1::WatchJobResponse>;

// Every method answers with a job `j1`; `meanwhile_` happens in the middle of the call.
class CliOutputTest : public ::testing::Test {
 protected:
  CliOutputTest() {
    handlers_.create_preview = Submit<v1::CreatePreviewRequest, v1::CreatePreviewResponse>();
    handlers_.render = Submit<v1::RenderRequest, v1::RenderResponse>();
    handlers_.transcribe = Submit<v1::TranscribeRequest, v1::TranscribeResponse>();
    handlers_.summarize = Submit<v1::SummarizeRequest, v1::SummarizeResponse>();
    handlers_.resolve = Answer<v1::ResolveJobRequest, v1::ResolveJobResponse>();
    handlers_.remove = Answer<v1::DeleteJobRequest, v1::DeleteJobResponse>();
    handlers_.get = Answer<v1::GetJobRequest, v1::GetJobResponse>();
    handlers_.list = [this](const v1::ListJobsRequest&,
                            const CallInfo&) -> absl::StatusOr<v1::ListJobsResponse> {
      if (meanwhile_) meanwhile_();
      v1::ListJobsResponse page;
      *page.add_jobs() = MakeJob("j1", v1::JOB_STATE_QUEUED);
      return page;
    };
    handlers_.watch = [this](const v1::WatchJobRequest&, const CallInfo& call,
                             const WatchWriter& write) -> absl::Status {
      write(StateMessage(MakeJob("j1", v1::JOB_STATE_RUNNING, 2)));
      if (watched_) watched_();
      write(StateMessage(MakeJob("j1", v1::JOB_STATE_RUNNING, 3)));
      if (ends_) {
        write(StateMessage(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 4)));
      } else {
        call.wait_cancelled();
      }
      return absl::OkStatus();
    };
    std::string name = (std::filesystem::temp_directory_path() / "pictory-out-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~CliOutputTest() override { std::filesystem::remove_all(folder_); }

  template <class Request, class Response>
  fake::Unary<Request, Response> Submit() {
    return [this](const Request& request, const CallInfo& call) -> absl::StatusOr<Response> {
      {
        const std::lock_guard lock(mutex_);
        request_id_ = request.request_id();
        ++submits_;
      }
      return Answer<Request, Response>()(request, call);
    };
  }
  template <class Request, class Response>
  fake::Unary<Request, Response> Answer() {
    return [this](const Request&, const CallInfo& call) -> absl::StatusOr<Response> {
      if (meanwhile_) meanwhile_();
      if (hang_) call.wait_cancelled();
      if (cancelled_) cancelled_();
      Response response;
      *response.mutable_job() = MakeJob("j1", submitted_);
      return response;
    };
  }

  std::unique_ptr<Process> Start(std::vector<std::string> args, const Streams& streams = {}) {
    if (!server_) server_ = std::make_unique<FakeServer>(handlers_);
    args.insert(args.end(), {"--server", server_->target()});
    return std::make_unique<Process>(std::move(args), "", streams);
  }
  Outcome Run(std::vector<std::string> args, const Streams& streams = {}) {
    return Start(std::move(args), streams)->Wait();
  }
  // Each paid command.
  static std::vector<std::vector<std::string>> Submits() {
    return {{"preview", "--text", "Hi."},
            {"render", "j0"},
            {"transcribe", "https://x/a.mp3"},
            {"summarize", "j0", "--seconds", "9"}};
  }
  // The same with all that changes what is written when.
  static std::vector<std::vector<std::string>> SubmitsInEveryWay() {
    std::vector<std::vector<std::string>> all;
    for (const std::vector<std::string>& one : Submits()) {
      for (const std::vector<std::string>& flags : {std::vector<std::string>{},
                                                    {"--json"},
                                                    {"--watch"},
                                                    {"--wait"},
                                                    {"--watch", "--json"},
                                                    {"--wait", "--json"},
                                                    {"--wait", "--json", "-q"}}) {
        all.push_back(one);
        all.back().insert(all.back().end(), flags.begin(), flags.end());
      }
    }
    return all;
  }

  Handlers handlers_;
  v1::JobState submitted_ = v1::JOB_STATE_QUEUED;
  std::function<void()> meanwhile_;
  std::function<void()> watched_;
  std::function<void()> cancelled_;
  bool hang_ = false;
  bool ends_ = true;
  std::mutex mutex_;
  std::string request_id_;
  int submits_ = 0;
  std::filesystem::path folder_;
  std::unique_ptr<FakeServer> server_;
};

TEST_F(CliOutputTest, NothingIsSubmittedWhereTheAnswerCannotBeWritten) {
  Reader gone;
  gone.Leave();
  FillingFile full;
  full.Fill();
  const struct {
    Streams streams;
    const char* why;
  } cases[] = {{{.shell = ">&-"}, "Bad file descriptor"},
               {{.shell = ">/dev/full"}, "No space left on device"},
               {{.shell = "1</dev/null"}, "Bad file descriptor"},
               {{.out = gone.write_end()}, "Broken pipe"},
               {{.out = full.fd()}, "Operation not permitted"}};
  for (const auto& [streams, why] : cases) {
    for (const auto& args : Submits()) {
      const Outcome got = Run(args, streams);
      EXPECT_EQ(got.exit_code, 2) << args.front() << " " << why;
      EXPECT_EQ(got.err, std::string("pictory: standard output cannot be written (") + why +
                             "); nothing was submitted\n");
    }
    for (const std::vector<std::string>& args :
         {std::vector<std::string>{"delete", "j1"}, {"resolve", "j1", "--abandon"}}) {
      const Outcome got = Run(args, streams);
      EXPECT_EQ(got.exit_code, 2) << args.front();
      EXPECT_THAT(got.err, HasSubstr("; nothing was done"));
    }
  }
  EXPECT_EQ(submits_, 0);
  EXPECT_EQ(server_->Calls("DeleteJob") + server_->Calls("ResolveJob"), 0);
}

TEST_F(CliOutputTest, TheIdIsOnStderrWhereStdoutFailsAfterTheSubmit) {
  const std::vector<std::vector<std::string>> all = SubmitsInEveryWay();
  for (const bool disk : {false, true}) {
    submits_ = 0;
    for (const auto& args : all) {
      Reader reader;
      FillingFile file;
      meanwhile_ = [&] { disk ? file.Fill() : reader.Leave(); };
      const Outcome got = Run(args, {.out = disk ? file.fd() : reader.write_end()});
      EXPECT_EQ(got.exit_code, 7) << args.front() << " " << args.back();
      EXPECT_THAT(got.err, HasSubstr(disk ? "(Operation not permitted)" : "(Broken pipe)"));
      const bool json = std::find(args.begin(), args.end(), "--json") != args.end();
      EXPECT_THAT(got.err, HasSubstr(json ? R"("jobId":"j1")" : "\njob j1\n")) << args.back();
      EXPECT_THAT(got.err, HasSubstr("Do not submit it again"));
      EXPECT_THAT(got.err, HasSubstr("pictory watch j1"));
    }
    EXPECT_EQ(submits_, static_cast<int>(all.size()));
  }
}

TEST_F(CliOutputTest, ALimitOnTheSizeOfFilesKillsNobody) {
  // Whether it shows before the submit depends on the file system.
  const Outcome got = Run({"preview", "--text", "Hi."},
                          {.shell = "ulimit -f 0; >" + (folder_ / "answer").string()});
  EXPECT_EQ(got.exit_code, submits_ == 0 ? 2 : 7) << got.err;
  EXPECT_THAT(got.err, HasSubstr("(File too large)"));
  EXPECT_THAT(got.err, HasSubstr(submits_ == 0 ? "; nothing was submitted" : "\njob j1\n"));
}

TEST_F(CliOutputTest, AWatchEndsWhenNobodyReadsItAnyLonger) {
  ends_ = false;
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"preview", "--text", "Hi.", "--watch", "--json"},
        {"watch", "j1", "--json"}}) {
    Reader reader;
    watched_ = [&] { reader.Leave(); };
    const Outcome got = Run(args, {.out = reader.write_end()});
    EXPECT_EQ(got.exit_code, 7);
    if (args.front() == "watch") {
      EXPECT_THAT(got.err, IsEmpty());
    } else {
      EXPECT_THAT(got.err, HasSubstr(R"("jobId":"j1")"));
    }
  }
}

TEST_F(CliOutputTest, TheIdIsToldBeforeAWatchThatMayNeverBegin) {
  handlers_.watch = [](const v1::WatchJobRequest&, const CallInfo&, const WatchWriter&) {
    return absl::PermissionDeniedError("no");
  };
  const Outcome json = Run({"preview", "--text", "Hi.", "--watch", "--json"});
  EXPECT_EQ(json.exit_code, 5);
  EXPECT_THAT(json.out, StartsWith("{\"jobId\":\"j1\""));
  const Outcome quiet = Run({"preview", "--text", "Hi.", "--wait", "--json", "-q"});
  EXPECT_EQ(quiet.exit_code, 5);
  EXPECT_THAT(quiet.err, HasSubstr("The job goes on: pictory watch j1"));
}

TEST_F(CliOutputTest, UnconfirmedAndUntoldIsSevenAndNamed) {
  submitted_ = v1::JOB_STATE_UNCONFIRMED;
  Reader reader;
  meanwhile_ = [&] { reader.Leave(); };
  const Outcome got = Run({"preview", "--text", "Hi."}, {.out = reader.write_end()});
  EXPECT_EQ(got.exit_code, 7);
  EXPECT_THAT(got.err, HasSubstr("\njob j1\n"));
}

TEST_F(CliOutputTest, OnlyTheExitStatusIsLeftWhereStderrFailsToo) {
  for (const char* err : {"2>/dev/full", "2>&-"}) {
    FillingFile file;
    meanwhile_ = [&] { file.Fill(); };
    EXPECT_EQ(Run({"preview", "--text", "Hi."}, {.out = file.fd(), .shell = err}).exit_code, 7)
        << err;
  }
  EXPECT_EQ(submits_, 2);
}

TEST_F(CliOutputTest, ClosedStreamsAreNotTakenForConnections) {
  // The first socket would get the number of a closed stream.
  for (const char* closed : {"2>&-", "<&-", "<&- 2>&-"}) {
    const Outcome got = Run({"preview", "--text", "Hi.", "--watch"}, {.shell = closed});
    EXPECT_EQ(got.exit_code, 0) << closed;
    EXPECT_THAT(got.out, StartsWith("job j1\n"));
    EXPECT_THAT(got.out, HasSubstr("SUCCEEDED"));
  }
  EXPECT_EQ(Run({"get", "j1"}, {.shell = "<&- >&- 2>&-"}).exit_code, 7);
}

TEST_F(CliOutputTest, ReadingCommandsSayThatTheAnswerIsNotWhole) {
  submitted_ = v1::JOB_STATE_SUCCEEDED;  // of the job that is got
  handlers_.read = [](const v1::ReadJobResultRequest&, const CallInfo&,
                      const fake::Writer<v1::ReadJobResultResponse>& write) -> absl::Status {
    v1::ReadJobResultResponse piece;
    piece.set_data("all");
    piece.set_total_bytes(3);
    write(piece);
    return absl::OkStatus();
  };
  for (const std::vector<std::string>& args : {std::vector<std::string>{"get", "j1"},
                                               {"get", "j1", "--json"},
                                               {"list"},
                                               {"list", "--json"},
                                               {"wait", "j1"},
                                               {"wait", "j1", "--json"},
                                               {"watch", "j1"},
                                               {"watch", "j1", "--json"},
                                               {"result", "j1"},
                                               {"result", "j1", "--part", "txt"},
                                               {"resolve", "j1"},
                                               {"version"},
                                               {"--help"},
                                               {"version", "--json"}}) {
    const Outcome full = Run(args, {.shell = ">/dev/full"});
    EXPECT_EQ(full.exit_code, 7) << args.front();
    EXPECT_THAT(full.err, HasSubstr("(No space left on device)")) << args.front();
    EXPECT_EQ(Run(args, {.shell = ">&-"}).exit_code, 7) << args.front();
    // A reader who goes, such as `head`, has seen enough: no words, but no success either.
    Reader reader;
    reader.Leave();
    const Outcome left = Run(args, {.out = reader.write_end()});
    EXPECT_EQ(left.exit_code, 7) << args.front();
    EXPECT_THAT(left.err, Not(HasSubstr("pictory:"))) << args.front();
  }
}

TEST_F(CliOutputTest, WhatWasDoneIsSaidWhereItsAnswerIsLost) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"delete", "j1"}, {"resolve", "j1", "--abandon"}}) {
    Reader reader;
    meanwhile_ = [&] { reader.Leave(); };
    const Outcome got = Run(args, {.out = reader.write_end()});
    EXPECT_EQ(got.exit_code, 7);
    EXPECT_THAT(got.err, HasSubstr("(Broken pipe); what was asked for is done"));
  }
}

TEST_F(CliOutputTest, CtrlCInASubmitNamesItsRequestId) {
  hang_ = true;
  const auto process = Start({"preview", "--text", "Hi."});
  ASSERT_TRUE(server_->WaitForCalls("CreatePreview", 1));
  process->Signal(SIGINT);
  const Outcome got = process->Wait();
  EXPECT_EQ(got.exit_code, 6);
  EXPECT_THAT(got.err, HasSubstr("--request-id " + request_id_));
  EXPECT_THAT(got.out, IsEmpty());
}

TEST_F(CliOutputTest, CtrlCTwiceInASubmitNamesItsRequestIdToo) {
  // A full pipe holds the command up after the first one, before it could say anything.
  hang_ = true;
  std::promise<void> cancelled;
  cancelled_ = [&] { cancelled.set_value(); };
  Reader reader;
  const std::size_t filled = reader.FillUp();
  const auto process = Start({"preview", "--text", "Hi."}, {.err = reader.write_end()});
  ASSERT_TRUE(server_->WaitForCalls("CreatePreview", 1));
  process->Signal(SIGINT);
  cancelled.get_future().wait();
  process->Signal(SIGINT);
  reader.Drain(filled);
  EXPECT_EQ(process->Wait().exit_code, 6);
  EXPECT_THAT(reader.Rest(), HasSubstr("--request-id " + request_id_));
}

}  // namespace
}  // namespace pictory_jobs
