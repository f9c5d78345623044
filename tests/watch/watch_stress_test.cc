// These tests run watches on real threads, everything at once: writes that end on other threads,
// cancels, drains and a publisher that does not wait. The thread sanitizer finds what the
// expectations do not check.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "base/random.h"
#include "base/timer_thread.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/fake_store.h"
#include "watch/watch_stream.h"

namespace gateway::watch {
namespace {

using jobs::Frame;
using jobs::Hub;
using jobs::HubOptions;
using jobs::IsFinal;
namespace v1 = jobs::v1;
using std::chrono::milliseconds;
using test::MakeJob;

// A ThreadedSink ends writes on a thread of its own, as gRPC does, and is destroyed as soon as it
// was finished.
class ThreadedSink final : public StreamSink {
 public:
  struct Totals {
    std::atomic<int> finished{0};
    std::atomic<int> ok{0};
    std::atomic<int> finals{0};
    std::atomic<int> broken{0};
  };
  ThreadedSink(WorkThread& executor, Totals& totals) : executor_(executor), totals_(totals) {}

  void Own(std::shared_ptr<WatchStream> stream) { stream_ = std::move(stream); }
  std::shared_ptr<WatchStream> stream() const { return stream_; }

  void Write(Frame frame) override {
    if (writing_.exchange(true) || finished_) totals_.broken.fetch_add(1);
    v1::WatchJobResponse response;
    if (!response.ParseFromString(*frame)) totals_.broken.fetch_add(1);
    if (response.has_job()) {
      if (response.job().revision() <= revision_ || final_seen_) totals_.broken.fetch_add(1);
      revision_ = response.job().revision();
      final_seen_ = IsFinal(response.job().state());
    }
    executor_.Post([this, stream = stream_] {
      writing_ = false;
      stream->OnWriteDone(true);
      return false;
    });
  }
  void Finish(absl::Status status) override {
    if (writing_ || finished_.exchange(true)) totals_.broken.fetch_add(1);
    if (status.ok() != final_seen_) totals_.broken.fetch_add(1);
    totals_.ok.fetch_add(status.ok() ? 1 : 0);
    totals_.finals.fetch_add(final_seen_ ? 1 : 0);
    totals_.finished.fetch_add(1);
    delete this;
  }
  void TryCancel() override { totals_.broken.fetch_add(1); }

 private:
  WorkThread& executor_;
  Totals& totals_;
  std::shared_ptr<WatchStream> stream_;
  std::atomic<bool> writing_{false};
  std::atomic<bool> finished_{false};
  // Written by one operation at a time.
  std::int32_t revision_ = 0;
  bool final_seen_ = false;
};

void AwaitFinished(const std::atomic<int>& finished, int expected) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (finished.load() < expected && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  ASSERT_EQ(finished.load(), expected);
}

struct House {
  SystemClock clock;
  TimerThread timers{clock};
  test::FakeStore store;
  WorkThread broadcaster{"watchers", WorkThread::Rest::kDropped};
  WorkThread executor{"watchers", WorkThread::Rest::kDropped};
  Hub hub{HubOptions{}, store, broadcaster};
  StreamWheel wheel{clock, timers, broadcaster};

  std::shared_ptr<WatchStream> Open(ThreadedSink::Totals& totals, WatchOptions options = {}) {
    auto* sink = new ThreadedSink(executor, totals);
    auto stream = std::make_shared<WatchStream>(std::move(options), clock, *sink);
    sink->Own(stream);
    wheel.Add(stream, stream->FirstTick());
    return stream;
  }
};

TEST(WatchStressTest, EveryWatchSeesTheFinalStateLastAndOnce) {
  constexpr int kWatches = 400;
  constexpr int kRevisions = 300;
  House house;
  ThreadedSink::Totals totals;
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kWatches / 2; ++i) {
        auto stream = house.Open(totals);
        stream->Begin(house.hub.Subscribe("default", "j1", stream));
      }
    });
  }
  threads.emplace_back([&] {
    for (int revision = 2; revision <= kRevisions; ++revision) {
      house.hub.Publish(MakeJob(
          "j1", revision == kRevisions ? v1::JOB_STATE_FAILED : v1::JOB_STATE_RUNNING, revision));
    }
  });
  for (auto& thread : threads) thread.join();
  AwaitFinished(totals.finished, kWatches);
  EXPECT_EQ(totals.broken.load(), 0);
  EXPECT_EQ(totals.ok.load(), kWatches);
  EXPECT_EQ(totals.finals.load(), kWatches);
  house.broadcaster.WaitIdle();
  EXPECT_EQ(house.hub.watchers(), 0u);
}

TEST(WatchStressTest, CancelsAndDrainsAndStatesAtOnceFinishEachWatchOnce) {
  constexpr int kWatches = 600;
  House house;
  ThreadedSink::Totals totals;
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  std::atomic<bool> done{false};
  Random random(7);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kWatches / 3; ++i) {
        auto stream = house.Open(totals, {.heartbeat = milliseconds(0)});
        std::thread rival;
        const auto which = random.Next() % 3;
        if (which == 0) rival = std::thread([stream] { stream->OnCancel(); });
        if (which == 1)
          rival = std::thread([stream] { stream->End(errors::Draining(Duration(0))); });
        stream->Begin(house.hub.Subscribe("default", "j1", stream));
        if (rival.joinable()) rival.join();
      }
    });
  }
  threads.emplace_back([&] {
    for (int revision = 2; !done; ++revision) {
      house.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, revision));
      std::this_thread::yield();
    }
    house.hub.Publish(MakeJob("j1", v1::JOB_STATE_FAILED, 1'000'000'000));
  });
  for (int t = 0; t < 3; ++t) threads[static_cast<std::size_t>(t)].join();
  house.wheel.EndAll([] { return errors::Draining(Duration(0)); }, milliseconds(200));
  done = true;
  threads.back().join();
  AwaitFinished(totals.finished, kWatches);
  EXPECT_EQ(totals.broken.load(), 0);
  EXPECT_EQ(totals.ok.load(), totals.finals.load());
  EXPECT_LT(totals.ok.load(), kWatches);
  house.broadcaster.WaitIdle();
  EXPECT_EQ(house.hub.watchers(), 0u);
}

}  // namespace
}  // namespace gateway::watch
