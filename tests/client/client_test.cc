// Calls, their repetition, and lists, against a gateway that misbehaves.
#include "pictory_jobs/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "client/connect.h"
#include "client/fake_pacing.h"
#include "client/fake_server.h"

namespace pictory_jobs {
namespace {

using fake::CallInfo;
using fake::Connect;
using fake::FakePacing;
using fake::FakeServer;
using fake::Handlers;
using fake::MakeJob;
using fake::WithErrorInfo;
using fake::WithRetryInfo;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

template <class Request, class Response>
void AnswerWith(const char* job_id, fake::Unary<Request, Response>& handler) {
  handler = [job_id](const Request& request, const CallInfo&) {
    EXPECT_FALSE(request.request_id().empty());
    Response response;
    *response.mutable_job() = MakeJob(job_id, v1::JOB_STATE_QUEUED);
    return absl::StatusOr<Response>(response);
  };
}

// Each submit of the API is a method of the client's, which a line here shows.
TEST(Submits, AllAreMethodsOfTheClient) {
  const std::map<std::string, std::function<absl::StatusOr<Job>(const Client&)>> methods = {
      {"CreatePreview", [](const Client& client) { return client.CreatePreview({}); }},
      {"Render", [](const Client& client) { return client.Render({}); }},
      {"Transcribe", [](const Client& client) { return client.Transcribe({}); }},
      {"Summarize", [](const Client& client) { return client.Summarize({}); }},
      {"GenerateImage", [](const Client& client) { return client.GenerateImage({}); }},
      {"GenerateVideo", [](const Client& client) { return client.GenerateVideo({}); }}};
  Handlers handlers;
  AnswerWith("CreatePreview", handlers.create_preview);
  AnswerWith("Render", handlers.render);
  AnswerWith("Transcribe", handlers.transcribe);
  AnswerWith("Summarize", handlers.summarize);
  AnswerWith("GenerateImage", handlers.generate_image);
  AnswerWith("GenerateVideo", handlers.generate_video);
  FakeServer server(std::move(handlers));
  FakePacing pacing;
  const Client client = Connect(server, pacing);
  const auto* const service =
      v1::GetJobRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
  for (int i = 0; i < service->method_count(); ++i) {
    const auto* const method = service->method(i);
    if (!method->options().HasExtension(v1::job_method)) continue;
    const std::string name(method->name());
    ASSERT_EQ(methods.count(name), 1u) << name;
    const absl::StatusOr<Job> job = methods.at(name)(client);
    ASSERT_TRUE(job.ok()) << name << job.status();
    EXPECT_EQ(job->job_id(), name);
  }
}

TEST(Submits, AnyOfTheirRequestsCanBeSubmitted) {
  Handlers handlers;
  handlers.render = [](const v1::RenderRequest& request, const CallInfo&) {
    v1::RenderResponse response;
    *response.mutable_job() = MakeJob(request.request_id(), v1::JOB_STATE_QUEUED);
    return absl::StatusOr<v1::RenderResponse>(response);
  };
  FakeServer server(std::move(handlers));
  FakePacing pacing;
  const Client client = Connect(server, pacing);
  RenderRequest request;
  google::protobuf::Message& any = request;
  const absl::StatusOr<Job> job = client.Submit(any);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_FALSE(request.request_id().empty());
  EXPECT_EQ(job->job_id(), request.request_id());
  ListJobsRequest no_submit;
  EXPECT_EQ(client.Submit(no_submit).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Connect, RefusesWhatIsNoTarget) {
  const std::vector<std::pair<const char*, const char*>> bad = {
      {"", "it is empty"},
      {"https://", "the host is missing"},
      {"http://host/path", "a path"},
      {"host port", "a blank"},
      {" host:1", "a blank"},
      {"host\n:1", "a blank"},
      {"host", "the port is missing"},
      {"[::1]", "the port is missing"},
      {"host:", "0 to 65535"},
      {"host:99999", "0 to 65535"},
      {"host:0", "port 0"},
      {"host:-1", "0 to 65535"},
      {"host:80x", "0 to 65535"},
      {"https://host:99999", "0 to 65535"},
      {"dns:///host:99999", "0 to 65535"},
      {"dns:host", "the port is missing"},
      {":50051", "the host is missing"},
      {"https://:443", "the host is missing"},
      {"::1:50051", "brackets"},
      {"::1", "brackets"},
      {"https://::1", "brackets"},
      {"[::1:50051", "the ']'"},
      {"[host]:1", "no IPv6 address"},
      {"[::1]50051", "a colon"},
      {"grpc://host:1", "no scheme"},
      {"ftp://host", "no scheme"},
      {"user@host:1", "a user"},
      {"127.0.1:1", "four numbers"},
      {"300.0.0.1:1", "four numbers"},
      {"a..b:1", "empty"},
  };
  for (const auto& [target, why] : bad) {
    const absl::Status status = Client::Connect(target).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << target;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why)) << target;
    EXPECT_THAT(std::string(status.message()), HasSubstr("write host:port")) << target;
  }
  for (const char* good :
       {"host:1", "my_host.svc:65535", "https://host", "https://host:443/", "https://[::1]",
        "http://host:80", "[::1]:1", "[fe80::1%eth0]:1", "dns:///host:1", "dns:host:1",
        "dns://8.8.8.8/host:1", "dns:53", "unix:/x", "unix-abstract:x", "ipv4:127.0.0.1:1"}) {
    EXPECT_TRUE(Client::Connect(good).ok()) << good;
  }
  const absl::Status both =
      Client::Connect("http://host:80", {.tls = TlsOptions{.ca_pem = "PEM"}}).status();
  EXPECT_THAT(std::string(both.message()), HasSubstr("write https://"));
}

TEST(Submit, RepeatsWithOneRequestIdAndHonoursRetryInfo) {
  std::mutex mutex;
  std::set<std::string> ids;
  Handlers handlers;
  handlers.create_preview = [&](const v1::CreatePreviewRequest& request,
                                const CallInfo& call) -> absl::StatusOr<v1::CreatePreviewResponse> {
    const std::lock_guard lock(mutex);
    ids.insert(request.request_id());
    if (call.number == 1) return WithRetryInfo(absl::StatusCode::kUnavailable, "draining", 2);
    if (call.number == 2) return absl::UnavailableError("gone");
    v1::CreatePreviewResponse response;
    *response.mutable_job() = MakeJob("j1", v1::JOB_STATE_QUEUED);
    return response;
  };
  FakeServer server(handlers);
  FakePacing pacing;
  const auto job = Connect(server, pacing).CreatePreview({});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->job_id(), "j1");
  const std::lock_guard lock(mutex);
  EXPECT_THAT(ids, SizeIs(1));
  EXPECT_THAT(*ids.begin(), SizeIs(36));
  // 2 s as told and half of the 20 % spread; then half way between 0.2 s and 0.8 s.
  EXPECT_THAT(pacing.waits(), ElementsAre(DoubleNear(2.2, 1e-6), DoubleNear(0.5, 1e-6)));
}

