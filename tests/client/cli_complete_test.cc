// `pictory __complete` against a scripted gateway: the ids of jobs, or nothing, soon and without a
// word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "base/limits.h"
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
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Outcome Complete(const std::string& server, std::vector<std::string> words) {
  words.insert(words.begin(), {"__complete", "--server", server});
  Outcome outcome = Process(std::move(words), "").Wait();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  return outcome;
}

// Lists these jobs to whoever asks for their states.
Handlers Listing(std::vector<v1::Job> jobs, std::vector<v1::ListJobsRequest>* asked = nullptr) {
  Handlers handlers;
  handlers.list = [jobs, asked](const v1::ListJobsRequest& request,
                                const CallInfo&) -> absl::StatusOr<v1::ListJobsResponse> {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    if (asked != nullptr) asked->push_back(request);
    v1::ListJobsResponse response;
    for (const v1::Job& job : jobs) {
      const auto& states = request.states();
      if (states.empty() || std::find(states.begin(), states.end(), job.state()) != states.end()) {
        *response.add_jobs() = job;
      }
    }
    return response;
  };
  return handlers;
}

TEST(CliComplete, WatchOffersWhatHasNotEndedFirst) {
  FakeServer server(
      Listing({MakeJob("j1", v1::JOB_STATE_SUCCEEDED), MakeJob("j2", v1::JOB_STATE_RUNNING),
               MakeJob("j3", v1::JOB_STATE_QUEUED)}));
  const std::string out = Complete(server.target(), {"watch", "j3", "j"}).out;
  EXPECT_THAT(out, StartsWith("words\nj2\trender RUNNING"));
  EXPECT_THAT(out, HasSubstr("\nj1\trender SUCCEEDED"));
  EXPECT_THAT(out, Not(HasSubstr("j3")));
}

TEST(CliComplete, WhatAStrangeGatewaySaysIsHarmless) {
  v1::Job labelled = MakeJob("good", v1::JOB_STATE_RUNNING);
  (*labelled.mutable_labels())["a\x1b]0;b"] = "$(touch x)\n\tgood2";
  FakeServer server(
      Listing({MakeJob("$(touch x)", v1::JOB_STATE_RUNNING), MakeJob("a b", v1::JOB_STATE_RUNNING),
               MakeJob("x\x1b[2J", v1::JOB_STATE_RUNNING), MakeJob("x\ny", v1::JOB_STATE_RUNNING),
               labelled}));
  const std::string out = Complete(server.target(), {"watch", ""}).out;
  EXPECT_THAT(out, StartsWith("words\ngood\trender RUNNING, "));
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2) << out;
  EXPECT_EQ(std::count(out.begin(), out.end(), '\t'), 1) << out;
  EXPECT_THAT(out, Not(HasSubstr("\x1b")));
}

TEST(CliComplete, TheBeginningOfAnIdIsAskedFor) {
  std::vector<v1::ListJobsRequest> asked;
  FakeServer server(Listing({}, &asked));
  Complete(server.target(), {"get", "01hx2v"});
  Complete(server.target(), {"get", "j"});
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_TRUE(asked[0].has_created_from() && asked[0].has_created_until());
  EXPECT_FALSE(asked[1].has_created_from());
  EXPECT_EQ(asked[1].page_size(), gateway::limits::kCompletionJobsMax);
}

TEST(CliComplete, NobodyAnswers) {
  Handlers silent;
  silent.list = [](const v1::ListJobsRequest&,
                   const CallInfo& call) -> absl::StatusOr<v1::ListJobsResponse> {
    call.wait_cancelled();
    return absl::CancelledError("");
  };
  FakeServer server(silent);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(Complete(server.target(), {"watch", ""}).out, "words\n");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));  // asked once
  EXPECT_EQ(server.Calls("ListJobs"), 1);
  EXPECT_EQ(Complete("127.0.0.1:1", {"render", ""}).out, "files\n");
  EXPECT_EQ(Complete("", {"watch", ""}).out, "words\n");
  EXPECT_EQ(Complete(server.target(), {"render", "--tls-ca", "/none", ""}).out.substr(0, 6),
            "files\n");
}

}  // namespace
}  // namespace pictory_jobs
