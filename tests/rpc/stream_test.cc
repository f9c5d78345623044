#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/errors.h"
#include "rpc/rpc_house.h"
#include "store/memory_job_store.h"

namespace gateway::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FromGrpc;
using test::MakeJob;
using test::MakeRecord;
using test::RpcHouse;

// One watch of a client, read on demand.
struct Watch {
  Watch(RpcHouse& house, const v1::WatchJobRequest& request)
      : reader(house.stub->WatchJob(&context, request)) {}
  // The next revision; `beat` for a heartbeat; 0 at the end.
  int Next() {
    v1::WatchJobResponse response;
    if (!reader->Read(&response)) return 0;
    beat = response.has_heartbeat();
    last = response.job();
    return beat ? response.heartbeat().revision() : response.job().revision();
  }
  absl::Status Finish() { return FromGrpc(reader->Finish()); }

  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::WatchJobResponse>> reader;
  v1::Job last;
  bool beat = false;
};

v1::WatchJobRequest Of(const std::string& job_id, int after = 0) {
  v1::WatchJobRequest request;
  request.set_job_id(job_id);
  request.set_after_revision(after);
  return request;
}

TEST(WatchJobTest, EndToEndWithAStore) {
  store::MemoryJobStore store;
  RpcHouse house({}, &store);
  jobs::JobRecord record = MakeRecord(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  record.fingerprint = std::string(32, 'f');
  store.Begin(record, [](absl::StatusOr<jobs::BeginResult> begun) { ASSERT_TRUE(begun.ok()); });
  Watch watch(house, Of("j1"));
  EXPECT_EQ(watch.Next(), 1);
  EXPECT_EQ(house.server->open_watches(), 1);
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 2));
  EXPECT_EQ(watch.Next(), 2);
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_FAILED, 3));
  EXPECT_EQ(watch.Next(), 3);
  EXPECT_EQ(watch.Next(), 0);
  EXPECT_TRUE(watch.Finish().ok());
  test::Await([&] { return house.server->open_watches() == 0; }, "the reactor is gone");
}

TEST(WatchJobTest, OnlyWatchesOfTheAccountThatDoesNotAnswerSayThatTheyLag) {
  RpcHouse house;
  house.degraded_account = "east";
  for (const char* account : {"east", "west"}) {
    jobs::Job job = MakeJob(std::string("of-") + account, v1::JOB_STATE_RUNNING, 1);
    job.account = account;
    house.hub.Publish(job);
    Watch watch(house, Of(job.job_id));
    EXPECT_EQ(watch.Next(), 1);
    EXPECT_EQ(watch.last.upstream_degraded(), job.account == "east") << account;
    watch.context.TryCancel();
    watch.Finish().IgnoreError();
  }
}

TEST(WatchJobTest, ByPictorysIdAndResumed) {
  RpcHouse house;
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 4));
  Watch watch(house, Of("pictory-j1", 4));
  EXPECT_EQ(watch.Next(), 4);
  EXPECT_TRUE(watch.beat);
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_FAILED, 5));
  EXPECT_EQ(watch.Next(), 5);
  EXPECT_TRUE((watch.Next(), watch.Finish().ok()));
  Watch again(house, Of("j1", 5));
  EXPECT_EQ(again.Next(), 0);
  EXPECT_TRUE(again.Finish().ok());
}

TEST(WatchJobTest, HeadersComeBeforeThereIsAnythingToSay) {
  RpcHouse house;
  house.fake.Put(MakeRecord(MakeJob("j1", v1::JOB_STATE_FAILED, 1)));
  house.fake.Hold();
  Watch watch(house, Of("j1"));
  watch.reader->WaitForInitialMetadata();  // comes although the store still looks
  test::Await([&] { return house.fake.held() == 1; }, "the store was asked");
  house.fake.Release();
  EXPECT_EQ(watch.Next(), 1);
}