TEST(Submit, KeepsTheCallersRequestId) {
  Handlers handlers;
  handlers.render = [](const v1::RenderRequest& request,
                       const CallInfo&) -> absl::StatusOr<v1::RenderResponse> {
    v1::RenderResponse response;
    response.mutable_job()->set_request_id(request.request_id());
    return response;
  };
  FakeServer server(handlers);
  FakePacing pacing;
  RenderRequest request;
  request.set_request_id("mine-1");
  EXPECT_EQ(Connect(server, pacing).Render(request)->request_id(), "mine-1");
}

TEST(Submit, NeverRepeatsAfterAnythingElse) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kInvalidArgument, absl::StatusCode::kNotFound,
        absl::StatusCode::kInternal, absl::StatusCode::kDeadlineExceeded,
        absl::StatusCode::kAborted, absl::StatusCode::kUnknown,
        absl::StatusCode::kFailedPrecondition, absl::StatusCode::kResourceExhausted}) {
    Handlers handlers;
    handlers.transcribe = [code](const v1::TranscribeRequest&,
                                 const CallInfo&) -> absl::StatusOr<v1::TranscribeResponse> {
      return WithRetryInfo(code, "no", 1);
    };
    FakeServer server(handlers);
    FakePacing pacing;
    const auto job = Connect(server, pacing).Transcribe({});
    EXPECT_EQ(job.status().code(), code);
    EXPECT_EQ(Reason(job.status()), "TEST");
    EXPECT_EQ(RetryDelay(job.status()), std::chrono::seconds(1));
    EXPECT_EQ(server.Calls("Transcribe"), 1) << code;
    EXPECT_THAT(pacing.waits(), IsEmpty());
  }
}

