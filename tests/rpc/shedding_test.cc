// What callers see of a gateway under pressure: what is refused, in which order, and what never is.
#include "base/shedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using namespace std::chrono_literals;
using test::MakeJob;
using test::RpcHouse;

// A gateway whose store takes writes and finishes none.
class SheddingRpcTest : public testing::Test {
 protected:
  SheddingRpcTest() {
    house_.on_submit = [this](const jobs::SubmitRequest&, jobs::Submitter::Done done) {
      MutexLock lock(mutex_);
      writes_.push_back([this, done = std::move(done)] {
        done(house_.hub.Publish(MakeJob("submitted", v1::JOB_STATE_QUEUED, 1)), {});
      });
    };
    house_.hub.Publish(MakeJob("here", v1::JOB_STATE_RUNNING, 1));
    jobs::JobRecord away;
    away.job = MakeJob("away", v1::JOB_STATE_SUCCEEDED, 3);
    house_.fake.Put(std::move(away));
  }
  ~SheddingRpcTest() override { Release(); }

  std::size_t writes() {
    MutexLock lock(mutex_);
    return writes_.size();
  }
  void Stall(std::size_t more) {
    MutexLock lock(mutex_);
    writes_.insert(writes_.end(), more, [] {});
  }
  void Release() {
    std::vector<std::function<void()>> writes;
    {
      MutexLock lock(mutex_);
      writes.swap(writes_);
    }
    for (const auto& write : writes) write();
  }
  // Lets time pass, with what the store has to do.
  void Pass(int for_seconds) {
    for (int i = 0; i < for_seconds * 10; ++i) {
      house_.shedding.Look({.store_queue = writes()}, now_ += 100ms);
    }
  }

  absl::Status Watch(const std::string& job) {
    grpc::ClientContext context;
    v1::WatchJobRequest request;
    request.set_job_id(job);
    auto stream = house_.stub->WatchJob(&context, request);
    v1::WatchJobResponse response;
    if (stream->Read(&response)) {
      context.TryCancel();
      stream->Finish();
      return absl::OkStatus();
    }
    return FromGrpc(stream->Finish());
  }
  absl::Status Get(const std::string& job, v1::JobView view = v1::JOB_VIEW_BASIC) {
    grpc::ClientContext context;
    v1::GetJobRequest request;
    request.set_job_id(job);
    request.set_view(view);
    v1::GetJobResponse response;
    return FromGrpc(house_.stub->GetJob(&context, request, &response));
  }
  absl::Status List() {
    grpc::ClientContext context;
    v1::ListJobsResponse response;
    return FromGrpc(house_.stub->ListJobs(&context, {}, &response));
  }
  absl::Status ReadResult() {
    grpc::ClientContext context;
    v1::ReadJobResultRequest request;
    request.set_job_id("away");
    auto stream = house_.stub->ReadJobResult(&context, request);
    v1::ReadJobResultResponse response;
    while (stream->Read(&response)) {
    }
    return FromGrpc(stream->Finish());
  }
  absl::Status Submit() {
    grpc::ClientContext context;
    v1::TranscribeRequest request;
    request.set_file_url("https://x.example/a.mp4");
    v1::TranscribeResponse response;
    return FromGrpc(house_.stub->Transcribe(&context, request, &response));
  }
  absl::Status Upload() {
    grpc::ClientContext context;
    v1::CreateUploadRequest request;
    request.set_file_name("a.mp4");
    v1::CreateUploadResponse response;
    return FromGrpc(house_.stub->CreateUpload(&context, request, &response));
  }
  absl::Status Update() {
    grpc::ClientContext context;
    v1::UpdatePreviewRequest request;
    request.set_job_id("here");
    v1::UpdatePreviewResponse response;
    return FromGrpc(house_.stub->UpdatePreview(&context, request, &response));
  }
  absl::Status Health() {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckResponse response;
    return FromGrpc(
        grpc::health::v1::Health::NewStub(house_.Channel())->Check(&context, {}, &response));
  }

  static void ExpectShed(const absl::Status& status, const char* what) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << what << ": " << status;
    EXPECT_EQ(errors::Reason(status), "OVERLOADED") << what;
    EXPECT_GE(errors::RetryDelay(status), limits::kShedRetryAfter) << what;
    EXPECT_LE(errors::RetryDelay(status), limits::kShedRetryAfter * 3) << what;
  }

  MonoTime now_{1h};
  Mutex mutex_;
  std::vector<std::function<void()>> writes_ GUARDED_BY(mutex_);
  RpcHouse house_;
};

TEST_F(SheddingRpcTest, WatchesGoFirstAndASubmitUnderWayCompletes) {
  std::future<absl::Status> under_way = std::async(std::launch::async, [this] { return Submit(); });
  test::Await([this] { return writes() == 1; }, "the submit waits for the store");
  Pass(3);
  EXPECT_TRUE(Watch("here").ok()) << "a store that has a little to do is no pressure";

  Stall(limits::kPressureStoreQueue);
  Pass(1);
  EXPECT_TRUE(Watch("here").ok()) << "a moment is none either";
  Pass(1);
  ExpectShed(Watch("here"), "WatchJob");
  EXPECT_TRUE(Get("away").ok());
  EXPECT_TRUE(List().ok());

  Pass(3);
  ASSERT_EQ(house_.shedding.level(), 4);
  ExpectShed(Submit(), "Transcribe");
  ExpectShed(Upload(), "CreateUpload");
  ExpectShed(Update(), "UpdatePreview");
  EXPECT_TRUE(Health().ok());
  EXPECT_EQ(under_way.wait_for(0s), std::future_status::timeout);
  Release();
  EXPECT_TRUE(under_way.get().ok()) << "it was let in before";

  Pass(6);
  EXPECT_EQ(house_.shedding.level(), 0);
  EXPECT_TRUE(Watch("here").ok());
}

TEST_F(SheddingRpcTest, OfReadsThoseGoThatNeedTheStore) {
  jobs::JobRecord done;
  done.job = MakeJob("done", v1::JOB_STATE_SUCCEEDED, 3);
  house_.hub.Publish(done.job);
  Stall(limits::kPressureStoreQueue + 1);
  Pass(3);
  ASSERT_EQ(house_.shedding.level(), 2);
  EXPECT_TRUE(Get("here").ok()) << "it is in memory";
  EXPECT_TRUE(Get("done").ok());
  ExpectShed(Get("away"), "GetJob");
  ExpectShed(Get("done", v1::JOB_VIEW_FULL), "GetJob of all of a result");
  ExpectShed(List(), "ListJobs");
  ExpectShed(ReadResult(), "ReadJobResult");
  EXPECT_TRUE(Upload().ok());
  EXPECT_EQ(house_.shedding.refused(Shed::kReads), 4u);
  EXPECT_EQ(house_.shedding.refused(Shed::kSubmits), 0u);
}

TEST_F(SheddingRpcTest, AnOpenWatchIsToldTheEnd) {
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_job_id("here");
  auto stream = house_.stub->WatchJob(&context, request);
  v1::WatchJobResponse response;
  ASSERT_TRUE(stream->Read(&response));
  Stall(limits::kPressureStoreQueue + 1);
  Pass(6);
  ASSERT_EQ(house_.shedding.level(), 4);
  house_.hub.Publish(MakeJob("here", v1::JOB_STATE_SUCCEEDED, 2));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.job().state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace gateway::rpc