TEST(WatchJobTest, TheFullViewEndsWithTheFullResult) {
  RpcHouse house;
  house.fake.PutPart("j1", v1::RESULT_PART_RESULT_JSON, "{}");
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 1));
  v1::WatchJobRequest request = Of("j1");
  request.set_view(v1::JOB_VIEW_FULL);
  Watch watch(house, request);
  EXPECT_EQ(watch.Next(), 1);
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 2));
  EXPECT_EQ(watch.Next(), 2);
  EXPECT_EQ(watch.last.render().video_url(), "full:{}");
  EXPECT_TRUE((watch.Next(), watch.Finish().ok()));
}

TEST(WatchJobTest, WhatCannotBeWatchedIsRefused) {
  RpcHouse house;
  Watch missing(house, Of("j9"));
  EXPECT_EQ(missing.Next(), 0);
  EXPECT_EQ(errors::Reason(missing.Finish()), "JOB_NOT_FOUND");
  Watch nameless(house, Of(""));
  EXPECT_EQ(nameless.Next(), 0);
  EXPECT_EQ(nameless.Finish().code(), absl::StatusCode::kInvalidArgument);
}

TEST(WatchJobTest, TooManyAreRefused) {
  ServerOptions options;
  options.admission.watches = 2;
  RpcHouse house(options);
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 1));
  Watch first(house, Of("j1"));
  Watch second(house, Of("j1"));
  EXPECT_EQ(first.Next(), 1);
  EXPECT_EQ(second.Next(), 1);
  Watch third(house, Of("j1"));
  EXPECT_EQ(third.Next(), 0);
  const absl::Status refused = third.Finish();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(errors::RetryDelay(refused), Duration::zero());
  first.context.TryCancel();
  second.context.TryCancel();
}

TEST(WatchJobTest, AClientThatGoesFreesTheReactor) {
  RpcHouse house;
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 1));
  {
    Watch watch(house, Of("j1"));
    EXPECT_EQ(watch.Next(), 1);
    watch.context.TryCancel();
    EXPECT_EQ(watch.Next(), 0);
    EXPECT_EQ(watch.Finish().code(), absl::StatusCode::kCancelled);
  }
  test::Await([&] { return house.server->open_watches() == 0 && house.hub.watchers() == 0; },
              "the reactor is gone");
}

TEST(WatchJobTest, AClientThatGoesDuringAWriteItNeverReadFreesTheReactor) {
  RpcHouse house;
  jobs::Job fat = MakeJob("j1", v1::JOB_STATE_RUNNING, 1);
  fat.message = std::string(2 * limits::kMiB, 'x');  // more than any window takes
  house.hub.Publish(fat);
  Watch slow(house, Of("j1"));
  test::Await([&] { return house.server->open_watches() == 1; }, "the watch is open");
  for (int revision = 2; revision < 50; ++revision) {
    fat.revision = revision;
    house.hub.Publish(fat);
  }
  slow.context.TryCancel();
  test::Await([&] { return house.server->open_watches() == 0; }, "the reactor is gone");
}

TEST(WatchJobTest, AWriteThatDoesNotEndIsCancelledByTheServer) {
  ServerOptions options;
  options.watches.stuck = milliseconds(500);
  options.watches.heartbeat = milliseconds(500);
  RpcHouse house(options);
  jobs::Job fat = MakeJob("j1", v1::JOB_STATE_RUNNING, 1);
  fat.message = std::string(8 * limits::kMiB, 'x');
  house.hub.Publish(fat);
  Watch slow(house, Of("j1"));
  test::Await([&] { return house.hub.watchers() == 1; }, "the watch is open");
  test::Await([&] { return house.server->open_watches() == 0; }, "the server gave it up");
  EXPECT_EQ(house.hub.watchers(), 0u);
}

TEST(WatchJobTest, ABackgroundOfHeartbeats) {
  ServerOptions options;
  options.watches.heartbeat = milliseconds(100);
  RpcHouse house(options);
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
  Watch watch(house, Of("j1"));
  EXPECT_EQ(watch.Next(), 3);
  EXPECT_FALSE(watch.beat);
  EXPECT_EQ(watch.Next(), 3);
  EXPECT_TRUE(watch.beat);
  watch.context.TryCancel();
}

