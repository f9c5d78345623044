// The built command against a scripted gateway: exit statuses, and what goes to stdout and stderr.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "base/errors.h"
#include "client/fake_server.h"
#include "client/file_server.h"
#include "client/process.h"

namespace pictory_jobs {
namespace {

namespace v1 = fake::v1;
using fake::CallInfo;
using fake::FakeServer;
using fake::FileServer;
using fake::Handlers;
using fake::MakeJob;
using fake::Outcome;
using fake::Process;
using fake::StateMessage;
using fake::WithRetryInfo;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using WatchWriter = fake::Writer<v1::WatchJobResponse>;

// Jobs are answered by name: each test says in which state a job is and what comes next.
class CliTest : public ::testing::Test {
 protected:
  CliTest() {
    handlers_.create_preview = [this](
                                   const v1::CreatePreviewRequest& request,
                                   const CallInfo&) -> absl::StatusOr<v1::CreatePreviewResponse> {
      const std::lock_guard lock(mutex_);
      preview_ = request;
      if (!submit_status_.ok()) return submit_status_;
      v1::CreatePreviewResponse response;
      *response.mutable_job() = MakeJob("j1", submitted_);
      response.mutable_job()->set_request_id(request.request_id());
      return response;
    };
    handlers_.get = [this](const v1::GetJobRequest& request,
                           const CallInfo&) -> absl::StatusOr<v1::GetJobResponse> {
      const auto found = jobs_.find(request.job_id());
      if (found == jobs_.end()) return absl::NotFoundError("No job " + request.job_id());
      v1::GetJobResponse response;
      *response.mutable_job() = found->second;
      return response;
    };
    handlers_.watch = [this](const v1::WatchJobRequest& request, const CallInfo& call,
                             const WatchWriter& write) -> absl::Status {
      const auto found = states_.find(request.job_id());
      if (found == states_.end()) return absl::NotFoundError("No job " + request.job_id());
      int revision = 0;
      for (const v1::JobState state : found->second) {
        write(StateMessage(MakeJob(request.job_id(), state, ++revision)));
        if (state >= v1::JOB_STATE_SUCCEEDED) return absl::OkStatus();
      }
      call.wait_cancelled();
      return absl::OkStatus();
    };
    std::string name = (std::filesystem::temp_directory_path() / "pictory-cli-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~CliTest() override { std::filesystem::remove_all(folder_); }

  FakeServer& Server() {
    if (!server_) server_ = std::make_unique<FakeServer>(handlers_);
    return *server_;
  }
  std::unique_ptr<Process> Start(std::vector<std::string> args, const std::string& input = "") {
    args.insert(args.end(), {"--server", Server().target()});
    return std::make_unique<Process>(std::move(args), input);
  }
  Outcome Run(std::vector<std::string> args, const std::string& input = "") {
    return Start(std::move(args), input)->Wait();
  }

  Handlers handlers_;
  v1::JobState submitted_ = v1::JOB_STATE_QUEUED;
  absl::Status submit_status_;
  std::map<std::string, v1::Job> jobs_;
  std::map<std::string, std::vector<v1::JobState>> states_;
  std::mutex mutex_;
  v1::CreatePreviewRequest preview_;
  std::filesystem::path folder_;
  std::unique_ptr<FakeServer> server_;
};

long Lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

TEST_F(CliTest, SubmitPrintsTheJobFirst) {
  const std::string body = "{ \"videoName\":\"x\" }\n";
  const Outcome got = Run({"preview", "-", "--label", "a=b"}, body);
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_THAT(got.out, StartsWith("job j1\n"));
  EXPECT_THAT(got.err, IsEmpty());
  EXPECT_EQ(preview_.storyboard_json(), body);
  EXPECT_EQ(preview_.labels().at("a"), "b");
  EXPECT_EQ(preview_.request_id().size(), 36u);
}

TEST_F(CliTest, SubmitAsJsonIsOneLine) {
  const Outcome got = Run({"preview", "--text", "Hi.", "--json", "--request-id", "r1"});
  EXPECT_EQ(got.exit_code, 0);
  EXPECT_THAT(got.out, StartsWith("{\"jobId\":\"j1\""));
  EXPECT_EQ(Lines(got.out), 1);
  EXPECT_EQ(preview_.request_id(), "r1");
}

TEST_F(CliTest, WatchingASubmitShowsProgressAndTellsTheEnd) {
  states_["j1"] = {v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING, v1::JOB_STATE_SUCCEEDED};
  const Outcome got = Run({"preview", "--text", "Hi.", "--watch"});
  EXPECT_EQ(got.exit_code, 0);
  EXPECT_THAT(got.out, StartsWith("job j1\n"));
  EXPECT_THAT(got.out, HasSubstr("SUCCEEDED"));
  EXPECT_EQ(Lines(got.err), 3) << got.err;  // plain lines: stderr is no terminal
  EXPECT_THAT(got.err, HasSubstr("render j1  RUNNING\n"));
  EXPECT_THAT(got.err, Not(HasSubstr("\x1b")));
}

TEST_F(CliTest, WaitingForAFailedJobIsOne) {
  states_["j1"] = {v1::JOB_STATE_RUNNING, v1::JOB_STATE_FAILED};
  const Outcome got = Run({"preview", "--text", "Hi.", "--wait", "--json", "-q"});
  EXPECT_EQ(got.exit_code, 1);
  EXPECT_EQ(Lines(got.out), 1) << got.out;
  EXPECT_THAT(got.out, HasSubstr("JOB_STATE_FAILED"));
  EXPECT_THAT(got.err, IsEmpty());
}

TEST_F(CliTest, UnconfirmedIsSixAndExplained) {
  submitted_ = v1::JOB_STATE_UNCONFIRMED;
  const Outcome got = Run({"preview", "--text", "Hi."});
  EXPECT_EQ(got.exit_code, 6);
  EXPECT_THAT(got.out, StartsWith("job j1\n"));
  EXPECT_THAT(got.err, HasSubstr("Do not submit it again"));
}

int Times(const std::string& what, const std::string& text) {
  int times = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++times;
  return times;
}

// Each way to wait for a job: what state it is in is told once, and the wait goes on.
TEST_F(CliTest, WhoWaitsForAnUnconfirmedJobIsToldOnceAndGoesOnWaiting) {
  submitted_ = v1::JOB_STATE_UNCONFIRMED;
  states_["j1"] = {v1::JOB_STATE_UNCONFIRMED, v1::JOB_STATE_UNCONFIRMED, v1::JOB_STATE_QUEUED,
                   v1::JOB_STATE_SUCCEEDED};
  using Args = std::vector<std::string>;
  for (const Args& way :
       {Args{"wait", "j1"}, Args{"watch", "j1"}, Args{"preview", "--text", "Hi.", "--wait"},
        Args{"preview", "--text", "Hi.", "--watch"}}) {
    for (const Args& how : {Args{}, Args{"--json", "--quiet"}}) {
      Args args = way;
      args.insert(args.end(), how.begin(), how.end());
      SCOPED_TRACE(::testing::PrintToString(args));
      const Outcome got = Run(args);
      EXPECT_EQ(got.exit_code, 0);
      EXPECT_EQ(Times("Do not submit it again", got.err), 1) << got.err;
      EXPECT_EQ(Times("pictory resolve j1", got.err), 1) << got.err;
      EXPECT_THAT(got.out, HasSubstr("SUCCEEDED"));
      const bool shows_each = way.front() == "watch" || way.back() == "--watch";
      if (how.empty()) continue;
      EXPECT_EQ(Lines(got.out), shows_each ? 4 : 1) << got.out;
    }
  }
}

TEST_F(CliTest, AJobThatIsStillUnconfirmedWhenTheTimeIsOverIsSix) {
  submitted_ = v1::JOB_STATE_UNCONFIRMED;
  states_["j1"] = {v1::JOB_STATE_UNCONFIRMED};
  using Args = std::vector<std::string>;
  for (Args args :
       {Args{"wait", "j1"}, Args{"watch", "j1"}, Args{"preview", "--text", "Hi.", "--wait"}}) {
    args.insert(args.end(), {"--timeout", "1s"});
    SCOPED_TRACE(::testing::PrintToString(args));
    const Outcome got = Run(args);
    EXPECT_EQ(got.exit_code, 6);
    EXPECT_EQ(Times("Do not submit it again", got.err), 1) << got.err;
    EXPECT_THAT(got.err,
                HasSubstr("stopped waiting; the job is still UNCONFIRMED: pictory watch j1"));
    EXPECT_THAT(got.err, Not(HasSubstr("the job goes on")));
  }
  const Outcome got = Run({"wait", "j1", "--timeout", "1s", "--json"});
  EXPECT_EQ(got.exit_code, 6);
  EXPECT_THAT(got.out, HasSubstr("JOB_STATE_UNCONFIRMED"));
  EXPECT_EQ(Lines(got.out), 1);
}

TEST_F(CliTest, EachUnconfirmedJobOfSeveralIsTold) {
  states_["j1"] = states_["j2"] = {v1::JOB_STATE_UNCONFIRMED, v1::JOB_STATE_SUCCEEDED};
  states_["j3"] = {v1::JOB_STATE_RUNNING, v1::JOB_STATE_SUCCEEDED};
  const Outcome got = Run({"wait", "j1", "j2", "j3"});
  EXPECT_EQ(got.exit_code, 0);
  EXPECT_THAT(got.err, HasSubstr("pictory resolve j1"));
  EXPECT_THAT(got.err, HasSubstr("pictory resolve j2"));
  EXPECT_THAT(got.err, Not(HasSubstr("j3")));
}

TEST_F(CliTest, ARefusalIsFiveAndNamesTheFields) {
  submit_status_ =
      gateway::errors::Invalid({{"storyboard.scenes", "at least one"}, {"labels", "too many"}});
  const Outcome got = Run({"preview", "--text", "Hi."});
  EXPECT_EQ(got.exit_code, 5);
  EXPECT_THAT(got.out, IsEmpty());
  EXPECT_EQ(got.err,
            "pictory: the gateway refused the request:\n"
            "  storyboard.scenes: at least one\n"
            "  labels: too many\n");
}

TEST_F(CliTest, AnUnknownOutcomeOfTheCallIsSixAndNamesTheRequestId) {
  submit_status_ = absl::InternalError("stream reset");
  const Outcome got = Run({"preview", "--text", "Hi."});
  EXPECT_EQ(got.exit_code, 6);
  EXPECT_THAT(got.err, HasSubstr("--request-id " + preview_.request_id()));
}

TEST_F(CliTest, AConnectionThatAProxyBreaksIsResumed) {
  const absl::Status broken = absl::InternalError("Received RST_STREAM with error code 2");
  handlers_.create_preview =
      [&](const v1::CreatePreviewRequest& request,
          const CallInfo& call) -> absl::StatusOr<v1::CreatePreviewResponse> {
    const std::lock_guard lock(mutex_);
    if (call.number == 1) {
      preview_ = request;
      return broken;
    }
    EXPECT_EQ(request.request_id(), preview_.request_id());
    v1::CreatePreviewResponse response;
    *response.mutable_job() = MakeJob("j1", v1::JOB_STATE_QUEUED);
    return response;
  };
  handlers_.watch = [&](const v1::WatchJobRequest& request, const CallInfo&,
                        const WatchWriter& write) -> absl::Status {
    const int next = request.after_revision() + 1;
    write(StateMessage(
        MakeJob("j1", next < 3 ? v1::JOB_STATE_RUNNING : v1::JOB_STATE_SUCCEEDED, next)));
    return next < 3 ? broken : absl::OkStatus();
  };
  const Outcome got = Run({"preview", "--text", "Hi.", "--watch"});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_THAT(got.out, HasSubstr("SUCCEEDED"));
  EXPECT_THAT(got.err, HasSubstr("connection lost (Received RST_STREAM"));
  EXPECT_EQ(Run({"wait", "j1"}).exit_code, 0);
}

TEST_F(CliTest, AConnectionThatBreaksForEverIsFiveAndSaysWhoMayBeToBlame) {
  handlers_.get = [](const v1::GetJobRequest&,
                     const CallInfo&) -> absl::StatusOr<v1::GetJobResponse> {
    return absl::UnknownError("HTTP status 520");
  };
  handlers_.watch = [](const v1::WatchJobRequest&, const CallInfo&, const WatchWriter&) {
    return absl::CancelledError("");
  };
  const Outcome got = Run({"get", "j1"});
  EXPECT_EQ(got.exit_code, 5);
  EXPECT_THAT(got.err, HasSubstr("broke, or a proxy on the way ended the call (HTTP status 520)"));
  EXPECT_EQ(Run({"wait", "j1"}).exit_code, 5);  // not 130: nobody pressed Ctrl-C
}

TEST_F(CliTest, APartWhoseConnectionBreaksForEverGoesOnLater) {
  handlers_.read = [](const v1::ReadJobResultRequest& request, const CallInfo&,
                      const fake::Writer<v1::ReadJobResultResponse>& write) -> absl::Status {
    v1::ReadJobResultResponse piece;
    piece.set_data("0123");
    piece.set_total_bytes(10);
    if (request.offset() == 0) write(piece);
    return absl::InternalError("");
  };
  const std::string path = (folder_ / "x.txt").string();
  const Outcome got = Run({"result", "j", "--part", "txt", "-o", path});
  EXPECT_EQ(got.exit_code, 5);
  EXPECT_THAT(got.err, HasSubstr("The same command goes on where it stopped"));
  EXPECT_EQ(std::filesystem::file_size(path + ".j.txt.part"), 4u);
}

TEST_F(CliTest, AnUnreachableGatewayIsFive) {
  // Not six: where nobody listens nothing can have been submitted.
  const Outcome got = Process({"preview", "--text", "Hi.", "--server", "127.0.0.1:1"}).Wait();
  EXPECT_EQ(got.exit_code, 5);
  EXPECT_THAT(got.err, HasSubstr("PICTORY_GATEWAY"));
}

TEST_F(CliTest, WrongUsageIsTwo) {
  EXPECT_EQ(Process({"nonsense"}).Wait().exit_code, 2);
  const Outcome missing = Process({"preview", "/no/such.json"}).Wait();
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_EQ(missing.err, "pictory: /no/such.json: no such file\n");
  const Outcome json = Process({"preview", "-"}, "{\n  bad\n}").Wait();
  EXPECT_EQ(json.exit_code, 2);
  EXPECT_THAT(json.err, HasSubstr("stdin:2:3: this is not JSON"));
  EXPECT_EQ(Process({"--help"}).Wait().exit_code, 0);
  EXPECT_THAT(Process({"version"}).Wait().out, StartsWith("pictory "));
}

TEST_F(CliTest, AMissingJobIsThree) {
  for (const char* command : {"get", "watch", "wait", "result"}) {
    const Outcome got = Run({command, "nope"});
    EXPECT_EQ(got.exit_code, 3) << command;
    EXPECT_EQ(got.err, "pictory: No job nope\n") << command;
  }
}

TEST_F(CliTest, StoppingToWaitIsFour) {
  states_["j1"] = {v1::JOB_STATE_RUNNING};
  const Outcome got = Run({"wait", "j1", "--timeout", "50ms"});
  EXPECT_EQ(got.exit_code, 4);
  EXPECT_THAT(got.err, HasSubstr("pictory watch j1"));
}

TEST_F(CliTest, CtrlCDetachesAndSaysHowToGoOn) {
  states_["j1"] = states_["j2"] = {v1::JOB_STATE_RUNNING};
  const auto process = Start({"watch", "j1", "j2"});
  ASSERT_TRUE(Server().WaitForCalls("WatchJob", 2));
  process->Signal(SIGINT);
  const Outcome got = process->Wait();
  EXPECT_EQ(got.exit_code, 130);
  EXPECT_THAT(got.err, HasSubstr("pictory watch j1 j2"));
}

TEST_F(CliTest, SeveralJobsEndWithTheWorst) {
  states_["a"] = {v1::JOB_STATE_SUCCEEDED};
  states_["b"] = {v1::JOB_STATE_FAILED};
  const Outcome got = Run({"watch", "a", "b", "--json"});
  EXPECT_EQ(got.exit_code, 1);
  EXPECT_EQ(Lines(got.out), 2) << got.out;
}

TEST_F(CliTest, GetAsksForSeveralJobsAtOnce) {
  handlers_.batch_get = [](const v1::BatchGetJobsRequest& request,
                           const CallInfo&) -> absl::StatusOr<v1::BatchGetJobsResponse> {
    v1::BatchGetJobsResponse response;
    for (const std::string& id : request.job_ids()) {
      if (id == "odd") return absl::InvalidArgumentError("job_ids[0]: is no id");
      if (id == "of-pictory" || id == "nobodys") {
        response.add_missing_job_ids(id);
      } else if (response.jobs_size() == 60) {
        response.add_remaining_job_ids(id);
      } else {
        *response.add_jobs() = MakeJob(id, v1::JOB_STATE_QUEUED);
      }
    }
    return response;
  };
  jobs_["of-pictory"] = MakeJob("of-pictory", v1::JOB_STATE_RUNNING);
  jobs_["a"] = MakeJob("a", v1::JOB_STATE_RUNNING);

  std::vector<std::string> words = {"get", "--json", "of-pictory", "nobodys"};
  std::string expected = "of-pictory\n";
  for (int i = 0; i < 150; ++i) {
    words.push_back("j" + std::to_string(i));
    expected += words.back() + "\n";
  }
  const Outcome many = Run(words);
  EXPECT_EQ(many.exit_code, 3);
  std::string ids;
  std::istringstream lines(many.out);
  for (std::string line; std::getline(lines, line);) {
    ids += line.substr(10, line.find('"', 10) - 10) + "\n";
  }
  EXPECT_EQ(ids, expected);
  EXPECT_THAT(many.err, HasSubstr("nobodys"));
  EXPECT_EQ(Server().Calls("GetJob"), 2) << "those that the batch does not have";
  EXPECT_EQ(Server().Calls("BatchGetJobs"), 3);

  EXPECT_EQ(Run({"get", "odd", "a"}).exit_code, 3);
  EXPECT_EQ(Server().Calls("GetJob"), 4) << "what is wrong with one name fails no other";
}

TEST_F(CliTest, ABatchThatAnswersForNoneOfTheJobsEnds) {
  handlers_.batch_get = [](const v1::BatchGetJobsRequest& request, const CallInfo&) {
    v1::BatchGetJobsResponse response;
    for (const std::string& id : request.job_ids()) response.add_remaining_job_ids(id);
    return response;
  };
  EXPECT_EQ(Run({"get", "a", "b"}).exit_code, 5);
  EXPECT_EQ(Server().Calls("BatchGetJobs"), 1);
}

TEST_F(CliTest, ListShowsATableAndSaysIfThereIsMore) {
  handlers_.list = [](const v1::ListJobsRequest& request,
                      const CallInfo&) -> absl::StatusOr<v1::ListJobsResponse> {
    v1::ListJobsResponse page;
    if (request.states_size() > 0) return page;
    for (const char* id : {"a", "b", "c"}) *page.add_jobs() = MakeJob(id, v1::JOB_STATE_QUEUED);
    return page;
  };
  const Outcome table = Run({"list", "--limit", "2"});
  EXPECT_EQ(Lines(table.out), 3) << table.out;
  EXPECT_THAT(table.err, HasSubstr("--all"));
  EXPECT_EQ(Lines(Run({"list", "--json"}).out), 3);
  const Outcome none = Run({"list", "--state", "failed"});
  EXPECT_EQ(none.exit_code, 0);
  EXPECT_EQ(none.out, "");
  EXPECT_THAT(none.err, StartsWith("No jobs like that"));
}

TEST_F(CliTest, ResultPartsGoToStdoutOrAFile) {
  handlers_.read = [](const v1::ReadJobResultRequest& request, const CallInfo&,
                      const fake::Writer<v1::ReadJobResultResponse>& write) -> absl::Status {
    if (request.part() != v1::RESULT_PART_SRT)
      return absl::NotFoundError("Job j has no TXT in its result");
    v1::ReadJobResultResponse piece;
    piece.set_data("1\n00:00");
    piece.set_total_bytes(7);
    write(piece);
    return absl::OkStatus();
  };
  EXPECT_EQ(Run({"result", "j", "--part", "srt"}).out, "1\n00:00");
  const std::string path = (folder_ / "x.srt").string();
  EXPECT_EQ(Run({"result", "j", "--part", "srt", "-o", path}).out, path + "\n");
  EXPECT_EQ(std::filesystem::file_size(path), 7u);
  const Outcome missing = Run({"result", "j", "--part", "txt", "-o", path});
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_EQ(std::filesystem::file_size(path), 7u);  // as it was
  EXPECT_FALSE(std::filesystem::exists(path + ".j.txt.part"));
}

// The job's URL leads nowhere, as once Pictory has cleaned it.
TEST_F(CliTest, ArchivedFilesComeFromTheGatewayAndAreWhatTheyWere) {
  v1::Job job = MakeJob("j", v1::JOB_STATE_SUCCEEDED);
  job.mutable_image()->set_url("https://gone.invalid/image");
  v1::ArchivedFile& image = *job.mutable_archive()->add_files();
  image.set_name("image.png");
  image.set_field("url");
  image.set_state(v1::ARCHIVE_STATE_ARCHIVED);
  image.set_bytes(3);
  // `printf abc | sha256sum`
  image.set_sha256("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  v1::ArchivedFile& other = *job.mutable_archive()->add_files();
  other.set_name("thumbnail.jpg");
  other.set_state(v1::ARCHIVE_STATE_FAILED);
  other.set_problem("HTTP 404");
  jobs_["j"] = job;
  std::string bytes = "abc";
  handlers_.read_file = [&](const v1::ReadArchivedFileRequest& request, const CallInfo&,
                            const fake::Writer<v1::ReadArchivedFileResponse>& write) {
    EXPECT_EQ(request.name(), "image.png");
    v1::ReadArchivedFileResponse piece;
    piece.set_data(bytes.substr(static_cast<std::size_t>(request.offset())));
    piece.set_offset(request.offset());
    piece.set_total_bytes(3);
    write(piece);
    return absl::OkStatus();
  };
  const std::string path = (folder_ / "x.png").string();
  const auto content = [&] {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  };
  EXPECT_EQ(Run({"result", "j", "--download", "-o", path}).out, path + "\n");
  EXPECT_EQ(content(), "abc");
  EXPECT_EQ(Run({"result", "j", "--download", "-o", "-"}).out, "abc");

  // What there is of an attempt that broke off is gone on with.
  std::ofstream(path + ".j.image.png.part") << "ab";
  bytes = "xyc";
  EXPECT_EQ(Run({"result", "j", "--download", "--file", "image.png", "-o", path}).exit_code, 0);
  EXPECT_EQ(content(), "abc");

  bytes = "abd";
  const Outcome other_bytes = Run({"result", "j", "--download", "-o", path});
  EXPECT_NE(other_bytes.exit_code, 0);
  EXPECT_THAT(other_bytes.err, HasSubstr("not the one that was archived"));
  EXPECT_EQ(content(), "abc") << "as it was";
  EXPECT_NE(Run({"result", "j", "--download", "-o", "-"}).exit_code, 0);

  const Outcome failed = Run({"result", "j", "--download", "--file", "thumbnail.jpg"});
  EXPECT_EQ(failed.exit_code, 3);
  EXPECT_THAT(failed.err, HasSubstr("thumbnail.jpg could not be archived: HTTP 404"));
  const Outcome none = Run({"result", "j", "--download", "--file", "video.mp4"});
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.err, HasSubstr("there are: image.png, thumbnail.jpg"));
  EXPECT_THAT(Run({"get", "j"}).out, HasSubstr("1 of 2 files, 3 B"));
}

TEST_F(CliTest, ResultOfAnUnfinishedOrFailedJob) {
  jobs_["run"] = MakeJob("run", v1::JOB_STATE_RUNNING);
  jobs_["bad"] = MakeJob("bad", v1::JOB_STATE_FAILED);
  EXPECT_EQ(Run({"result", "run"}).exit_code, 4);
  EXPECT_EQ(Run({"result", "bad"}).exit_code, 1);
  EXPECT_EQ(Run({"get", "bad"}).exit_code, 0);
}

TEST_F(CliTest, DownloadsTheVideo) {
  FileServer files({.content = "an mp4"});
  jobs_["j"] = MakeJob("j", v1::JOB_STATE_SUCCEEDED);
  jobs_["j"].mutable_render()->set_video_url(files.url());
  jobs_["p"] = MakeJob("p", v1::JOB_STATE_SUCCEEDED);
  jobs_["p"].mutable_preview()->set_preview_url("https://x");
  EXPECT_THAT(Run({"result", "j"}).out, HasSubstr(files.url()));
  const std::string path = (folder_ / "v.mp4").string();
  const Outcome got = Run({"result", "j", "--download", "-o", path});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_EQ(got.out, path + "\n");
  std::ostringstream bytes;
  bytes << std::ifstream(path).rdbuf();
  EXPECT_EQ(bytes.str(), "an mp4");
  const Outcome none = Run({"result", "p", "--download"});
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.err, HasSubstr("has no file to download"));
}

TEST_F(CliTest, DownloadsWhatTheAiStudioMade) {
  FileServer files({.content = "a file"});
  jobs_["v"] = MakeJob("v", v1::JOB_STATE_SUCCEEDED);
  jobs_["v"].mutable_video()->set_url(files.url());
  jobs_["i"] = MakeJob("i", v1::JOB_STATE_SUCCEEDED);
  jobs_["i"].mutable_image()->set_url(files.url());
  for (const std::string job : {"v", "i"}) {
    EXPECT_THAT(Run({"get", job}).out, HasSubstr("pictory result " + job + " --download"));
    const std::string path = (folder_ / job).string();
    const Outcome got = Run({"result", job, "--download", "-o", path});
    EXPECT_EQ(got.exit_code, 0) << got.err;
    std::ostringstream bytes;
    bytes << std::ifstream(path).rdbuf();
    EXPECT_EQ(bytes.str(), "a file");
  }
  jobs_["i"].mutable_image()->clear_url();  // as of one whose URL is refused
  EXPECT_THAT(Run({"result", "i", "--download"}).err, HasSubstr("no https URL"));
}

TEST_F(CliTest, AVideoForStdoutIsAllThatGoesThere) {
  FileServer files({.content = std::string("an\0mp4\n", 7)});
  jobs_["j"] = MakeJob("j", v1::JOB_STATE_SUCCEEDED);
  jobs_["j"].mutable_render()->set_video_url(files.url());
  for (const auto& more : {std::vector<std::string>{}, {"--json"}, {"-q"}}) {
    std::vector<std::string> command = {"result", "j", "--download", "-o", "-"};
    command.insert(command.end(), more.begin(), more.end());
    const Outcome got = Run(command);
    EXPECT_EQ(got.exit_code, 0) << got.err;
    EXPECT_EQ(got.out, std::string("an\0mp4\n", 7));
    EXPECT_EQ(got.err, "");
  }
  EXPECT_FALSE(std::filesystem::exists("-"));
  FileServer cut({.content = "a whole mp4", .cut_after_bytes = 7});
  jobs_["j"].mutable_render()->set_video_url(cut.url());
  const Outcome broken = Run({"result", "j", "--download", "-o", "-"});
  EXPECT_EQ(broken.exit_code, 5);
  EXPECT_EQ(broken.out, "a whole");
  EXPECT_THAT(broken.err, HasSubstr("not the whole file"));
}

TEST_F(CliTest, SeveralJobsAreShownThoughOneIsMissing) {
  jobs_["a"] = MakeJob("a", v1::JOB_STATE_RUNNING);
  jobs_["b"] = MakeJob("b", v1::JOB_STATE_FAILED);
  EXPECT_EQ(Run({"get", "a", "b"}).exit_code, 0);
  const Outcome some = Run({"get", "a", "nope", "b"});
  EXPECT_EQ(some.exit_code, 3);
  EXPECT_THAT(some.out, StartsWith("job a\n"));
  EXPECT_THAT(some.out, HasSubstr("\njob b\n"));
  EXPECT_EQ(some.err, "pictory: No job nope\n");
  const Outcome json = Run({"get", "a", "nope", "b", "--json"});
  EXPECT_EQ(json.exit_code, 3);
  EXPECT_EQ(Lines(json.out), 2);
  EXPECT_EQ(json.err,
            "{\"error\":{\"code\":\"NOT_FOUND\",\"message\":\"No job nope\","
            "\"jobId\":\"nope\"}}\n");
}

TEST_F(CliTest, SeveralJobsAreDeletedThoughOneCannotBe) {
  std::vector<std::string> asked;
  handlers_.remove = [&](const v1::DeleteJobRequest& request,
                         const CallInfo&) -> absl::StatusOr<v1::DeleteJobResponse> {
    const std::lock_guard lock(mutex_);
    asked.push_back(request.job_id());
    if (request.job_id() == "busy") {
      return gateway::errors::JobNotDeletable("busy",
                                              "it is UNCONFIRMED; resolve it with ResolveJob");
    }
    v1::DeleteJobResponse response;
    *response.mutable_job() = MakeJob(request.job_id(), v1::JOB_STATE_SUCCEEDED);
    return response;
  };
  const Outcome got = Run({"delete", "a", "busy", "b"});
  EXPECT_EQ(got.exit_code, 5);
  EXPECT_EQ(got.out, "job a\n  deleted\njob b\n  deleted\n");
  EXPECT_EQ(got.err,
            "pictory: Job busy cannot be deleted: it is UNCONFIRMED; resolve it with `pictory "
            "resolve`\n");
  EXPECT_EQ(asked, (std::vector<std::string>{"a", "busy", "b"}));
  EXPECT_THAT(Run({"delete", "busy", "--json"}).err, HasSubstr(R"("reason":"JOB_NOT_DELETABLE")"));
}

TEST_F(CliTest, APreviewIsChangedByTheBytesOfAFile) {
  v1::UpdatePreviewRequest asked;
  handlers_.update_preview = [&](const v1::UpdatePreviewRequest& request,
                                 const CallInfo&) -> absl::StatusOr<v1::UpdatePreviewResponse> {
    const std::lock_guard lock(mutex_);
    asked = request;
    if (request.job_id() != "p1") return gateway::errors::JobNotFinished("p2", "RUNNING");
    v1::UpdatePreviewResponse response;
    *response.mutable_job() = MakeJob("p1", v1::JOB_STATE_SUCCEEDED);
    response.mutable_job()->mutable_preview()->set_preview_url("https://x.example/p1");
    return response;
  };
  const std::string elements = "[ {\"id\":\"bgMusic\", \"duration\":1.50} ]\n";
  const Outcome got = Run({"update-preview", "p1", "-"}, elements);
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_EQ(got.out, "job p1\n  changed at Pictory\n  https://x.example/p1\n");
  EXPECT_EQ(asked.elements_json(), elements);
  EXPECT_THAT(Run({"update-preview", "p1", "-", "--json"}, elements).out,
              HasSubstr(R"("jobId":"p1")"));
  const Outcome early = Run({"update-preview", "p2", "-"}, elements);
  EXPECT_EQ(early.exit_code, 5);
  EXPECT_THAT(early.err, HasSubstr("RUNNING"));
  const Outcome wrong = Run({"update-preview", "p1", "-"}, "{}");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_EQ(wrong.err, "pictory: stdin: the JSON must be an array of elements\n");
  EXPECT_EQ(Server().Calls("UpdatePreview"), 3);
}

TEST_F(CliTest, ProjectsAreListedToTheEndOrShown) {
  handlers_.list_projects = [](const v1::ListProjectsRequest& request, const CallInfo&) {
    v1::ListProjectsResponse page;
    page.add_projects()->set_project_id(request.page_token().empty() ? "p1" : "p2");
    page.mutable_projects(0)->set_name("Tale");
    if (request.page_token().empty()) page.set_next_page_token("k=");
    return page;
  };
  handlers_.get_project = [](const v1::GetProjectRequest& request,
                             const CallInfo&) -> absl::StatusOr<v1::GetProjectResponse> {
    if (request.project_id() != "p1") return absl::NotFoundError("no project");
    v1::GetProjectResponse response;
    response.mutable_project()->set_project_id("p1");
    response.mutable_project()->set_video_url("https://x.example/v.mp4");
    return response;
  };
  EXPECT_EQ(Run({"projects"}).out, "p1    Tale\np2    Tale\n");
  EXPECT_EQ(Lines(Run({"projects", "--json"}).out), 2);
  const Outcome one = Run({"projects", "p1"});
  EXPECT_THAT(one.out, StartsWith("project p1\n"));
  EXPECT_THAT(one.out, HasSubstr("https://x.example/v.mp4"));
  EXPECT_EQ(Run({"projects", "p9"}).exit_code, 3);
  EXPECT_EQ(Run({"projects", "p1", "--page-token", "k"}).exit_code, 2);
}

TEST_F(CliTest, ProjectsOfALargeAccountAreWaitedFor) {
  handlers_.list_projects = [](const v1::ListProjectsRequest& request,
                               const CallInfo& call) -> absl::StatusOr<v1::ListProjectsResponse> {
    if (call.number == 2) {
      return WithRetryInfo(absl::StatusCode::kResourceExhausted, "No budget", 0.01);
    }
    v1::ListProjectsResponse page;
    page.add_projects()->set_project_id(request.page_token().empty() ? "p1" : "p2");
    if (request.page_token().empty()) page.set_next_page_token("k=");
    return page;
  };
  const Outcome got = Run({"projects"});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_EQ(got.out, "p1    \np2    \n");
  EXPECT_THAT(got.err, IsEmpty());
  EXPECT_EQ(Server().Calls("ListProjects"), 3);
}

TEST_F(CliTest, AListOfProjectsThatEndsEarlySaysSoAndCanGoOn) {
  handlers_.list_projects = [](const v1::ListProjectsRequest& request,
                               const CallInfo& call) -> absl::StatusOr<v1::ListProjectsResponse> {
    if (call.number == 2) return absl::PermissionDeniedError("No");
    v1::ListProjectsResponse page;
    page.add_projects()->set_project_id(request.page_token().empty() ? "p1" : "p2");
    if (request.page_token().empty()) page.set_next_page_token("k'=");
    return page;
  };
  const Outcome early = Run({"projects"});
  EXPECT_EQ(early.exit_code, 5);
  EXPECT_EQ(early.out, "p1    \n");
  EXPECT_THAT(early.err, HasSubstr("not whole. Go on: pictory projects --page-token 'k'\\''='\n"));
  EXPECT_EQ(Run({"projects", "--page-token", "k'="}).out, "p2    \n");
}

TEST_F(CliTest, PagesOfProjectsInACircleEndWithAnError) {
  handlers_.list_projects = [](const v1::ListProjectsRequest& request, const CallInfo&) {
    v1::ListProjectsResponse page;
    page.set_next_page_token(request.page_token() == "A" ? "B" : "A");
    return page;
  };
  const Outcome got = Run({"projects", "--json"});
  EXPECT_EQ(got.exit_code, 5);
  EXPECT_THAT(got.err, HasSubstr("named before"));
  EXPECT_THAT(got.err, HasSubstr(R"({"warning":"The list of projects is not whole."})"));
  EXPECT_EQ(Server().Calls("ListProjects"), 3);
}

TEST_F(CliTest, TheAccountIsShownBesideWhatJobsHaveTold) {
  v1::GetAccountRequest asked;
  handlers_.get_account = [&](const v1::GetAccountRequest& request, const CallInfo&) {
    const std::lock_guard lock(mutex_);
    asked = request;
    v1::GetAccountResponse account;
    account.set_account("east");
    account.mutable_quota()->mutable_ai_credits()->set_used(7);
    account.mutable_quota()->mutable_ai_credits()->set_limit(1000000);
    account.set_ai_credits_left(93);
    account.set_credits_charged(1234567.5);
    auto& one = *account.add_transactions();
    one.set_type("debit");
    one.set_amount(123456.78);
    one.set_source("Text-to-Image");
    one.set_time("2026-05-08T15:37:11.176Z");
    return account;
  };
  v1::ListJobsRequest listed;
  handlers_.list = [&](const v1::ListJobsRequest& request, const CallInfo&) {
    const std::lock_guard lock(mutex_);
    listed = request;
    v1::ListJobsResponse page;
    *page.add_jobs() = MakeJob("a", v1::JOB_STATE_SUCCEEDED);
    page.mutable_jobs(0)->set_credits_used(123456.68);
    (*page.mutable_jobs(0)->mutable_labels())["team"] = "news";
    *page.add_jobs() = page.jobs(0);
    page.mutable_jobs(1)->set_credits_used(0.1);
    *page.add_jobs() = MakeJob("b", v1::JOB_STATE_SUCCEEDED);
    return page;
  };
  const Outcome got = Run({"account", "--month", "2026-05", "--by", "team"});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_EQ(got.out,
            "account east\n"
            "  AI credits            7 of 1000000\n"
            "  AI credits left       93\n"
            "  charged in the month  1234567.5\n"
            "  granted in the month  0\n"
            "  2026-05-08T15:37:11.176Z  -123456.78  Text-to-Image\n"
            "team=news  123456.78 AI credits of 2 jobs\n"
            "charged less what jobs have told: 1111110.72\n");
  EXPECT_EQ(asked.year(), 2026);
  EXPECT_EQ(asked.month(), 5);
  EXPECT_EQ(listed.created_from().seconds(), 1777593600);   // 2026-05-01
  EXPECT_EQ(listed.created_until().seconds(), 1780272000);  // 2026-06-01
  const std::string json = Run({"account", "--json", "--by", "team"}).out;
  EXPECT_THAT(json, HasSubstr(R"("account":"east")"));
  EXPECT_THAT(json, HasSubstr(R"("credits":123456.78,)"));
  EXPECT_THAT(json, HasSubstr(R"("unaccountedCredits":1111110.72)"));
  for (const char* bad : {"2026", "2026-13", "26-05", "2026-5"}) {
    EXPECT_EQ(Run({"account", "--month", bad}).exit_code, 2) << bad;
  }
}

TEST_F(CliTest, TemplatesAreUploadedShownChangedAndDeleted) {
  std::vector<std::string> done;
  const auto info = [](v1::Template* one) {
    one->set_template_id("t1");
    one->set_name("Letter");
    (*one->mutable_variables())["name"] = "NAME";
  };
  handlers_.list_templates = [&](const v1::ListTemplatesRequest&, const CallInfo&) {
    v1::ListTemplatesResponse all;
    info(all.add_templates());
    return all;
  };
  handlers_.get_template = [&](const v1::GetTemplateRequest&, const CallInfo&) {
    v1::GetTemplateResponse one;
    info(one.mutable_info());
    return one;
  };
  handlers_.create_template = [&](const v1::CreateTemplateRequest& request, const CallInfo&) {
    const std::lock_guard lock(mutex_);
    done.push_back(request.project_file());
    v1::CreateTemplateResponse one;
    info(one.mutable_info());
    return one;
  };
  handlers_.update_template = [&](const v1::UpdateTemplateRequest& request, const CallInfo&) {
    const std::lock_guard lock(mutex_);
    done.push_back(request.template_id() + request.scenes_json());
    return v1::UpdateTemplateResponse();
  };
  handlers_.delete_template = [&](const v1::DeleteTemplateRequest& request, const CallInfo&) {
    const std::lock_guard lock(mutex_);
    done.push_back(request.template_id());
    return v1::DeleteTemplateResponse();
  };
  EXPECT_EQ(Run({"template", "list"}).out, "t1  Letter\n");
  const Outcome shown = Run({"template", "upload", "-"}, "{\"a\": 1.50}");
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, StartsWith("template t1\n"));
  EXPECT_THAT(shown.out, HasSubstr("name=NAME"));
  EXPECT_EQ(Run({"template", "get", "t1"}).out, shown.out);
  EXPECT_EQ(Run({"template", "update", "t1", "-"}, "[1]").out, "template t1\n  changed\n");
  EXPECT_EQ(Run({"template", "delete", "t1"}).out, "template t1\n  deleted\n");
  EXPECT_EQ(done, (std::vector<std::string>{"{\"a\": 1.50}", "t1[1]", "t1"}));
  for (const std::vector<std::string>& bad : {std::vector<std::string>{"template"},
                                              {"template", "get"},
                                              {"template", "list", "t1"},
                                              {"template", "update", "t1"},
                                              {"template", "delete", "t1", "x"},
                                              {"template", "eat"}}) {
    EXPECT_EQ(Run(bad).exit_code, 2);
  }
}

TEST_F(CliTest, APreviewIsMadeFromATemplate) {
  const Outcome got = Run({"preview", "--template", "t1", "--set", "name=Ann=a", "--set", "b="});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_EQ(preview_.from_template().template_id(), "t1");
  EXPECT_EQ(preview_.from_template().variables().at("name"), "Ann=a");
  EXPECT_EQ(preview_.from_template().variables().at("b"), "");
  EXPECT_EQ(Run({"preview", "--template", "t1", "--text", "x"}).exit_code, 2);
  EXPECT_EQ(Run({"preview", "--set", "a=b", "--text", "x"}).exit_code, 2);
}

TEST_F(CliTest, NotificationsAreListedPageByPageAndReplayed) {
  std::vector<std::string> asked;
  handlers_.list_notifications = [&](const v1::ListNotificationsRequest& request, const CallInfo&) {
    const std::lock_guard lock(mutex_);
    asked.push_back(v1::NotificationState_Name(request.state()).substr(19) + request.page_token());
    v1::ListNotificationsResponse page;
    v1::Notification& one = *page.add_notifications();
    one.set_job_id(request.page_token().empty() ? "j1" : "j2");
    one.set_job_state(v1::JOB_STATE_FAILED);
    one.set_state(request.state());
    one.set_problem("The receiver answered with status 410");
    if (request.page_token().empty()) page.set_next_page_token("-more");
    return page;
  };
  handlers_.replay_notification =
      [&](const v1::ReplayNotificationRequest& request,
          const CallInfo&) -> absl::StatusOr<v1::ReplayNotificationResponse> {
    const std::lock_guard lock(mutex_);
    asked.push_back("replay " + request.job_id());
    if (request.job_id() == "gone") return absl::NotFoundError("There is no such job");
    v1::ReplayNotificationResponse response;
    response.mutable_notification()->set_job_id(request.job_id());
    response.mutable_notification()->set_state(v1::NOTIFICATION_STATE_PENDING);
    return response;
  };
  const Outcome listed = Run({"webhooks", "list"});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("job j1\n"));
  EXPECT_THAT(listed.out, HasSubstr("job j2\n"));
  EXPECT_THAT(listed.out, HasSubstr("answered with status 410"));
  EXPECT_THAT(listed.out, HasSubstr("given up"));
  EXPECT_THAT(Run({"webhooks", "list", "--pending"}).out, HasSubstr("is tried"));
  EXPECT_EQ(Run({"webhooks", "replay", "--all"}).exit_code, 0);
  EXPECT_EQ(asked,
            (std::vector<std::string>{"GIVEN_UP", "GIVEN_UP-more", "PENDING", "PENDING-more",
                                      "GIVEN_UP", "GIVEN_UP-more", "replay j1", "replay j2"}));
  for (const std::vector<std::string>& bad : {std::vector<std::string>{"webhooks"},
                                              {"webhooks", "replay"},
                                              {"webhooks", "list", "j1"},
                                              {"webhooks", "list", "--all"},
                                              {"webhooks", "replay", "j1", "--all"},
                                              {"webhooks", "replay", "--all", "--pending"},
                                              {"webhooks", "eat"}}) {
    EXPECT_EQ(Run(bad).exit_code, 2) << bad.back();
  }
}

TEST_F(CliTest, UsageIsShownWithItsLimits) {
  handlers_.get_usage = [](const v1::GetUsageRequest&, const CallInfo&) {
    v1::GetUsageResponse usage;
    usage.set_tenant("acme");
    usage.set_account("east");
    usage.mutable_submits_today()->set_used(12);
    usage.mutable_submits_today()->set_limit(100);
    usage.mutable_credits_today()->set_used(4.5);
    usage.set_credits_reserved(1.5);
    usage.mutable_active_jobs()->set_used(3);
    usage.set_repeated_today(2);
    return usage;
  };
  const Outcome got = Run({"usage"});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_EQ(got.out,
            "tenant acme\n"
            "  account          east\n"
            "  submits, 24 h    12 of 100\n"
            "  AI credits, 24 h 4.5\n"
            "    1.5 of them are reserved\n"
            "  active jobs      3\n"
            "  repeated, 24 h   2, paid once\n");
  EXPECT_THAT(Run({"usage", "--json"}).out, HasSubstr(R"("tenant":"acme")"));
}

TEST_F(CliTest, UsageIsShownByTheValuesOfALabel) {
  v1::GetUsageRequest asked;
  handlers_.get_usage = [&](const v1::GetUsageRequest& request, const CallInfo&) {
    const std::lock_guard lock(mutex_);
    asked = request;
    v1::GetUsageResponse usage;
    usage.set_tenant("acme");
    auto& news = *usage.add_by_label();
    news.set_value("news");
    news.set_jobs(2);
    news.set_credits(0.1 + 0.2);
    auto& none = *usage.add_by_label();
    none.set_jobs(1);
    usage.mutable_by_label_others()->set_jobs(3);
    usage.mutable_by_label_others()->set_credits(7);
    usage.mutable_by_label_from()->set_seconds(1777593600);
    return usage;
  };
  const Outcome got = Run({"usage", "--by", "team", "--since", "2026-05-01"});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_THAT(got.out, HasSubstr("team=news  0.3 AI credits of 2 jobs\n"
                                 "team: none  0 AI credits of 1 job\n"
                                 "other values  7 AI credits of 3 jobs\n"
                                 "These are the newest jobs only, since 2026-0"));
  EXPECT_EQ(asked.label_key(), "team");
  EXPECT_NEAR(static_cast<double>(asked.created_from().seconds()), 1777593600, 86400);
  EXPECT_THAT(Run({"usage", "--by", "team", "--json"}).out,
              HasSubstr(R"("byLabel":[{"jobs":"2",)"));
  EXPECT_FALSE(asked.has_created_from());
  EXPECT_EQ(Run({"usage", "--since", "7d"}).exit_code, 2) << "of what?";
}

// Every line of stderr is one object, whatever goes wrong.
TEST_F(CliTest, WithJsonStderrIsJsonToo) {
  jobs_["run"] = MakeJob("run", v1::JOB_STATE_RUNNING);
  states_["run"] = {v1::JOB_STATE_RUNNING};
  submit_status_ = WithRetryInfo(absl::StatusCode::kResourceExhausted, "Slow down", 90);
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"preview", "--text", "Hi.", "--request-id", "r1"},
       R"("requestId":"r1","retryAfterSeconds":90)"},
      {{"preview", "/no/such.json"}, R"("reason":"USAGE")"},
      {{"wait", "run", "--timeout", "200ms"}, R"("reason":"STOPPED_WAITING")"},
      {{"result", "run"}, R"("reason":"NO_RESULT")"},
      {{"result", "run", "--download"}, R"("jobId":"run")"},
      {{"watch", "nope"}, R"("jobId":"nope")"},
      {{"resolve", "nope"}, R"("reason":"NO_SUCH_CALL")"},
      {{"list", "--limit", "0"}, R"("message":"--limit: must be)"},
  };
  for (auto [command, wanted] : cases) {
    command.push_back("--json");
    const Outcome got = Run(command);
    EXPECT_NE(got.exit_code, 0) << command[0];
    EXPECT_THAT(got.err, StartsWith(R"({"error":{"code":)")) << command[0];
    EXPECT_THAT(got.err, HasSubstr(wanted)) << command[0];
    EXPECT_EQ(Lines(got.err), 1) << got.err;
  }
}

