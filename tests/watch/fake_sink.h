// FakeSink is the caller's end of a watch, controlled by the test.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "watch/watch_stream.h"

namespace gateway::test {

// Its writes end when the test says so. It fails on a second operation at once, or on one after
// Finish.
class FakeSink final : public watch::StreamSink {
 public:
  void Write(jobs::Frame frame) override {
    EXPECT_FALSE(writing) << "two writes at once";
    EXPECT_FALSE(finished) << "a write after Finish";
    writing = true;
    jobs::v1::WatchJobResponse response;
    EXPECT_TRUE(response.ParseFromString(*frame));
    written.push_back(response.has_heartbeat()
                          ? "beat " + std::to_string(response.heartbeat().revision())
                          : std::to_string(response.job().revision()));
    last = std::move(response);
  }
  void Finish(absl::Status with) override {
    EXPECT_FALSE(writing) << "Finish during a write";
    EXPECT_FALSE(finished) << "Finish twice";
    finished = true;
    status = std::move(with);
  }
  void TryCancel() override {
    EXPECT_FALSE(finished) << "TryCancel after Finish";
    ++cancels;
    if (on_cancel) on_cancel();
  }

  bool writing = false;
  bool finished = false;
  int cancels = 0;
  absl::Status status;
  std::vector<std::string> written;
  jobs::v1::WatchJobResponse last;
  std::function<void()> on_cancel;
};

}  // namespace gateway::test