TEST(DrainTest, TwoHundredWatchesEndUnavailableAndTheServerEnds) {
  ServerOptions options;
  options.drain_spread = milliseconds(500);
  RpcHouse house(options);
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 1));
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 200; ++i) watches.push_back(std::make_unique<Watch>(house, Of("j1")));
  for (auto& watch : watches) ASSERT_EQ(watch->Next(), 1);
  const auto begun = std::chrono::steady_clock::now();
  std::thread drain([&] { house.server->Drain(seconds(10)); });
  for (auto& watch : watches) {
    EXPECT_EQ(watch->Next(), 0);
    const absl::Status status = watch->Finish();
    ASSERT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    ASSERT_EQ(errors::Reason(status), "DRAINING");
    ASSERT_GT(errors::RetryDelay(status), Duration::zero());
  }
  drain.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(9));
  EXPECT_EQ(house.server->open_watches(), 0);
}

TEST(DrainTest, ARunningSubmitMayFinishAndANewOneIsRefused) {
  ServerOptions options;
  options.drain_spread = milliseconds(0);
  RpcHouse house(options);
  Mutex mutex;
  jobs::Submitter::Done held;
  house.on_submit = [&](jobs::SubmitRequest, jobs::Submitter::Done done) {
    {
      MutexLock lock(mutex);
      if (!held) {
        held = std::move(done);
        return;
      }
    }
    done(errors::Internal("let in before the drain began"), {});
  };
  std::atomic<bool> answered{false};
  std::thread caller([&] {
    grpc::ClientContext context;
    v1::RenderResponse response;
    EXPECT_TRUE(house.stub->Render(&context, v1::RenderRequest(), &response).ok());
    answered = true;
  });
  test::Await(
      [&] {
        MutexLock lock(mutex);
        return static_cast<bool>(held);
      },
      "the submit is under way");
  std::thread drain([&] { house.server->Drain(seconds(20)); });
  test::Await(
      [&] {
        grpc::ClientContext context;
        v1::RenderResponse response;
        context.set_deadline(std::chrono::system_clock::now() + seconds(1));
        const grpc::Status status = house.stub->Render(&context, v1::RenderRequest(), &response);
        return status.error_code() == grpc::StatusCode::UNAVAILABLE;
      },
      "new submits are refused");
  EXPECT_FALSE(answered);
  held(house.hub.Publish(MakeJob("late", v1::JOB_STATE_QUEUED, 1)), {});
  caller.join();
  drain.join();
}

struct Read {
  grpc::ClientContext context;
  std::string bytes;
  std::vector<int> offsets;
  int total = -1;
  absl::Status status;

  Read(RpcHouse& house, const std::string& job_id, v1::ResultPart part, int offset) {
    v1::ReadJobResultRequest request;
    request.set_job_id(job_id);
    request.set_part(part);
    request.set_offset(offset);
    auto reader = house.stub->ReadJobResult(&context, request);
    v1::ReadJobResultResponse response;
    while (reader->Read(&response)) {
      EXPECT_LE(response.data().size(), limits::kChunkMaxBytes);
      offsets.push_back(response.offset());
      bytes += response.data();
      total = response.total_bytes();
    }
    status = FromGrpc(reader->Finish());
  }
};

class ReadJobResultTest : public ::testing::Test {
 protected:
  ReadJobResultTest() {
    for (int i = 0; i < 600'000; ++i) text_.push_back(static_cast<char>('a' + i % 23));
    house_.hub.Publish(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 2));
    house_.fake.PutPart("j1", v1::RESULT_PART_RESULT_JSON, text_);
    house_.fake.PutPart("j1", v1::RESULT_PART_TXT, "");
  }
  RpcHouse house_;
  std::string text_;
};