TEST_F(CliTest, CtrlCInADownloadKeepsWhatThereIsAndSaysHowToGoOn) {
  FileServer files({.content = "a whole mp4", .cut_after_bytes = 7, .etag = "\"1\"", .hold = true});
  jobs_["j"] = MakeJob("j", v1::JOB_STATE_SUCCEEDED);
  jobs_["j"].mutable_render()->set_video_url(files.url());
  const std::string path = (folder_ / "v.mp4").string();
  const std::vector<std::string> command = {"result", "j", "--download", "-o", path};
  const auto process = Start(command);
  ASSERT_TRUE(files.WaitForRequests(1));
  process->Signal(SIGINT);
  const Outcome got = process->Wait();
  EXPECT_EQ(got.exit_code, 130) << got.err;
  EXPECT_THAT(got.err, HasSubstr("The same command goes on where it stopped"));
  EXPECT_THAT(got.out, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(Run(command).out, path + "\n");
  EXPECT_EQ(std::filesystem::file_size(path), 11u);
}

TEST_F(CliTest, APartGoesOnWhereAnEarlierAttemptStopped) {
  std::vector<int> offsets;
  handlers_.read = [&offsets](
                       const v1::ReadJobResultRequest& request, const CallInfo&,
                       const fake::Writer<v1::ReadJobResultResponse>& write) -> absl::Status {
    const std::string all = "0123456789";
    offsets.push_back(request.offset());
    if (request.offset() > 10) return absl::InvalidArgumentError("offset: past the end");
    v1::ReadJobResultResponse piece;
    piece.set_offset(request.offset());
    piece.set_total_bytes(10);
    piece.set_data(all.substr(static_cast<std::size_t>(request.offset())));
    write(piece);
    return absl::OkStatus();
  };
  const std::string path = (folder_ / "x.txt").string();
  const std::string partial = path + ".j.txt.part";
  const auto whole = [&] {
    std::ostringstream bytes;
    bytes << std::ifstream(path).rdbuf();
    return bytes.str();
  };
  for (const char* had : {"0123", "0123456789", "longer than the part"}) {
    std::ofstream(partial) << had;
    const Outcome got = Run({"result", "j", "--part", "txt", "-o", path});
    EXPECT_EQ(got.exit_code, 0) << got.err;
    EXPECT_EQ(whole(), "0123456789");
    EXPECT_FALSE(std::filesystem::exists(partial));
    std::filesystem::remove(path);
  }
  EXPECT_EQ(offsets, (std::vector<int>{4, 10, 20, 0}));
}

TEST_F(CliTest, ResolveListsCandidatesOrDecides) {
  handlers_.resolve = [](const v1::ResolveJobRequest& request,
                         const CallInfo&) -> absl::StatusOr<v1::ResolveJobResponse> {
    v1::ResolveJobResponse response;
    *response.mutable_job() =
        MakeJob("j", request.abandon() ? v1::JOB_STATE_OUTCOME_UNKNOWN : v1::JOB_STATE_UNCONFIRMED);
    if (request.decision_case() == v1::ResolveJobRequest::DECISION_NOT_SET) {
      response.add_candidates()->set_pictory_job_id("p-77");
    }
    return response;
  };
  EXPECT_THAT(Run({"resolve", "j"}).out, HasSubstr("p-77"));
  EXPECT_THAT(Run({"resolve", "j", "--abandon"}).out, HasSubstr("OUTCOME_UNKNOWN"));
}

}  // namespace
}  // namespace pictory_jobs