// As gRPC's library and proxies put it, without a word of the gateway's.
std::vector<absl::Status> BrokenCalls() {
  return {absl::UnavailableError("upstream request timeout"),
          absl::InternalError("Received RST_STREAM with error code 2"),
          absl::UnknownError("Stream removed"),
          absl::CancelledError("Received RST_STREAM with error code 8"),
          absl::DeadlineExceededError("a shorter deadline than ours"),
          WithErrorInfo(absl::StatusCode::kUnknown, "a proxy's own", "mesh.example.com")};
}

TEST(Submit, IsRepeatedWithItsRequestIdWhereTheConnectionBroke) {
  for (const absl::Status& broken : BrokenCalls()) {
    std::mutex mutex;
    std::set<std::string> ids;
    Handlers handlers;
    handlers.create_preview =
        [&](const v1::CreatePreviewRequest& request,
            const CallInfo& call) -> absl::StatusOr<v1::CreatePreviewResponse> {
      const std::lock_guard lock(mutex);
      ids.insert(request.request_id());
      if (call.number < 3) return broken;
      v1::CreatePreviewResponse response;
      *response.mutable_job() = MakeJob("j1", v1::JOB_STATE_QUEUED);
      return response;
    };
    FakeServer server(handlers);
    FakePacing pacing;
    const auto job = Connect(server, pacing).CreatePreview({});
    ASSERT_TRUE(job.ok()) << job.status();
    const std::lock_guard lock(mutex);
    EXPECT_THAT(ids, SizeIs(1));
    EXPECT_THAT(*ids.begin(), SizeIs(36));
  }
}

TEST(Submit, AConnectionThatBreaksForEverEndsItAfterItsAttempts) {
  for (const absl::Status& broken : BrokenCalls()) {
    Handlers handlers;
    handlers.render = [&broken](const v1::RenderRequest&,
                                const CallInfo&) -> absl::StatusOr<v1::RenderResponse> {
      return broken;
    };
    FakeServer server(handlers);
    FakePacing pacing;
    const absl::Status status = Connect(server, pacing).Render({}).status();
    EXPECT_EQ(status.code(), broken.code());
    EXPECT_TRUE(MayHaveBeenTaken(status));
    EXPECT_TRUE(BrokenConnection(status));
    EXPECT_EQ(server.Calls("Render"), 5);
  }
}

TEST(Submit, IsNotRepeatedAfterALimitOrARefusalWhoeverSaysSo) {
  for (const absl::Status& refusal :
       {absl::ResourceExhaustedError("Received message larger than max (17 vs. 16)"),
        absl::UnauthenticatedError("Jwt is expired"), absl::PermissionDeniedError("RBAC"),
        absl::UnimplementedError("HTTP 404"), absl::AbortedError("no"), absl::DataLossError("no"),
        WithErrorInfo(absl::StatusCode::kInternal, "no"),
        WithErrorInfo(absl::StatusCode::kUnknown, "no"),
        WithErrorInfo(absl::StatusCode::kCancelled, "no"),
        WithErrorInfo(absl::StatusCode::kDeadlineExceeded, "no")}) {
    Handlers handlers;
    handlers.summarize = [&refusal](const v1::SummarizeRequest&,
                                    const CallInfo&) -> absl::StatusOr<v1::SummarizeResponse> {
      return refusal;
    };
    FakeServer server(handlers);
    FakePacing pacing;
    const absl::Status status = Connect(server, pacing).Summarize({}).status();
    EXPECT_EQ(status.code(), refusal.code());
    EXPECT_FALSE(BrokenConnection(status)) << status;
    EXPECT_EQ(server.Calls("Summarize"), 1) << refusal;
  }
}

