#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"
#include "rpc/rpc_house.h"
#include "rpc/submit_calls.h"

namespace gateway::rpc {
namespace {

using test::FromGrpc;
using test::MakeJob;
using test::MakeRecord;
using test::RpcHouse;
using ::testing::HasSubstr;

constexpr char kService[] = "/pictory.jobs.v1.PictoryJobs/";

v1::TranscribeRequest Transcription() {
  v1::TranscribeRequest request;
  request.set_file_url("https://host/a.mp4");
  (*request.mutable_labels())["a"] = "1";
  (*request.mutable_labels())["b"] = "2";
  return request;
}

TEST(SubmitTest, HandsOverWhatWasAskedAndMintsARequestId) {
  RpcHouse house;
  grpc::ClientContext context;
  v1::TranscribeResponse response;
  ASSERT_TRUE(house.stub->Transcribe(&context, Transcription(), &response).ok());
  EXPECT_EQ(response.job().job_id(), "submitted");
  const jobs::SubmitRequest got = house.last_submit();
  EXPECT_EQ(got.owner.tenant, "default");
  EXPECT_EQ(got.kind, v1::JOB_KIND_TRANSCRIPTION);
  EXPECT_TRUE(IsRequestId(got.request_id));
  EXPECT_EQ(got.labels.at("b"), "2");
  EXPECT_EQ(got.fingerprint.size(), 33u);
  const Duration left = got.deadline - house.clock.Now();
  EXPECT_GT(left, std::chrono::seconds(50));
  EXPECT_LE(left, std::chrono::seconds(60));
}

TEST(SubmitTest, AllFourMethodsSubmitTheirKind) {
  RpcHouse house;
  {
    grpc::ClientContext context;
    v1::CreatePreviewRequest request;
    v1::CreatePreviewResponse response;
    ASSERT_TRUE(house.stub->CreatePreview(&context, request, &response).ok());
    EXPECT_EQ(house.last_submit().kind, v1::JOB_KIND_PREVIEW);
  }
  {
    grpc::ClientContext context;
    v1::RenderRequest request;
    v1::RenderResponse response;
    ASSERT_TRUE(house.stub->Render(&context, request, &response).ok());
    EXPECT_EQ(house.last_submit().kind, v1::JOB_KIND_RENDER);
    EXPECT_EQ(response.job().job_id(), "submitted");
  }
  {
    grpc::ClientContext context;
    v1::SummarizeRequest request;
    v1::SummarizeResponse response;
    ASSERT_TRUE(house.stub->Summarize(&context, request, &response).ok());
    EXPECT_EQ(house.last_submit().kind, v1::JOB_KIND_SUMMARY);
  }
}

TEST(SubmitTest, TheFingerprintIsOfTheRequestWithoutItsId) {
  v1::TranscribeRequest a = Transcription();
  EXPECT_EQ(Fingerprint("Transcribe", "acme", a),
            Fingerprint("Transcribe", "acme", Transcription()));
  EXPECT_NE(Fingerprint("Transcribe", "acme", a), Fingerprint("Render", "acme", a));
  (*a.mutable_labels())["a"] = "3";
  EXPECT_NE(Fingerprint("Transcribe", "acme", a),
            Fingerprint("Transcribe", "acme", Transcription()));

  RpcHouse house;
  for (const char* id : {"one", "two"}) {
    grpc::ClientContext context;
    v1::TranscribeRequest request = Transcription();
    request.set_request_id(id);
    v1::TranscribeResponse response;
    ASSERT_TRUE(house.stub->Transcribe(&context, request, &response).ok());
    EXPECT_EQ(house.last_submit().request_id, id);
  }
  EXPECT_EQ(house.submitted[0].fingerprint, house.submitted[1].fingerprint);
}

TEST(SubmitTest, TheIdempotencyKeyServesAsRequestId) {
  RpcHouse house;
  const auto call = [&](const char* key, const char* field, const char* second = nullptr) {
    grpc::ClientContext context;
    context.AddMetadata("idempotency-key", key);
    if (second != nullptr) context.AddMetadata("idempotency-key", second);
    v1::TranscribeRequest request = Transcription();
    request.set_request_id(field);
    v1::TranscribeResponse response;
    return FromGrpc(house.stub->Transcribe(&context, request, &response));
  };
  EXPECT_TRUE(call("key-1", "").ok());
  EXPECT_EQ(house.last_submit().request_id, "key-1");
  EXPECT_TRUE(call("key-1", "key-1").ok());
  const absl::Status conflict = call("key-1", "key-2");
  EXPECT_EQ(conflict.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(errors::Violations(conflict).at(0).field, "request_id");
  EXPECT_EQ(call("not a key!", "").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(call("key-1", "", "key-2").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(call("key-1", "key-1", "key-1").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(house.submitted.size(), 2u);
}

TEST(SubmitTest, ViolationsReachAStockClientAsDetails) {
  RpcHouse house;
  grpc::ClientContext context;
  v1::TranscribeRequest request;
  request.set_file_url("bad");
  v1::TranscribeResponse response;
  const grpc::Status status = house.stub->Transcribe(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("file_url: must be https"));
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto details = trailers.find("grpc-status-details-bin");
  ASSERT_NE(details, trailers.end());
  ::pictory::jobs::internal::v1::Status wire;
  ASSERT_TRUE(
      wire.ParseFromArray(details->second.data(), static_cast<int>(details->second.size())));
  EXPECT_EQ(wire.code(), 3);
  EXPECT_EQ(errors::Violations(FromGrpc(status)).at(0).field, "file_url");
  EXPECT_EQ(errors::Reason(FromGrpc(status)), "INVALID_REQUEST");
  EXPECT_TRUE(house.submitted.empty());
}

TEST(SubmitTest, TheCallersDeadlineIsPassedOnAndItsCancelSeen) {
  RpcHouse house;
  Mutex mutex;
  std::shared_ptr<std::atomic<bool>> cancelled;
  jobs::Submitter::Done held;
  house.on_submit = [&](jobs::SubmitRequest request, jobs::Submitter::Done done) {
    MutexLock lock(mutex);
    cancelled = request.cancelled;
    held = std::move(done);
  };
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  v1::TranscribeResponse response;
  EXPECT_EQ(house.stub->Transcribe(&context, Transcription(), &response).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_LE(house.last_submit().deadline - house.clock.Now(), std::chrono::milliseconds(300));
  test::Await([&] { return house.server->open_calls() == 0; }, "the call's place is given back");
  MutexLock lock(mutex);
  EXPECT_TRUE(cancelled->load());
  held(absl::StatusOr<jobs::SnapshotPtr>(errors::Cancelled()),
       {});  // long after; finds it answered
}

TEST(UnaryTest, BytesThatAreNoMessageAreToldSo) {
  RpcHouse house;
  for (const char* method :
       {"CreatePreview", "Render", "Transcribe", "Summarize", "GenerateImage", "GenerateVideo",
        "GetJob", "ListJobs", "WatchJob", "ReadJobResult", "ResolveJob", "DeleteJob"}) {
    const absl::Status garbage =
        FromGrpc(house.Raw(std::string(kService) + method, "\xff\xff\xff"));
    EXPECT_EQ(garbage.code(), absl::StatusCode::kInvalidArgument) << method;
    EXPECT_EQ(errors::Reason(garbage), "UNPARSABLE_REQUEST") << method;
    // A string field with broken UTF-8.
    const absl::Status broken = FromGrpc(
        house.Raw(std::string(kService) + method,
                  std::string(method) == "ListJobs" ? "\x3a\x02\xc3\x28" : "\x0a\x02\xc3\x28"));
    EXPECT_EQ(errors::Reason(broken), "UNPARSABLE_REQUEST") << method;
  }
}

TEST(UnaryTest, UnknownMethodsAreUnimplemented) {
  RpcHouse house;
  EXPECT_EQ(house.Raw(std::string(kService) + "Nothing", "").error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST(UnaryTest, ARequestOverTheLimitIsRefused) {
  RpcHouse house;
  v1::TranscribeRequest request;
  request.set_transcript_json(std::string(20 * limits::kMiB, 'x'));
  grpc::ClientContext context;
  v1::TranscribeResponse response;
  EXPECT_EQ(house.stub->Transcribe(&context, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  request.set_transcript_json(std::string(15 * limits::kMiB, 'x'));
  grpc::ClientContext second;
  EXPECT_TRUE(house.stub->Transcribe(&second, request, &response).ok());
}

TEST(UnaryTest, TooManyCallsAreRefusedWithADelayAndPlacesComeBack) {
  ServerOptions options;
  options.admission.calls = 1;
  RpcHouse house(options);
  house.fake.Put(MakeRecord(MakeJob("j1", v1::JOB_STATE_FAILED, 1)));
  house.fake.Hold();
  std::thread first([&] {
    grpc::ClientContext context;
    v1::GetJobRequest request;
    request.set_job_id("j1");
    v1::GetJobResponse response;
    EXPECT_TRUE(house.stub->GetJob(&context, request, &response).ok());
  });
  test::Await([&] { return house.fake.held() == 1; }, "the first call is under way");
  const absl::Status refused = FromGrpc(house.Raw(std::string(kService) + "GetJob", ""));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(errors::RetryDelay(refused), Duration::zero());
  house.fake.Release();
  first.join();
  test::Await([&] { return house.server->open_calls() == 0; }, "the place is given back");
  EXPECT_EQ(FromGrpc(house.Raw(std::string(kService) + "GetJob", "")).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(GetJobTest, ByEitherIdFromMemoryOrStore) {
  RpcHouse house;
  house.degraded = true;
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 2));
  house.fake.Put(MakeRecord(MakeJob("j2", v1::JOB_STATE_FAILED, 3)));
  const auto get = [&](const std::string& name, v1::GetJobResponse& response) {
    grpc::ClientContext context;
    v1::GetJobRequest request;
    request.set_job_id(name);
    return FromGrpc(house.stub->GetJob(&context, request, &response));
  };
  v1::GetJobResponse response;
  ASSERT_TRUE(get("j1", response).ok());
  EXPECT_EQ(response.job().revision(), 2);
  EXPECT_TRUE(response.job().upstream_degraded());
  ASSERT_TRUE(get("pictory-j2", response).ok());
  EXPECT_EQ(response.job().job_id(), "j2");
  EXPECT_EQ(errors::Reason(get("j3", response)), "JOB_NOT_FOUND");
  EXPECT_EQ(get("", response).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(get("a b", response).code(), absl::StatusCode::kInvalidArgument);
}

TEST(GetJobTest, TheFullViewReadsTheStoredResult) {
  RpcHouse house;
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 2));
  house.fake.PutPart("j1", v1::RESULT_PART_RESULT_JSON, "{}");
  v1::GetJobRequest request;
  request.set_job_id("j1");
  request.set_view(v1::JOB_VIEW_FULL);
  v1::GetJobResponse response;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(house.stub->GetJob(&context, request, &response).ok());
    EXPECT_EQ(response.job().render().video_url(), "full:{}");
    EXPECT_EQ(response.job().job_id(), "j1");
  }
  request.set_view(static_cast<v1::JobView>(9));
  grpc::ClientContext context;
  EXPECT_EQ(house.stub->GetJob(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(GetJobTest, TheFullViewOfAHugeResultIsTheBasicOne) {
  RpcHouse house;
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 2));
  v1::GetJobRequest request;
  request.set_job_id("j1");
  request.set_view(v1::JOB_VIEW_FULL);
  for (const std::size_t over : {0u, 1u}) {
    house.fake.PutPart("j1", v1::RESULT_PART_RESULT_JSON,
                       std::string(limits::kFullViewReadMaxBytes + over, ' '));
    v1::GetJobResponse response;
    grpc::ClientContext context;
    grpc::ChannelArguments any_size;
    any_size.SetMaxReceiveMessageSize(-1);
    auto stub = v1::PictoryJobs::NewStub(grpc::CreateCustomChannel(
        house.server->addresses()[0], grpc::InsecureChannelCredentials(), any_size));
    const grpc::Status status = stub->GetJob(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.job().job_id(), "j1");
    EXPECT_EQ(response.job().render().video_url().substr(0, 5), over == 0 ? "full:" : "");
  }
}

TEST(ListJobsTest, PagesWithATokenThatFitsItsFiltersOnly) {
  RpcHouse house;
  for (int i = 0; i < 5; ++i) {
    house.fake.Put(MakeRecord(MakeJob("j" + std::to_string(i), v1::JOB_STATE_FAILED, 1)));
  }
  const auto list = [&](const v1::ListJobsRequest& request, v1::ListJobsResponse& response) {
    grpc::ClientContext context;
    return FromGrpc(house.stub->ListJobs(&context, request, &response));
  };
  v1::ListJobsRequest request;
  request.set_page_size(2);
  std::vector<std::string> seen;
  for (int page = 0; page < 3; ++page) {
    v1::ListJobsResponse response;
    ASSERT_TRUE(list(request, response).ok());
    for (const auto& job : response.jobs()) seen.push_back(job.job_id());
    request.set_page_token(response.next_page_token());
    EXPECT_EQ(response.next_page_token().empty(), page == 2);
    if (page == 1) {
      v1::ListJobsRequest other = request;
      other.add_states(v1::JOB_STATE_FAILED);
      const absl::Status status = list(other, response);
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_EQ(errors::Violations(status).at(0).field, "page_token");
    }
  }
  EXPECT_THAT(seen, ::testing::ElementsAre("j4", "j3", "j2", "j1", "j0"));

  v1::ListJobsResponse response;
  request.set_page_token("nonsense");
  EXPECT_EQ(list(request, response).code(), absl::StatusCode::kInvalidArgument);
  request.clear_page_token();
  request.set_page_size(-1);
  request.mutable_created_from()->set_nanos(-1);
  request.add_states(v1::JOB_STATE_UNSPECIFIED);
  EXPECT_EQ(errors::Violations(list(request, response)).size(), 3u);
}

TEST(ListJobsTest, EachJobSaysHowItsOwnAccountIs) {
  RpcHouse house;
  house.degraded_account = "east";
  for (const char* account : {"east", "west", "default"}) {
    jobs::Job job = MakeJob(std::string("of-") + account, v1::JOB_STATE_RUNNING, 1);
    job.account = account;
    house.fake.Put(MakeRecord(job));
  }
  grpc::ClientContext context;
  v1::ListJobsResponse page;
  ASSERT_TRUE(house.stub->ListJobs(&context, v1::ListJobsRequest(), &page).ok());
  ASSERT_EQ(page.jobs_size(), 3);
  for (const v1::Job& job : page.jobs()) {
    EXPECT_EQ(job.upstream_degraded(), job.job_id() == "of-east") << job.job_id();
  }
}

TEST(ListJobsTest, APageOfFatJobsStaysUnderWhatClientsTake) {
  RpcHouse house;
  for (int i = 0; i < 10; ++i) {
    jobs::Job job = MakeJob("j" + std::to_string(i), v1::JOB_STATE_FAILED, 1);
    job.message = std::string(limits::kMiB, 'x');
    house.fake.Put(MakeRecord(std::move(job)));
  }
  grpc::ClientContext context;
  v1::ListJobsResponse response;
  ASSERT_TRUE(house.stub->ListJobs(&context, v1::ListJobsRequest(), &response).ok());
  EXPECT_EQ(response.jobs_size(), 2);
  EXPECT_FALSE(response.next_page_token().empty());
}

TEST(ListJobsTest, JobsOfLargeResultsAreAllListedThoughAPageReadsOnlySomeOfThem) {
  RpcHouse house;
  v1::Job result;
  result.mutable_transcription()->set_txt(
      std::string(limits::kListReadMaxBytes / 2, 'x'));  // not listed
  for (int i = 0; i < 5; ++i) {
    jobs::Job job = MakeJob("j" + std::to_string(i), v1::JOB_STATE_SUCCEEDED, 1);
    job.result_wire = result.SerializeAsString();
    house.fake.Put(MakeRecord(std::move(job)));
  }
  v1::ListJobsRequest request;
  std::vector<std::string> seen;
  do {
    grpc::ClientContext context;
    v1::ListJobsResponse response;
    ASSERT_TRUE(house.stub->ListJobs(&context, request, &response).ok());
    EXPECT_LE(response.jobs_size(), 2);
    for (const auto& job : response.jobs()) seen.push_back(job.job_id());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(seen, ::testing::ElementsAre("j4", "j3", "j2", "j1", "j0"));
}

TEST(StatusTest, DetailsThatDoNotFitTheTrailersAreCut) {
  std::vector<errors::Violation> violations;
  for (int i = 0; i < 5000; ++i)
    violations.push_back({"f" + std::to_string(i), std::string(90, 'x')});
  const grpc::Status status = ToGrpc(errors::Invalid(std::move(violations)));
  EXPECT_LE(status.error_details().size(), 3500u);
  const auto kept = errors::Violations(FromGrpc(status));
  ASSERT_GT(kept.size(), 2u);
  EXPECT_EQ(kept.front().field, "f0");
  EXPECT_THAT(kept.back().description, HasSubstr("more"));
  EXPECT_EQ(errors::Reason(FromGrpc(status)), "INVALID_REQUEST");
}

// What says why and when to come again is the last to go, in whatever order it was attached.
TEST(StatusTest, ThereIsAlwaysRoomForTheReason) {
  absl::Status status = absl::UnavailableError("x");
  for (const char* name : {"QuotaFailure", "ResourceInfo"}) {
    status.SetPayload(std::string("type.googleapis.com/google.rpc.") + name,
                      absl::Cord(std::string(3000, 'x')));
  }
  const absl::Status busy =
      errors::UpstreamRateLimited(std::chrono::seconds(3), errors::Call::kFree);
  for (const char* name : {"RetryInfo", "ErrorInfo"}) {
    const std::string type = std::string("type.googleapis.com/google.rpc.") + name;
    status.SetPayload(type, *busy.GetPayload(type));
  }
  const absl::Status kept = FromGrpc(ToGrpc(status));
  EXPECT_EQ(errors::Reason(kept), errors::kUpstreamRateLimited);
  EXPECT_EQ(errors::RetryDelay(kept), std::chrono::seconds(3));
}

TEST(StatusTest, GoesThereAndBack) {
  const absl::Status there =
      errors::UpstreamRateLimited(std::chrono::milliseconds(1500), errors::Call::kFree);
  const absl::Status back = FromGrpc(ToGrpc(there));
  EXPECT_EQ(back, there);
  EXPECT_TRUE(FromGrpc(ToGrpc(absl::OkStatus())).ok());
}

TEST(UpdatePreviewTest, ChangesAJobOfTheCallersAndTellsOfIt) {
  RpcHouse house;
  jobs::JobRecord done;
  done.job = MakeJob("done", v1::JOB_STATE_SUCCEEDED, 3);
  house.hub.Publish(done.job);
  v1::UpdatePreviewResponse response;
  const auto update = [&](const std::string& job, std::size_t bytes = 0) {
    grpc::ClientContext context;
    v1::UpdatePreviewRequest request;
    request.set_job_id(job);
    request.set_elements_json(std::string(bytes, ' ') + "[{}]");
    return FromGrpc(house.stub->UpdatePreview(&context, request, &response));
  };
  ASSERT_TRUE(update("done").ok());
  EXPECT_EQ(response.job().job_id(), "done");
  EXPECT_EQ(response.job().revision(), 3);
  EXPECT_TRUE(update("done", limits::kSmallRequestMaxBytes).ok()) << "as large as a submit";
  EXPECT_THAT(house.changed, testing::ElementsAre("done", "done"));
  EXPECT_THAT(house.named, testing::ElementsAre("done", "done"));
  EXPECT_EQ(errors::Reason(update("nobodys")), "JOB_NOT_FOUND");
  EXPECT_EQ(errors::Violations(update("")).front().field, "job_id");
  house.upload_status = errors::UpstreamRateLimited(std::chrono::seconds(3), errors::Call::kFree);
  EXPECT_EQ(errors::RetryDelay(update("done")), std::chrono::seconds(3));
  EXPECT_EQ(house.changed.size(), 3u);
}

TEST(UploadTest, GivesAPlaceOrSaysWhyNot) {
  RpcHouse house;
  const auto ask = [&house](const std::string& name, v1::CreateUploadResponse& response) {
    grpc::ClientContext context;
    v1::CreateUploadRequest request;
    request.set_file_name(name);
    return FromGrpc(house.stub->CreateUpload(&context, request, &response));
  };
  v1::CreateUploadResponse response;
  ASSERT_TRUE(ask("a.mp4", response).ok());
  EXPECT_EQ(response.signed_url(), "https://put/default/a.mp4");
  EXPECT_EQ(response.file_url(), "https://get/a.mp4");
  const absl::Status invalid = ask("", response);
  EXPECT_TRUE(absl::IsInvalidArgument(invalid));
  EXPECT_EQ(errors::Violations(invalid).front().field, "file_name");
  house.upload_status = errors::UpstreamRateLimited(std::chrono::seconds(3), errors::Call::kFree);
  const absl::Status limited = ask("a.mp4", response);
  EXPECT_TRUE(absl::IsResourceExhausted(limited));
  EXPECT_EQ(errors::RetryDelay(limited), std::chrono::seconds(3));
  EXPECT_TRUE(
      absl::IsInvalidArgument(FromGrpc(house.Raw(std::string(kService) + "CreateUpload", "\xff"))));
}

}  // namespace
}  // namespace gateway::rpc
