// `pictory delete`, `resolve` and `resubmit` of many jobs, against a scripted gateway: nothing is
// done until it is said, and whatever is done can be done again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/errors.h"
#include "client/fake_server.h"
#include "client/process.h"

namespace pictory_jobs {
namespace {

namespace v1 = fake::v1;
using fake::CallInfo;
using fake::FakeServer;
using fake::Handlers;
using fake::MakeJob;
using fake::Outcome;
using fake::Process;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ChosenTest : public ::testing::Test {
 protected:
  ChosenTest() {
    handlers_.list = [this](const v1::ListJobsRequest& request,
                            const CallInfo&) -> absl::StatusOr<v1::ListJobsResponse> {
      const std::lock_guard lock(mutex_);
      filters_.push_back(request);
      v1::ListJobsResponse page;
      for (const v1::Job& job : jobs_) {
        const bool fits = std::find(request.states().begin(), request.states().end(),
                                    job.state()) != request.states().end();
        if (fits || request.states().empty()) *page.add_jobs() = job;
      }
      return page;
    };
    handlers_.remove = [this](const v1::DeleteJobRequest& request,
                              const CallInfo&) -> absl::StatusOr<v1::DeleteJobResponse> {
      const std::lock_guard lock(mutex_);
      asked_.push_back(request.job_id() + (request.cancel_only() ? " cancel" : ""));
      if (const auto found = answers_.find(request.job_id()); found != answers_.end()) {
        return found->second;
      }
      v1::DeleteJobResponse response;
      *response.mutable_job() = MakeJob(request.job_id(), v1::JOB_STATE_CLEANED);
      return response;
    };
    handlers_.resolve = [this](const v1::ResolveJobRequest& request,
                               const CallInfo&) -> absl::StatusOr<v1::ResolveJobResponse> {
      const std::lock_guard lock(mutex_);
      asked_.push_back(request.job_id() + (request.abandon() ? " abandon" : " look"));
      v1::ResolveJobResponse response;
      *response.mutable_job() =
          MakeJob(request.job_id(),
                  request.abandon() ? v1::JOB_STATE_OUTCOME_UNKNOWN : v1::JOB_STATE_UNCONFIRMED);
      if (!request.abandon()) response.add_candidates()->set_pictory_job_id("p-77");
      return response;
    };
    handlers_.get_server_info = [](const v1::GetServerInfoRequest&,
                                   const CallInfo&) -> absl::StatusOr<v1::GetServerInfoResponse> {
      v1::GetServerInfoResponse info;
      info.mutable_server_time()->set_seconds(2000);
      return info;
    };
    handlers_.generate_image = [this](
                                   const v1::GenerateImageRequest& request,
                                   const CallInfo&) -> absl::StatusOr<v1::GenerateImageResponse> {
      const std::lock_guard lock(mutex_);
      images_.push_back(request);
      v1::GenerateImageResponse response;
      v1::Job& job = *response.mutable_job();
      job = MakeJob("new-" + std::to_string(images_.size()), v1::JOB_STATE_QUEUED);
      job.set_request_id(request.request_id());
      job.mutable_create_time()->set_seconds(3000);
      return response;
    };
    std::string name = (std::filesystem::temp_directory_path() / "pictory-many-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~ChosenTest() override { std::filesystem::remove_all(folder_); }

  Outcome Run(std::vector<std::string> args, const std::string& input = "") {
    if (!server_) server_ = std::make_unique<FakeServer>(handlers_);
    args.insert(args.end(), {"--server", server_->target()});
    return Process(std::move(args), input).Wait();
  }
  std::string Write(const std::string& text) {
    const std::string path = folder_ / "films.jsonl";
    std::ofstream(path) << text;
    return path;
  }

  Handlers handlers_;
  std::mutex mutex_;
  std::vector<v1::Job> jobs_;
  std::map<std::string, absl::Status> answers_;
  std::vector<v1::ListJobsRequest> filters_;
  std::vector<std::string> asked_;
  std::vector<v1::GenerateImageRequest> images_;
  std::unique_ptr<FakeServer> server_;
  std::filesystem::path folder_;
};

TEST_F(ChosenTest, NothingIsDeletedUntilItIsSaid) {
  jobs_ = {MakeJob("a", v1::JOB_STATE_FAILED), MakeJob("b", v1::JOB_STATE_SUCCEEDED),
           MakeJob("busy", v1::JOB_STATE_RUNNING)};
  const Outcome dry = Run({"delete", "--label", "team=news", "--before", "2026-05-01T00:00:00Z"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("Would delete 2 jobs (1 SUCCEEDED, 1 FAILED)."));
  EXPECT_THAT(dry.out, Not(HasSubstr("busy"))) << "it has not ended";
  EXPECT_THAT(dry.err, HasSubstr("--yes does it"));
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_EQ(filters_.front().labels().at("team"), "news");
  EXPECT_EQ(filters_.front().created_until().seconds(), 1'777'593'600);
  EXPECT_EQ(filters_.front().states_size(), 6) << "those that have ended";

  const Outcome done = Run({"delete", "--label", "team=news", "--yes"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(asked_, ElementsAre("a", "b"));
  EXPECT_THAT(done.out, HasSubstr("job a  deleted\njob b  deleted\n2 jobs: 2 deleted\n"));
}

TEST_F(ChosenTest, OneThatCannotBeDeletedKeepsNoOtherFromIt) {
  jobs_ = {MakeJob("a", v1::JOB_STATE_FAILED), MakeJob("b", v1::JOB_STATE_FAILED),
           MakeJob("c", v1::JOB_STATE_FAILED)};
  answers_ = {{"a", gateway::errors::JobNotDeletable("a", "it is being sent")},
              {"b", gateway::errors::JobNotFound("b")}};
  const Outcome done = Run({"delete", "--all", "--yes", "--json"});
  EXPECT_EQ(done.exit_code, 5) << done.err;
  EXPECT_THAT(asked_, ElementsAre("a", "b", "c"));
  EXPECT_THAT(done.out,
              HasSubstr(R"({"summary":{"jobs":3,"deleted":1,"gone":1,"failed":["a"],"left":0}})"));
  EXPECT_THAT(done.err, HasSubstr(R"("reason":"JOB_NOT_DELETABLE")"));
}

// What waited when it was listed may have been paid for since.
TEST_F(ChosenTest, WhatWaitsIsCancelledAndNeverDeleted) {
  jobs_ = {MakeJob("a", v1::JOB_STATE_WAITING), MakeJob("b", v1::JOB_STATE_WAITING),
           MakeJob("c", v1::JOB_STATE_FAILED)};
  answers_ = {{"a", gateway::errors::JobNotWaiting("a", "it is SUCCEEDED")}};
  const Outcome done = Run({"delete", "--state", "waiting", "--state", "failed", "--yes"});
  EXPECT_EQ(done.exit_code, 5) << done.err;
  EXPECT_THAT(asked_, ElementsAre("a cancel", "b cancel", "c"));
  EXPECT_THAT(done.err, HasSubstr("Job a cannot be cancelled: it is SUCCEEDED"));

  asked_.clear();
  EXPECT_THAT(Run({"delete", "--all", "--cancel-only"}).out,
              HasSubstr("Would cancel 2 jobs (2 WAITING). They are never sent"));
  EXPECT_EQ(Run({"delete", "--all", "--cancel-only", "--yes"}).exit_code, 5);
  EXPECT_THAT(asked_, ElementsAre("a cancel", "b cancel"));
  asked_.clear();
  EXPECT_EQ(Run({"delete", "c", "--cancel-only"}).exit_code, 0);
  EXPECT_THAT(asked_, ElementsAre("c cancel"));
}

TEST_F(ChosenTest, ARefusalThatWouldMeetAllEndsIt) {
  jobs_ = {MakeJob("a", v1::JOB_STATE_FAILED), MakeJob("b", v1::JOB_STATE_FAILED)};
  answers_ = {{"a", absl::PermissionDeniedError("needs the role operate")}};
  const Outcome done = Run({"delete", "--all", "--yes"});
  EXPECT_NE(done.exit_code, 0);
  EXPECT_THAT(asked_, ElementsAre("a"));
  EXPECT_THAT(done.out, HasSubstr("2 jobs: 0 deleted, 1 failed, 1 left"));
  EXPECT_THAT(done.err, HasSubstr("goes on where this one stopped"));
}

TEST_F(ChosenTest, WhatWouldBeDoneIsJsonToo) {
  jobs_ = {MakeJob("a", v1::JOB_STATE_FAILED)};
  const Outcome dry = Run({"delete", "--state", "failed", "--json"});
  EXPECT_THAT(dry.out, HasSubstr(R"({"would":"delete","job":{"jobId":"a",)"));
  EXPECT_THAT(dry.out, HasSubstr(R"({"summary":{"dryRun":true,"jobs":1,"more":false}})"));
  EXPECT_THAT(dry.err, HasSubstr(R"({"note":)"));
  jobs_.clear();
  const Outcome none = Run({"delete", "--state", "failed"});
  EXPECT_EQ(none.exit_code, 0);
  EXPECT_EQ(none.out, "");
  EXPECT_THAT(none.err, HasSubstr("No jobs like that"));
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(ChosenTest, UnconfirmedJobsAreLookedAtAndGivenUpTogether) {
  jobs_ = {MakeJob("a", v1::JOB_STATE_UNCONFIRMED), MakeJob("b", v1::JOB_STATE_UNCONFIRMED),
           MakeJob("c", v1::JOB_STATE_FAILED)};
  const Outcome look = Run({"resolve", "--all"});
  EXPECT_EQ(look.exit_code, 0) << look.err;
  EXPECT_THAT(look.out, HasSubstr("pictory resolve a --adopt ID"));
  EXPECT_THAT(look.out, HasSubstr("pictory resolve b --adopt ID"));
  EXPECT_THAT(asked_, ElementsAre("a look", "b look"));

  asked_.clear();
  const Outcome dry = Run({"resolve", "--all", "--abandon"});
  EXPECT_THAT(dry.out,
              HasSubstr("Would abandon 2 jobs (2 UNCONFIRMED). Pictory may be working on"));
  EXPECT_THAT(asked_, IsEmpty());
  const Outcome done = Run({"resolve", "--all", "--abandon", "--yes"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(asked_, ElementsAre("a abandon", "b abandon"));
  EXPECT_THAT(done.out, HasSubstr("2 jobs: 2 abandoned"));
}

TEST_F(ChosenTest, FailedLinesAreSubmittedAgainOnceEach) {
  const std::string file = Write(R"({"kind":"image","body":{"prompt":"A lake"},"requestId":"lake"})"
                                 "\n"
                                 R"({"kind":"image","body":{"prompt":"A hill"},"requestId":"hill"})"
                                 "\n"
                                 R"({"kind":"image","body":{"prompt":"A town"},"requestId":"town"})"
                                 "\n");
  const auto made = [](const char* id, const char* request_id, v1::JobState state) {
    v1::Job job = MakeJob(id, state);
    job.set_request_id(request_id);
    job.set_kind(v1::JOB_KIND_IMAGE);
    (*job.mutable_labels())["team"] = "news";
    return job;
  };
  jobs_ = {made("1", "lake", v1::JOB_STATE_FAILED), made("2", "hill", v1::JOB_STATE_SUCCEEDED),
           made("3", "town", v1::JOB_STATE_FAILED), made("9", "sea", v1::JOB_STATE_FAILED)};
  jobs_[0].mutable_error()->set_message("out of paint");
  jobs_[1].set_credits_used(4);
  const Outcome dry = Run({"resubmit", file});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("line 1  image  job 1  FAILED  out of paint\n"));
  EXPECT_THAT(dry.out, HasSubstr("Would submit 2 lines again. They may use about 8 AI credits"));
  EXPECT_THAT(dry.err, HasSubstr("cannot be submitted again by it: 9"));
  EXPECT_THAT(dry.err, HasSubstr("--yes does it"));
  EXPECT_THAT(images_, IsEmpty());
  EXPECT_EQ(filters_.front().labels().count("pictory-batch"), 1u);

  const Outcome done = Run({"resubmit", file, "--yes", "--parallel", "1"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  ASSERT_EQ(images_.size(), 2u);
  EXPECT_EQ(images_[0].request_id(), "again-1");
  EXPECT_EQ(images_[0].prompt(), "A lake");
  EXPECT_EQ(images_[0].labels().at("team"), "news");
  EXPECT_EQ(images_[1].request_id(), "again-3");
  EXPECT_THAT(done.out, HasSubstr("2 lines: 2 submitted, 0 there before"));

  // The second job of line 1 is at work, and that of line 3 has failed.
  jobs_.push_back(made("new-1", "again-1", v1::JOB_STATE_RUNNING));
  jobs_.push_back(made("new-2", "again-3", v1::JOB_STATE_FAILED));
  images_.clear();
  EXPECT_EQ(Run({"resubmit", file, "--yes"}).exit_code, 0);
  ASSERT_EQ(images_.size(), 1u);
  EXPECT_EQ(images_[0].request_id(), "again-new-2");
}

TEST_F(ChosenTest, OtherFiltersChooseAmongTheLines) {
  const std::string file = Write(R"({"kind":"image","body":{"prompt":"A lake"},"requestId":"lake"})"
                                 "\n"
                                 R"({"kind":"image","body":{"prompt":"A hill"},"requestId":"hill"})"
                                 "\n");
  jobs_ = {MakeJob("1", v1::JOB_STATE_FAILED), MakeJob("2", v1::JOB_STATE_EXPIRED)};
  jobs_[0].set_request_id("lake");
  jobs_[1].set_request_id("hill");
  for (v1::Job& job : jobs_) job.set_kind(v1::JOB_KIND_IMAGE);
  const auto lines = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"resubmit", file, "--json"});
    const Outcome dry = Run(flags);
    EXPECT_EQ(dry.exit_code, 0) << dry.err;
    return std::count(dry.out.begin(), dry.out.end(), '\n') - 1;
  };
  EXPECT_EQ(lines({}), 1);
  EXPECT_EQ(lines({"--state", "expired", "--state", "failed"}), 2);
  EXPECT_EQ(lines({"--kind", "image"}), 1);
  EXPECT_EQ(lines({"--kind", "render"}), 0);
  EXPECT_EQ(lines({"--label", "team=news"}), 0);
  EXPECT_EQ(lines({"--since", "2100-01-01"}), 0);
  EXPECT_EQ(lines({"--before", "2100-01-01"}), 1);
  EXPECT_THAT(images_, IsEmpty());
  const Outcome bad = Run({"resubmit", Write("{\"kind\":\"image\"}\n")});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.err, HasSubstr("films.jsonl:1:"));
}

}  // namespace
}  // namespace pictory_jobs