TEST_F(ReadJobResultTest, StreamsAPartInChunks) {
  const Read whole(house_, "j1", v1::RESULT_PART_UNSPECIFIED, 0);
  EXPECT_TRUE(whole.status.ok()) << whole.status;
  EXPECT_EQ(whole.bytes, text_);
  EXPECT_EQ(whole.total, 600'000);
  EXPECT_THAT(whole.offsets, ::testing::ElementsAre(0, 262'144, 524'288));
  const Read rest(house_, "j1", v1::RESULT_PART_RESULT_JSON, 599'990);
  EXPECT_EQ(rest.bytes, text_.substr(599'990));
}

TEST_F(ReadJobResultTest, TheEndIsAnEmptyChunkAndPastItAnError) {
  const Read end(house_, "j1", v1::RESULT_PART_RESULT_JSON, 600'000);
  EXPECT_TRUE(end.status.ok());
  EXPECT_EQ(end.total, 600'000);
  EXPECT_TRUE(end.bytes.empty());
  const Read empty(house_, "j1", v1::RESULT_PART_TXT, 0);
  EXPECT_TRUE(empty.status.ok());
  EXPECT_EQ(empty.total, 0);
  const Read past(house_, "j1", v1::RESULT_PART_RESULT_JSON, 600'001);
  EXPECT_EQ(past.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(past.status.message()), ::testing::HasSubstr("600000"));
  const Read negative(house_, "j1", v1::RESULT_PART_RESULT_JSON, -1);
  EXPECT_EQ(negative.status.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ReadJobResultTest, WhatIsNotThereIsNamed) {
  EXPECT_EQ(errors::Reason(Read(house_, "j1", v1::RESULT_PART_SRT, 0).status), "PART_NOT_FOUND");
  EXPECT_EQ(errors::Reason(Read(house_, "j9", v1::RESULT_PART_SRT, 0).status), "JOB_NOT_FOUND");
  EXPECT_EQ(Read(house_, "j1", static_cast<v1::ResultPart>(77), 0).status.code(),
            absl::StatusCode::kInvalidArgument);
  house_.hub.Publish(MakeJob("running", v1::JOB_STATE_RUNNING, 1));
  EXPECT_EQ(errors::Reason(Read(house_, "running", v1::RESULT_PART_TXT, 0).status),
            "JOB_NOT_FINISHED");
  house_.hub.Publish(MakeJob("failed", v1::JOB_STATE_FAILED, 1));
  EXPECT_EQ(errors::Reason(Read(house_, "failed", v1::RESULT_PART_TXT, 0).status),
            "JOB_NOT_USABLE");
  house_.hub.Publish(MakeJob("cleaned", v1::JOB_STATE_CLEANED, 1));
  EXPECT_EQ(errors::Reason(Read(house_, "cleaned", v1::RESULT_PART_RESULT_JSON, 0).status),
            "JOB_NOT_USABLE");
}

TEST_F(ReadJobResultTest, OfAFailedJobThereIsWhatPictorySaid) {
  house_.hub.Publish(MakeJob("failed", v1::JOB_STATE_FAILED, 1));
  house_.fake.PutPart("failed", v1::RESULT_PART_RESULT_JSON, R"({"error_code":5001})");
  const Read read(house_, "failed", v1::RESULT_PART_RESULT_JSON, 0);
  EXPECT_TRUE(read.status.ok()) << read.status;
  EXPECT_EQ(read.bytes, R"({"error_code":5001})");
}

TEST_F(ReadJobResultTest, AClientThatGoesFreesTheReactor) {
  house_.fake.PutPart("j1", v1::RESULT_PART_SRT, std::string(16 * limits::kMiB, 's'));
  grpc::ClientContext context;
  v1::ReadJobResultRequest request;
  request.set_job_id("j1");
  request.set_part(v1::RESULT_PART_SRT);
  auto reader = house_.stub->ReadJobResult(&context, request);
  v1::ReadJobResultResponse response;
  ASSERT_TRUE(reader->Read(&response));
  context.TryCancel();
  while (reader->Read(&response)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  test::Await([&] { return house_.server->open_calls() == 0; }, "the reactor is gone");
}

}  // namespace
}  // namespace gateway::rpc