TEST(Submit, IsNotRepeatedWhenItsOwnDeadlineHasPassed) {
  Handlers handlers;
  handlers.render = [](const v1::RenderRequest&,
                       const CallInfo& info) -> absl::StatusOr<v1::RenderResponse> {
    info.wait_cancelled();
    return absl::CancelledError("");
  };
  FakeServer server(handlers);
  FakePacing pacing;
  CallOptions call;
  call.timeout = std::chrono::milliseconds(100);
  const absl::Status status = Connect(server, pacing).Render({}, call).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_TRUE(MayHaveBeenTaken(status));
  EXPECT_EQ(server.Calls("Render"), 1);
}

TEST(Templates, OneThatMayHaveBeenMadeIsAskedForOnce) {
  Handlers handlers;
  absl::Status broken;
  handlers.create_template = [&](const v1::CreateTemplateRequest&,
                                 const CallInfo&) -> absl::StatusOr<v1::CreateTemplateResponse> {
    return broken;
  };
  FakeServer server(handlers);
  FakePacing pacing;
  const Client client = Connect(server, pacing);
  broken = gateway::errors::UpstreamUnknown("HTTP 502", "ListTemplates");
  EXPECT_EQ(Reason(client.CreateTemplate({}).status()), "UPSTREAM_UNKNOWN");
  EXPECT_EQ(server.Calls("CreateTemplate"), 1);
  broken = gateway::errors::UpstreamUnreachable("not sent", std::chrono::seconds(1),
                                                gateway::errors::Call::kFree);
  EXPECT_FALSE(client.CreateTemplate({}).ok());
  EXPECT_GT(server.Calls("CreateTemplate"), 2) << "nothing was done";
}

TEST(Submit, IsNotSentOnceItIsStopped) {
  FakeServer server({});
  FakePacing pacing;
  std::stop_source stop;
  stop.request_stop();
  CallOptions call;
  call.stop = stop.get_token();
  const absl::Status status = Connect(server, pacing).CreatePreview({}, call).status();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_FALSE(MayHaveBeenTaken(status));
  EXPECT_EQ(server.Calls("CreatePreview"), 0);
}

TEST(Submit, RepeatsAfterExhaustionOnlyWhenAskedAndTold) {
  for (const bool told : {true, false}) {
    Handlers handlers;
    handlers.summarize = [told](const v1::SummarizeRequest&,
                                const CallInfo& call) -> absl::StatusOr<v1::SummarizeResponse> {
      if (call.number > 1) return v1::SummarizeResponse();
      return told ? WithRetryInfo(absl::StatusCode::kResourceExhausted, "slow down", 1)
                  : absl::ResourceExhaustedError("too large");
    };
    FakeServer server(handlers);
    FakePacing pacing;
    RetryOptions retry;
    retry.when_exhausted = true;
    EXPECT_EQ(Connect(server, pacing, retry).Summarize({}).ok(), told);
    EXPECT_EQ(server.Calls("Summarize"), told ? 2 : 1);
  }
}

TEST(Submit, GivesUpAfterItsAttemptsOrItsPatience) {
  double delay = 0.5;
  Handlers handlers;
  handlers.create_preview = [&](const v1::CreatePreviewRequest&,
                                const CallInfo&) -> absl::StatusOr<v1::CreatePreviewResponse> {
    return WithRetryInfo(absl::StatusCode::kUnavailable, "down", delay);
  };
  FakeServer server(handlers);
  FakePacing pacing;
  RetryOptions retry;
  retry.max_attempts = 3;
  const Client client = Connect(server, pacing, retry);
  EXPECT_TRUE(absl::IsUnavailable(client.CreatePreview({}).status()));
  EXPECT_EQ(server.Calls("CreatePreview"), 3);
  delay = 3600;  // longer than anybody waits: told at once
  EXPECT_TRUE(absl::IsUnavailable(client.CreatePreview({}).status()));
  EXPECT_EQ(server.Calls("CreatePreview"), 4);
  EXPECT_THAT(pacing.waits(), SizeIs(2));
}

TEST(Submit, UnreachableGatewayIsUnavailable) {
  FakePacing pacing;
  ClientOptions options;
  options.pacing = pacing.pacing();
  std::string target;
  {
    FakeServer gone({});
    target = gone.target();
  }
  const auto job = Client::Connect(target, options)->CreatePreview({});
  EXPECT_TRUE(absl::IsUnavailable(job.status())) << job.status();
  EXPECT_EQ(Reason(job.status()), "");
  EXPECT_THAT(pacing.waits(), SizeIs(4));
}

