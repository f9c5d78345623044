#include "app/span_exporter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "support/fake_clock.h"

namespace gateway::app {
namespace {

using http::Response;

// A collector that answers when the test says so.
class Collector final : public http::HttpTransport {
 public:
  void Start(http::Request request, Done done) override {
    bool at_once = false;
    {
      MutexLock lock(mutex_);
      requests_.push_back(std::move(request));
      at_once = at_once_;
      if (!at_once) held_ = std::move(done);
    }
    if (at_once) done(Ok());
  }
  static Response Ok() { return {.outcome = Response::Outcome::kComplete, .status = 200}; }

  void Answer(const Response& response) {
    Done done;
    {
      MutexLock lock(mutex_);
      done = std::exchange(held_, nullptr);
    }
    done(response);
  }
  void AnswerAtOnce() {
    MutexLock lock(mutex_);
    at_once_ = true;
  }
  // The requests so far, once there are so many.
  std::vector<http::Request> Await(std::size_t count) {
    for (const auto begun = std::chrono::steady_clock::now();;) {
      {
        MutexLock lock(mutex_);
        if (requests_.size() >= count) return requests_;
      }
      if (std::chrono::steady_clock::now() - begun > std::chrono::seconds(30)) {
        ADD_FAILURE() << "waited in vain for request " << count;
        std::abort();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

 private:
  Mutex mutex_;
  bool at_once_ GUARDED_BY(mutex_) = false;
  Done held_ GUARDED_BY(mutex_);
  std::vector<http::Request> requests_ GUARDED_BY(mutex_);
};

int SpansIn(const http::Request& request) {
  int count = 0;
  for (std::size_t at = 0; (at = request.body->find("\"spanId\"", at)) != std::string::npos; ++at) {
    ++count;
  }
  return count;
}

class SpanExporterTest : public ::testing::Test {
 protected:
  void Add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) exporter_.Add({.name = "call"});
  }
  double Count(const char* what) const { return exporter_.counts().at(what); }

  Collector collector_;
  test::FakeClock clock_;
  SpanExporter exporter_{collector_, clock_, clock_};
};

TEST_F(SpanExporterTest, SpansOfAMomentGoTogether) {
  Add(3);
  clock_.Advance(limits::kSpansExportInterval);
  const auto requests = collector_.Await(1);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].path, "/v1/traces");
  EXPECT_EQ(SpansIn(requests[0]), 3);
  collector_.Answer(Collector::Ok());
  EXPECT_EQ(Count("exported"), 3);
  collector_.AnswerAtOnce();
  exporter_.Stop();
}

TEST_F(SpanExporterTest, OneRequestIsUnderWayAtATimeAndNoneIsTooLarge) {
  Add(limits::kSpansABatchMax + 1);
  clock_.Advance(limits::kSpansExportInterval);
  EXPECT_EQ(SpansIn(collector_.Await(1)[0]), limits::kSpansABatchMax);
  Add(1);
  clock_.Advance(limits::kSpansExportInterval);
  EXPECT_EQ(collector_.Await(1).size(), 1) << "the first one is not answered";
  collector_.AnswerAtOnce();
  collector_.Answer(Collector::Ok());
  EXPECT_EQ(SpansIn(collector_.Await(2)[1]), 2) << "the rest follows without waiting";
  exporter_.Stop();
  EXPECT_EQ(Count("exported"), limits::kSpansABatchMax + 2);
}

TEST_F(SpanExporterTest, WhatFindsNoPlaceIsDroppedAndCounted) {
  Add(limits::kSpansQueuedMax + 5);
  EXPECT_EQ(Count("dropped"), 5);
  collector_.AnswerAtOnce();
  exporter_.Stop();
  EXPECT_EQ(Count("exported"), limits::kSpansQueuedMax);
}

TEST_F(SpanExporterTest, WhatTheCollectorDoesNotTakeIsCounted) {
  for (const Response& bad : {Response{.outcome = Response::Outcome::kComplete, .status = 503},
                              Response{.outcome = Response::Outcome::kUnknown},
                              Response{.outcome = Response::Outcome::kNotSent}}) {
    const auto before = static_cast<std::size_t>(Count("failed"));
    Add(1);
    clock_.Advance(limits::kSpansExportInterval);
    collector_.Await(before + 1);
    collector_.Answer(bad);
    EXPECT_EQ(Count("failed"), before + 1);
  }
  collector_.AnswerAtOnce();
  exporter_.Stop();
  EXPECT_EQ(Count("exported"), 0);
}

TEST_F(SpanExporterTest, AtTheEndTheRestIsSentAndNothingLater) {
  collector_.AnswerAtOnce();
  Add(2 * limits::kSpansABatchMax);
  exporter_.Stop();
  EXPECT_EQ(Count("exported"), 2 * limits::kSpansABatchMax);
  Add(1);
  EXPECT_EQ(Count("dropped"), 1);
}

// The collector never answers; Stop waits for a moment only.
TEST_F(SpanExporterTest, TheEndDoesNotWaitForADeadCollector) {
  Add(1);
  clock_.Advance(limits::kSpansExportInterval);
  collector_.Await(1);
  Add(4);
  const auto begun = std::chrono::steady_clock::now();
  exporter_.Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3 * limits::kSpansLastExportMax);
  EXPECT_EQ(Count("dropped"), 4);
  collector_.Answer({.outcome = Response::Outcome::kNotSent});
}

}  // namespace
}  // namespace gateway::app
