// FakeJobsSink is the caller's end of a WatchJobs, controlled by the test.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "jobs/job.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "watch/stream.h"

namespace gateway::test {

// Its writes end when the test says so. It fails on a second operation at once, or on one after
// Finish.
class FakeJobsSink final : public watch::StreamSink {
 public:
  void Write(jobs::Frame frame) override {
    EXPECT_FALSE(writing) << "two writes at once";
    EXPECT_FALSE(finished) << "a write after Finish";
    writing = true;
    jobs::v1::WatchJobsResponse response;
    EXPECT_TRUE(response.ParseFromString(*frame));
    EXPECT_TRUE(response.has_heartbeat() || !response.resume_token().empty());
    written.push_back(TextOf(response));
    token = response.resume_token();
    tokens.push_back(token);
  }
  void Finish(absl::Status with) override {
    EXPECT_FALSE(writing) << "Finish during a write";
    EXPECT_FALSE(finished) << "Finish twice";
    finished = true;
    status = std::move(with);
  }
  void TryCancel() override { ++cancels; }

  // What was written since the last call.
  std::vector<std::string> Written() { return std::exchange(written, {}); }

  bool writing = false;
  bool finished = false;
  int cancels = 0;
  absl::Status status;
  std::vector<std::string> written;
  std::string token;                // of the last message
  std::vector<std::string> tokens;  // of all

 private:
  static std::string TextOf(const jobs::v1::WatchJobsResponse& response) {
    const auto job = [](const jobs::v1::Job& of) {
      return of.job_id() + " " + jobs::StateName(of.state()) + " " + std::to_string(of.revision());
    };
    switch (response.event_case()) {
      case jobs::v1::WatchJobsResponse::kJob:
        return job(response.job());
      case jobs::v1::WatchJobsResponse::kLeft:
        return "left " + job(response.left());
      case jobs::v1::WatchJobsResponse::kGoneJobId:
        return "gone " + response.gone_job_id();
      case jobs::v1::WatchJobsResponse::kListStarted:
        return response.list_started().restarted() ? "restart" : "list";
      case jobs::v1::WatchJobsResponse::kListCompleted:
        return "listed";
      case jobs::v1::WatchJobsResponse::kHeartbeat:
        if (response.heartbeat().store_away()) return "away beat";
        return response.heartbeat().upstream_degraded() ? "degraded beat" : "beat";
      default:
        return "nothing";
    }
  }
};

}  // namespace gateway::test