TEST(Submit, StopsWhenAsked) {
  Handlers handlers;
  handlers.create_preview = [](const v1::CreatePreviewRequest&,
                               const CallInfo& call) -> absl::StatusOr<v1::CreatePreviewResponse> {
    call.wait_cancelled();
    return absl::CancelledError("");
  };
  FakeServer server(handlers);
  FakePacing pacing;
  std::stop_source stop;
  CallOptions call;
  call.stop = stop.get_token();
  std::jthread stopper([&] {
    server.WaitForCalls("CreatePreview", 1);
    stop.request_stop();
  });
  EXPECT_TRUE(absl::IsCancelled(Connect(server, pacing).CreatePreview({}, call).status()));
}

TEST(Submit, SaysWhetherTheJobMayHaveBeenTaken) {
  const struct {
    absl::Status status;
    bool open;
  } cases[] = {
      {absl::UnavailableError("connection reset"), true},
      {absl::DeadlineExceededError("deadline"), true},
      {absl::InternalError("stream reset"), true},
      {gateway::errors::Draining(std::chrono::hours(1)), false},
      {gateway::errors::StoreFailed("disk full"), false},
      {gateway::errors::Invalid("storyboard.scenes", "at least one"), false},
      {absl::PermissionDeniedError("no"), false},
  };
  for (const auto& [status, open] : cases) {
    Handlers handlers;
    handlers.create_preview = [&answer = status](const v1::CreatePreviewRequest&, const CallInfo&)
        -> absl::StatusOr<v1::CreatePreviewResponse> { return answer; };
    FakeServer server(handlers);
    FakePacing pacing;
    const absl::Status got = Connect(server, pacing).CreatePreview({}).status();
    EXPECT_EQ(got.code(), status.code());
    EXPECT_EQ(MayHaveBeenTaken(got), open) << status;
  }
}

TEST(Submit, OneOpenAttemptLeavesTheWholeCallOpen) {
  Handlers handlers;
  handlers.create_preview = [](const v1::CreatePreviewRequest&,
                               const CallInfo& call) -> absl::StatusOr<v1::CreatePreviewResponse> {
    if (call.number == 1) return absl::UnavailableError("connection reset");
    return absl::PermissionDeniedError("no");
  };
  FakeServer server(handlers);
  FakePacing pacing;
  const absl::Status status = Connect(server, pacing).CreatePreview({}).status();
  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_TRUE(MayHaveBeenTaken(status));
}

TEST(Call, ReadsFieldViolations) {
  Handlers handlers;
  handlers.get = [](const v1::GetJobRequest&,
                    const CallInfo&) -> absl::StatusOr<v1::GetJobResponse> {
    return gateway::errors::Invalid({{"a.b[1]", "too long"}, {"c", "missing"}});
  };
  FakeServer server(handlers);
  FakePacing pacing;
  const absl::Status status = Connect(server, pacing).Get("j").status();
  const auto violations = FieldViolations(status);
  ASSERT_THAT(violations, SizeIs(2));
  EXPECT_EQ(violations[0].field, "a.b[1]");
  EXPECT_EQ(violations[1].description, "missing");
  EXPECT_EQ(Reason(status), "INVALID_REQUEST");
}

TEST(Call, ReadsWhatStandsBesideTheReason) {
  Handlers handlers;
  handlers.get = [](const v1::GetJobRequest&,
                    const CallInfo&) -> absl::StatusOr<v1::GetJobResponse> {
    return gateway::errors::RequestIdReused("r1", "j1");
  };
  FakeServer server(handlers);
  FakePacing pacing;
  const absl::Status status = Connect(server, pacing).Get("j").status();
  EXPECT_EQ(ErrorMetadata(status, "request_id"), "r1");
  EXPECT_EQ(ErrorMetadata(status, "job_id"), "j1");
  EXPECT_EQ(ErrorMetadata(status, "other"), "");
}

