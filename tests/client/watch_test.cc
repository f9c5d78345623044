// Watches over broken streams, drains, silence and slow readers.
#include "pictory_jobs/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "client/fake_pacing.h"
#include "client/fake_server.h"
#include "pictory_jobs/client.h"

namespace pictory_jobs {
namespace {

using fake::CallInfo;
using fake::FakePacing;
using fake::FakeServer;
using fake::Handlers;
using fake::HeartbeatMessage;
using fake::MakeJob;
using fake::StateMessage;
using fake::WithErrorInfo;
using fake::WithRetryInfo;
using std::chrono::milliseconds;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using WatchHandler = fake::Streaming<v1::WatchJobRequest, v1::WatchJobResponse>;
using Write = fake::Writer<v1::WatchJobResponse>;

class WatchTest : public ::testing::Test {
 protected:
  Client Serve(WatchHandler handler, int watches_per_connection = 100) {
    Handlers handlers;
    handlers.watch = [this, handler = std::move(handler)](const v1::WatchJobRequest& request,
                                                          const CallInfo& call,
                                                          const Write& write) {
      {
        const std::lock_guard lock(mutex_);
        resumed_from_.push_back(request.after_revision());
        peers_.insert(call.peer);
      }
      return handler(request, call, write);
    };
    handlers.get = [this](const v1::GetJobRequest& request,
                          const CallInfo& call) -> absl::StatusOr<v1::GetJobResponse> {
      {
        const std::lock_guard lock(mutex_);
        unary_peers_.insert(call.peer);
      }
      v1::GetJobResponse response;
      *response.mutable_job() = MakeJob(request.job_id(), v1::JOB_STATE_SUCCEEDED, 9);
      return response;
    };
    server_ = std::make_unique<FakeServer>(std::move(handlers));
    ClientOptions options;
    options.pacing = pacing_.pacing(uniform_);
    options.watches_per_connection = watches_per_connection;
    return *Client::Connect(server_->target(), options);
  }

  static std::vector<int> Revisions(Watch& watch) {
    std::vector<int> seen;
    while (const auto job = watch.Next()) seen.push_back(job->revision());
    return seen;
  }