TEST(Call, SendsMetadata) {
  Handlers handlers;
  handlers.get = [](const v1::GetJobRequest& request,
                    const CallInfo& call) -> absl::StatusOr<v1::GetJobResponse> {
    v1::GetJobResponse response;
    response.mutable_job()->set_job_id(request.job_id());
    response.mutable_job()->set_message(call.metadata("x-team"));
    return response;
  };
  FakeServer server(handlers);
  ClientOptions options;
  options.metadata = {{"x-team", "video"}};
  const auto job = Client::Connect("http://" + server.target(), options)->Get("a");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->message(), "video");
}

TEST(Call, ShowsTheCallersOwnKeyOnlyWhereNobodyReadsAlong) {
  Handlers handlers;
  handlers.get = [](const v1::GetJobRequest&,
                    const CallInfo& call) -> absl::StatusOr<v1::GetJobResponse> {
    v1::GetJobResponse response;
    response.mutable_job()->set_message(call.metadata("pictory-api-key"));
    return response;
  };
  FakeServer server(handlers);
  ClientOptions options;
  options.pictory_key = "pictai_own";
  const auto job = Client::Connect("http://" + server.target(), options)->Get("a");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->message(), "pictai_own");
  for (const char* plain : {"10.0.0.1:50051", "http://gateway.example", "dns:///gateway:1"}) {
    const auto refused = Client::Connect(plain, options);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << plain;
    EXPECT_EQ(std::string(refused.status().message()).find("pictai_own"), std::string::npos);
  }
  for (const char* safe : {"https://gateway.example", "unix:/run/gateway", "localhost:1"}) {
    EXPECT_TRUE(Client::Connect(safe, options).ok()) << safe;
  }
  options.tls.emplace();
  EXPECT_TRUE(Client::Connect("gateway.example:1", options).ok());
}

TEST(Resolve, IsRepeatedOnlyIfNothingWasDone) {
  for (const bool told : {true, false}) {
    Handlers handlers;
    handlers.resolve = [told](const v1::ResolveJobRequest&,
                              const CallInfo& call) -> absl::StatusOr<v1::ResolveJobResponse> {
      if (call.number > 1) return v1::ResolveJobResponse();
      return told ? WithRetryInfo(absl::StatusCode::kUnavailable, "draining", 1)
                  : absl::UnavailableError("connection lost");
    };
    FakeServer server(handlers);
    FakePacing pacing;
    EXPECT_EQ(Connect(server, pacing).Resolve({}).ok(), told);
  }
}

TEST(Delete, IsNotRepeatedWhereTheConnectionBroke) {
  for (const absl::Status& broken : BrokenCalls()) {
    Handlers handlers;
    handlers.remove = [&broken](const v1::DeleteJobRequest&,
                                const CallInfo&) -> absl::StatusOr<v1::DeleteJobResponse> {
      return broken;
    };
    FakeServer server(handlers);
    FakePacing pacing;
    EXPECT_EQ(Connect(server, pacing).Delete("j").status().code(), broken.code());
    EXPECT_EQ(server.Calls("DeleteJob"), 1);
  }
}

TEST(Cancel, MeansNoOtherJobAndIsRepeatedWhereTheConnectionBroke) {
  for (const absl::Status& broken : BrokenCalls()) {
    Handlers handlers;
    handlers.remove = [&broken](const v1::DeleteJobRequest& request,
                                const CallInfo& call) -> absl::StatusOr<v1::DeleteJobResponse> {
      EXPECT_TRUE(request.cancel_only());
      if (call.number == 1) return broken;
      v1::DeleteJobResponse response;
      *response.mutable_job() = MakeJob(request.job_id(), v1::JOB_STATE_CANCELLED);
      return response;
    };
    FakeServer server(handlers);
    FakePacing pacing;
    const auto cancelled = Connect(server, pacing).Cancel("j");
    ASSERT_TRUE(cancelled.ok()) << cancelled.status();
    EXPECT_EQ(cancelled->state(), v1::JOB_STATE_CANCELLED);
    EXPECT_EQ(server.Calls("DeleteJob"), 2);
  }
}

TEST(Get, IsRepeatedWhereTheConnectionBroke) {
  for (const absl::Status& broken : BrokenCalls()) {
    Handlers handlers;
    handlers.get = [&broken](const v1::GetJobRequest&,
                             const CallInfo& call) -> absl::StatusOr<v1::GetJobResponse> {
      if (call.number == 1) return broken;
      return v1::GetJobResponse();
    };
    FakeServer server(handlers);
    FakePacing pacing;
    EXPECT_TRUE(Connect(server, pacing).Get("j").ok()) << broken;
  }
}

TEST(CreateUpload, CostsNothingAndIsRepeated) {
  Handlers handlers;
  handlers.create_upload = [](const v1::CreateUploadRequest& request,
                              const CallInfo& call) -> absl::StatusOr<v1::CreateUploadResponse> {
    if (call.number == 1) return absl::UnavailableError("gone");
    v1::CreateUploadResponse response;
    response.set_file_url("https://x/" + request.file_name());
    return response;
  };
  FakeServer server(handlers);
  FakePacing pacing;
  CreateUploadRequest request;
  request.set_file_name("a.mp4");
  const auto place = Connect(server, pacing).CreateUpload(request);
  ASSERT_TRUE(place.ok()) << place.status();
  EXPECT_EQ(place->file_url(), "https://x/a.mp4");
  EXPECT_EQ(server.Calls("CreateUpload"), 2);
}

TEST(UpdatePreview, IsRepeatedAndBringsThePreview) {
  Handlers handlers;
  handlers.update_preview = [](const v1::UpdatePreviewRequest& request,
                               const CallInfo& call) -> absl::StatusOr<v1::UpdatePreviewResponse> {
    EXPECT_EQ(request.elements(0).id(), "bgMusic");
    if (call.number == 1) return absl::UnavailableError("gone");
    v1::UpdatePreviewResponse response;
    *response.mutable_job() = MakeJob(request.job_id(), v1::JOB_STATE_SUCCEEDED);
    return response;
  };
  FakeServer server(handlers);
  FakePacing pacing;
  UpdatePreviewRequest request;
  request.set_job_id("j");
  request.add_elements()->set_id("bgMusic");
  const auto preview = Connect(server, pacing).UpdatePreview(request);
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_EQ(preview->job_id(), "j");
  EXPECT_EQ(server.Calls("UpdatePreview"), 2);
}

TEST(List, ReadsPageAfterPageAndEndsWithTheError) {
  Handlers handlers;
  handlers.list = [](const v1::ListJobsRequest& request,
                     const CallInfo&) -> absl::StatusOr<v1::ListJobsResponse> {
    v1::ListJobsResponse page;
    if (request.page_token() == "") {
      *page.add_jobs() = MakeJob("a", v1::JOB_STATE_QUEUED);
      *page.add_jobs() = MakeJob("b", v1::JOB_STATE_QUEUED);
      page.set_next_page_token("2");
    } else if (request.page_token() == "2") {
      page.set_next_page_token("3");  // an empty page is no end
    } else if (request.page_token() == "3") {
      *page.add_jobs() = MakeJob("c", v1::JOB_STATE_QUEUED);
      if (request.page_size() == 7) page.set_next_page_token("bad");
    } else {
      return absl::InvalidArgumentError("page_token");
    }
    return page;
  };
  FakeServer server(handlers);
  FakePacing pacing;
  const Client client = Connect(server, pacing);
  std::vector<std::string> seen;
  for (const absl::StatusOr<Job>& job : client.List()) seen.push_back(job->job_id());
  EXPECT_THAT(seen, ElementsAre("a", "b", "c"));

  seen.clear();
  ListJobsRequest filter;
  filter.set_page_size(7);
  for (const absl::StatusOr<Job>& job : client.List(filter)) {
    seen.push_back(job.ok() ? job->job_id() : std::string(job.status().message()));
  }
  EXPECT_THAT(seen, ElementsAre("a", "b", "c", "page_token"));
}

TEST(Get, TakesAMessageLargerThanTheLibrarysDefault) {
  Handlers handlers;
  handlers.get = [](const v1::GetJobRequest&,
                    const CallInfo&) -> absl::StatusOr<v1::GetJobResponse> {
    v1::GetJobResponse response;
    response.mutable_job()->mutable_transcription()->set_txt(std::string(16 << 20, 'x'));
    return response;
  };
  FakeServer server(handlers);
  FakePacing pacing;
  const auto job = Connect(server, pacing).Get("j", v1::JOB_VIEW_FULL);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->transcription().txt().size(), std::size_t{16} << 20);
}

}  // namespace
}  // namespace pictory_jobs