  FakePacing pacing_;
  double uniform_ = 0.5;
  std::mutex mutex_;
  std::vector<int> resumed_from_;
  std::set<std::string> peers_;
  std::set<std::string> unary_peers_;
  std::unique_ptr<FakeServer> server_;  // last: its handlers use the others
};

TEST_F(WatchTest, GivesEachStateAndEndsWithTheFinalOne) {
  const Client client = Serve([](const auto&, const CallInfo&, const Write& write) {
    write(StateMessage(MakeJob("j", v1::JOB_STATE_QUEUED, 1)));
    write(HeartbeatMessage(1));
    write(StateMessage(MakeJob("j", v1::JOB_STATE_RUNNING, 3)));
    write(StateMessage(MakeJob("j", v1::JOB_STATE_FAILED, 4)));
    return absl::OkStatus();
  });
  int heartbeats = 0;
  WatchOptions options;
  options.on_heartbeat = [&](bool) { ++heartbeats; };
  Watch watch = client.WatchJob("j", options);
  EXPECT_THAT(Revisions(watch), ElementsAre(1, 3, 4));
  EXPECT_TRUE(watch.status().ok()) << watch.status();
  EXPECT_EQ(watch.revision(), 4);
  EXPECT_EQ(heartbeats, 1);
  EXPECT_FALSE(watch.Next().has_value());
}

TEST_F(WatchTest, CallsBackFromAThreadOfItsOwn) {
  const Client client = Serve([](const auto& request, const CallInfo&, const Write& write) {
    if (request.after_revision() == 0) write(StateMessage(MakeJob("j", v1::JOB_STATE_QUEUED, 1)));
    if (request.after_revision() == 0) return absl::UnavailableError("away");
    write(StateMessage(MakeJob("j", v1::JOB_STATE_SUCCEEDED, 2)));
    return absl::OkStatus();
  });
  std::vector<int> revisions;
  std::promise<absl::Status> ended;
  const AsyncWatch watch = client.WatchJobAsync(
      "j", [&](const Job& job) { revisions.push_back(job.revision()); },
      [&](const absl::Status& status) { ended.set_value(status); });
  EXPECT_TRUE(ended.get_future().get().ok());
  EXPECT_THAT(revisions, ElementsAre(1, 2));
}

TEST_F(WatchTest, AnAsyncWatchEndsWithItsOwner) {
  std::promise<void> over;
  const std::shared_future<void> until = over.get_future().share();
  const Client client = Serve([until](const auto&, const CallInfo&, const Write& write) {
    write(StateMessage(MakeJob("j", v1::JOB_STATE_RUNNING, 1)));
    until.wait();
    return absl::OkStatus();
  });
  std::promise<void> running;
  absl::Status status;
  {
    const AsyncWatch watch = client.WatchJobAsync(
        "j", [&](const Job&) { running.set_value(); },
        [&](const absl::Status& why) { status = why; });
    running.get_future().wait();
  }
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  over.set_value();
}

TEST_F(WatchTest, AnAsyncWatchMayBeDroppedByItsOwnCallback) {
  const Client client = Serve([](const auto&, const CallInfo&, const Write& write) {
    write(StateMessage(MakeJob("j", v1::JOB_STATE_RUNNING, 1)));
    write(StateMessage(MakeJob("j", v1::JOB_STATE_SUCCEEDED, 2)));
    return absl::OkStatus();
  });
  // The callback is gone once the thread that calls it is.
  struct Callback {
    std::promise<void> gone;
    ~Callback() { gone.set_value(); }
  };
  std::atomic<int> states = 0, ends = 0;
  std::promise<void> owned;
  std::optional<AsyncWatch> watch;
  auto callback = std::make_shared<Callback>();
  const std::future<void> gone = callback->gone.get_future();
  watch = client.WatchJobAsync(
      "j",
      [&, callback, owner = owned.get_future().share()](const Job&) {
        owner.wait();
        ++states;
        watch.reset();
      },
      [&](const absl::Status&) { ++ends; });
  callback.reset();
  owned.set_value();
  gone.wait();
  EXPECT_EQ(states, 1);
  EXPECT_EQ(ends, 0);
}

// Five failures of 0.6 s are more than its patience, though its pauses are only 0.2 s each.
TEST_F(WatchTest, PatienceCountsTheSilenceToo) {
  uniform_ = 0;
  std::atomic<int> calls = 0;
  std::promise<void> over;
  const std::shared_future<void> until = over.get_future().share();
  const Client client = Serve([&calls, until](const auto&, const CallInfo&, const Write&) {
    ++calls;
    until.wait();
    return absl::OkStatus();
  });
  WatchOptions options;
  options.silence = std::chrono::milliseconds(600);
  options.connect_patience = std::chrono::seconds(2);
  Watch watch = client.WatchJob("j", options);
  EXPECT_THAT(Revisions(watch), ElementsAre());
  EXPECT_TRUE(absl::IsUnavailable(watch.status())) << watch.status();
  EXPECT_LE(calls, 5);  // the pauses alone would allow ten
  over.set_value();
}

TEST_F(WatchTest, GoesOnAfterTheRevisionItHasSeen) {
  const Client client =
      Serve([](const auto&, const CallInfo& call, const Write& write) -> absl::Status {
        if (call.number == 1) {
          write(StateMessage(MakeJob("j", v1::JOB_STATE_RUNNING, 2)));
          return absl::UnavailableError("connection reset");
        }
        if (call.number == 2) {
          write(HeartbeatMessage(2));
          return WithRetryInfo(absl::StatusCode::kUnavailable, "draining", 1);
        }
        write(StateMessage(MakeJob("j", v1::JOB_STATE_RUNNING, 2)));  // seen before: no news
        write(StateMessage(MakeJob("j", v1::JOB_STATE_SUCCEEDED, 3)));
        return absl::OkStatus();
      });
  std::vector<std::string> reasons;
  WatchOptions options;
  options.on_reconnect = [&](const absl::Status& why, std::chrono::nanoseconds) {
    reasons.emplace_back(why.message());
  };
  Watch watch = client.WatchJob("j", options);
  EXPECT_THAT(Revisions(watch), ElementsAre(2, 3));
  EXPECT_TRUE(watch.status().ok());
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(resumed_from_, ElementsAre(0, 2, 2));
  EXPECT_THAT(reasons, ElementsAre("connection reset", "draining"));
  EXPECT_THAT(pacing_.waits(), ElementsAre(DoubleNear(0.3, 1e-6), DoubleNear(1.1, 1e-6)));
}

TEST_F(WatchTest, SurvivesAServerThatGoesAwayAndComesBack) {
  // Every third stream serves; the others die at once. Patience counts from the last word heard.
  const Client client = Serve([](const auto& request, const CallInfo& call, const Write& write) {
    if (call.number % 3 != 0) return absl::UnavailableError("away");
    const int next = request.after_revision() + 1;
    write(StateMessage(
        MakeJob("j", next < 30 ? v1::JOB_STATE_RUNNING : v1::JOB_STATE_SUCCEEDED, next)));
    return next < 30 ? absl::UnavailableError("away") : absl::OkStatus();
  });
  WatchOptions options;
  options.connect_patience = options.patience = std::chrono::seconds(3);
  Watch watch = client.WatchJob("j", options);
  EXPECT_THAT(Revisions(watch), SizeIs(30));
  EXPECT_TRUE(watch.status().ok());
}

TEST_F(WatchTest, RefusalsEndIt) {
  // A limit, a missing permission or another server's 404 is final whoever says so; INTERNAL and
  // UNKNOWN only if the gateway does.
  for (const absl::Status& refusal :
       {absl::NotFoundError("no"), absl::PermissionDeniedError("no"),
        absl::UnauthenticatedError("Jwt is missing"), absl::UnimplementedError("no"),
        absl::ResourceExhaustedError("Received message larger than max"),
        WithErrorInfo(absl::StatusCode::kInternal, "no"),
        WithErrorInfo(absl::StatusCode::kUnknown, "no")}) {
    const Client client =
        Serve([&refusal](const auto&, const CallInfo&, const Write&) { return refusal; });
    Watch watch = client.WatchJob("j");
    EXPECT_THAT(Revisions(watch), IsEmpty());
    EXPECT_EQ(watch.status().code(), refusal.code());
    EXPECT_EQ(server_->Calls("WatchJob"), 1) << refusal;
  }
  EXPECT_THAT(pacing_.waits(), IsEmpty());
}

// What gRPC's library and proxies make of a connection that broke: no word of the gateway's in it.
std::vector<absl::Status> BrokenStreams() {
  return {absl::UnavailableError("Socket closed"),
          absl::InternalError("Received RST_STREAM with error code 2"),
          absl::UnknownError("Stream removed"),
          absl::CancelledError("Received RST_STREAM with error code 8"),
          absl::DeadlineExceededError("stream timeout"),
          WithErrorInfo(absl::StatusCode::kInternal, "a proxy's own", "mesh.example.com")};
}

TEST_F(WatchTest, ABrokenStreamIsResumedWhateverTheProxyCallsIt) {
  for (const absl::Status& broken : BrokenStreams()) {
    const Client client = Serve(
        [&broken](const auto& request, const CallInfo& call, const Write& write) -> absl::Status {
          if (call.number % 2 == 0) return broken;  // at once
          const int next = request.after_revision() + 1;
          write(StateMessage(
              MakeJob("j", next < 5 ? v1::JOB_STATE_RUNNING : v1::JOB_STATE_SUCCEEDED, next)));
          return next < 5 ? broken : absl::OkStatus();  // in the middle
        });
    Watch watch = client.WatchJob("j");
    EXPECT_THAT(Revisions(watch), ElementsAre(1, 2, 3, 4, 5)) << broken;
    EXPECT_TRUE(watch.status().ok()) << watch.status();
  }
}

TEST_F(WatchTest, AStreamThatBreaksForEverEndsItAfterItsPatience) {
  for (const absl::Status& broken : BrokenStreams()) {
    const std::size_t before = pacing_.waits().size();
    const Client client = Serve([&broken](const auto&, const CallInfo& call, const Write& write) {
      if (call.number == 1) write(HeartbeatMessage(1));
      return broken;
    });
    WatchOptions options;
    options.patience = std::chrono::seconds(20);
    Watch watch = client.WatchJob("j", options);
    EXPECT_THAT(Revisions(watch), IsEmpty());
    // Never CANCELLED or DEADLINE_EXCEEDED, which would be our own doing.
    const bool ours = absl::IsCancelled(broken) || absl::IsDeadlineExceeded(broken);
    EXPECT_EQ(watch.status().code(), ours ? absl::StatusCode::kUnavailable : broken.code());
    EXPECT_EQ(watch.status().message(), broken.message());
    double waited = 0;
    const std::vector<double> waits = pacing_.waits();
    for (std::size_t i = before; i < waits.size(); ++i) waited += waits[i];
    EXPECT_LE(waited, 20.0);
    EXPECT_GE(waited, 10.0);
  }
}

TEST_F(WatchTest, WaitsWhereTheGatewaySaysWhenThereIsRoom) {
  const Client client = Serve([](const auto&, const CallInfo& call, const Write& write) {
    if (call.number == 1) return WithRetryInfo(absl::StatusCode::kResourceExhausted, "full", 3);
    write(StateMessage(MakeJob("j", v1::JOB_STATE_SUCCEEDED, 1)));
    return absl::OkStatus();
  });
  EXPECT_TRUE(client.WaitUntilDone("j").ok());
  EXPECT_THAT(pacing_.waits(), ElementsAre(Ge(3.0)));
}

TEST_F(WatchTest, AStreamThatAProxyEndsIsResumed) {
  const Client client =
      Serve([](const auto&, const CallInfo& call, const Write& write) -> absl::Status {
        if (call.number == 1) {
          write(StateMessage(MakeJob("j", v1::JOB_STATE_RUNNING, 1)));
          return absl::OkStatus();
        }
        if (call.number == 2) return absl::DeadlineExceededError("stream timeout");
        write(StateMessage(MakeJob("j", v1::JOB_STATE_EXPIRED, 2)));
        return absl::OkStatus();
      });
  const auto job = client.WaitUntilDone("j");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::JOB_STATE_EXPIRED);
}

TEST_F(WatchTest, NothingAfterAFinalRevisionIsAnEnd) {
  const Client client =
      Serve([](const auto&, const CallInfo&, const Write&) { return absl::OkStatus(); });
  WatchOptions options;
  options.after_revision = 9;
  Watch watch = client.WatchJob("j", options);
  EXPECT_THAT(Revisions(watch), IsEmpty());
  EXPECT_TRUE(watch.status().ok());
  EXPECT_EQ(client.WaitUntilDone("j", options)->revision(), 9);  // asked for with GetJob
}

TEST_F(WatchTest, AnOlderStateAtTheStartOfAStreamIsNews) {
  const Client client =
      Serve([](const auto&, const CallInfo& call, const Write& write) -> absl::Status {
        if (call.number == 1) {
          write(StateMessage(MakeJob("j", v1::JOB_STATE_RUNNING, 10)));
          return absl::UnavailableError("restored from a backup");
        }
        write(StateMessage(MakeJob("j", v1::JOB_STATE_QUEUED, 2)));
        write(StateMessage(MakeJob("j", v1::JOB_STATE_SUCCEEDED, 3)));
        return absl::OkStatus();
      });
  Watch watch = client.WatchJob("j");
  EXPECT_THAT(Revisions(watch), ElementsAre(10, 2, 3));
}

TEST_F(WatchTest, ASilentStreamIsOpenedAnew) {
  const Client client = Serve([](const auto&, const CallInfo& call, const Write& write) {
    if (call.number == 1) {
      call.wait_cancelled();
    } else {
      write(StateMessage(MakeJob("j", v1::JOB_STATE_SUCCEEDED, 1)));
    }
    return absl::OkStatus();
  });
  WatchOptions options;
  options.silence = milliseconds(50);
  EXPECT_TRUE(client.WaitUntilDone("j", options).ok());
  EXPECT_THAT(server_->Calls("WatchJob"), Ge(2));
}

TEST_F(WatchTest, CancelEndsABlockedRead) {
  const Client client = Serve([](const auto&, const CallInfo& call, const Write& write) {
    write(StateMessage(MakeJob("j", v1::JOB_STATE_RUNNING, 1)));
    call.wait_cancelled();
    return absl::OkStatus();
  });
  for (const bool by_token : {false, true}) {
    std::stop_source stop;
    WatchOptions options;
    options.stop = stop.get_token();
    Watch watch = client.WatchJob("j", options);
    ASSERT_TRUE(watch.Next().has_value());
    std::jthread canceller([&] { by_token ? (void)stop.request_stop() : watch.Cancel(); });
    EXPECT_FALSE(watch.Next().has_value());
    EXPECT_TRUE(absl::IsCancelled(watch.status()));
  }
}

TEST_F(WatchTest, TimeoutLeavesTheJobAlone) {
  const Client client = Serve([](const auto&, const CallInfo& call, const Write& write) {
    write(StateMessage(MakeJob("j", v1::JOB_STATE_RUNNING, 1)));
    call.wait_cancelled();
    return absl::OkStatus();
  });
  WatchOptions options;
  options.timeout = milliseconds(60);
  const auto job = client.WaitUntilDone("j", options);
  EXPECT_TRUE(absl::IsDeadlineExceeded(job.status())) << job.status();
}

TEST_F(WatchTest, ASlowReaderMissesNoFinalState) {
  const Client client = Serve([](const auto&, const CallInfo&, const Write& write) {
    v1::Job job = MakeJob("j", v1::JOB_STATE_RUNNING, 1);
    job.set_message(std::string(60'000, 'm'));
    for (int revision = 1; revision < 200; revision += 2) {  // as if others had been skipped
      job.set_revision(revision);
      if (!write(StateMessage(job))) return absl::CancelledError("");
    }
    job.set_state(v1::JOB_STATE_SUCCEEDED);
    job.set_revision(200);
    write(StateMessage(job));
    return absl::OkStatus();
  });
  Watch watch = client.WatchJob("j");
  int last = 0;
  bool first = true;
  while (const auto job = watch.Next()) {
    // Flow control holds the server back until this reader comes for more.
    if (std::exchange(first, false)) {
      EXPECT_TRUE(client.Get("other").ok());
    }
    EXPECT_GT(job->revision(), last);
    last = job->revision();
  }
  EXPECT_EQ(last, 200);
}

TEST_F(WatchTest, UnreachableGatewayRunsOutOfPatience) {
  Client client =
      Serve([](const auto&, const CallInfo&, const Write&) { return absl::OkStatus(); });
  server_.reset();
  const auto job = client.WaitUntilDone("j");
  EXPECT_TRUE(absl::IsUnavailable(job.status())) << job.status();
  double waited = 0;
  for (const double wait : pacing_.waits()) waited += wait;
  EXPECT_LE(waited, 10.0);
  EXPECT_GE(waited, 5.0);
}

TEST_F(WatchTest, WatchesHaveConnectionsOfTheirOwn) {
  const Client client = Serve(
      [](const auto&, const CallInfo& call, const Write& write) {
        write(StateMessage(MakeJob("j", v1::JOB_STATE_RUNNING, 1)));
        call.wait_cancelled();
        return absl::OkStatus();
      },
      /*watches_per_connection=*/2);
  std::vector<Watch> watches;
  for (int i = 0; i < 5; ++i) {
    watches.push_back(client.WatchJob("j"));
    ASSERT_TRUE(watches.back().Next().has_value());
  }
  ASSERT_TRUE(client.Get("j").ok());
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(peers_, SizeIs(3));
  ASSERT_THAT(unary_peers_, SizeIs(1));
  EXPECT_EQ(peers_.count(*unary_peers_.begin()), 0u);
}

TEST_F(WatchTest, ACallbackMayEndIt) {
  const Client client = Serve([](const auto&, const CallInfo& call, const Write& write) {
    write(StateMessage(MakeJob("j", v1::JOB_STATE_UNCONFIRMED, 1)));
    call.wait_cancelled();
    return absl::OkStatus();
  });
  const auto job = client.WatchJob("j", [](const Job&) { return false; });
  ASSERT_TRUE(job.ok());
  EXPECT_EQ(job->state(), v1::JOB_STATE_UNCONFIRMED);
}

}  // namespace
}  // namespace pictory_jobs
