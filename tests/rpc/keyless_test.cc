// What a submit without a request_id is told, and how the gateway learns whether it arrived.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "base/errors.h"
#include "jobs/fingerprint.h"
#include "jobs/owed_answers.h"
#include "rpc/canonical.h"
#include "rpc/rpc_house.h"
#include "rpc/submit_calls.h"

namespace gateway::rpc {
namespace {

using test::MakeJob;
using test::RpcHouse;

// The submitter's part: answers every submit with one job, as `rule` says, and keeps count of the
// answers.
class KeylessHouse : public RpcHouse {
 public:
  KeylessHouse() {
    on_submit = [this](const jobs::SubmitRequest& request, jobs::Submitter::Done done) {
      jobs::OwedAnswers::Verdict verdict =
          owed.Ask(request.owner.tenant, request.fingerprint, request.request_id,
                   jobs::OwedAnswers::Id::kMinted);
      owed.Answered({request.owner.tenant, verdict.request_id}, "j1");
      jobs::AnswerSource source{verdict.rule, verdict.request_id, std::move(verdict.call)};
      auto answer = [this, done = std::move(done), source = std::move(source)] {
        done(hub.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1)), source);
      };
      MutexLock lock(mutex);
      if (!hold) return answer();
      held = std::move(answer);
    };
  }
  bool is_held() {
    MutexLock lock(mutex);
    return held != nullptr;
  }
  void Answer() {
    std::function<void()> answer;
    {
      MutexLock lock(mutex);
      answer = std::exchange(held, nullptr);
    }
    answer();
  }
  // An equal submit is owed the answer.
  bool IsOwed() { return owed.StillOwed().size() == 1; }

  jobs::OwedAnswers owed{Duration::zero(), clock};  // what has arrived counts at once
  Mutex mutex;
  bool hold = false;
  std::function<void()> held;
};

v1::TranscribeRequest OneTranscription() {
  v1::TranscribeRequest request;
  request.set_file_url("https://x.example/a.mp4");
  return request;
}

TEST(KeylessTest, AnAnswerThatArrivesIsOwedNoMore) {
  for (const bool hold : {false, true}) {
    KeylessHouse house;
    house.hold = hold;
    std::thread answerer;
    if (hold) {
      answerer = std::thread([&] {
        test::Await([&] { return house.is_held(); }, "the submit is under way");
        house.Answer();
      });
    }
    grpc::ClientContext context;
    v1::TranscribeResponse response;
    ASSERT_TRUE(house.stub->Transcribe(&context, OneTranscription(), &response).ok());
    if (answerer.joinable()) answerer.join();
    test::Await([&] { return !house.IsOwed(); }, "the call is over");
    EXPECT_EQ(context.GetServerTrailingMetadata().count("pictory-answer-rule"), 0u);
  }
}

TEST(KeylessTest, ACancelledCallsAnswerIsOwed) {
  KeylessHouse house;
  house.hold = true;
  grpc::ClientContext context;
  std::thread caller([&] {
    v1::TranscribeResponse response;
    EXPECT_FALSE(house.stub->Transcribe(&context, OneTranscription(), &response).ok());
  });
  test::Await([&] { return house.is_held(); }, "the submit is under way");
  context.TryCancel();
  caller.join();
  test::Await([&] { return house.server->open_calls() == 0; }, "the call is over");
  house.Answer();
  EXPECT_TRUE(house.IsOwed());

  house.hold = false;
  grpc::ClientContext again;
  v1::TranscribeResponse response;
  ASSERT_TRUE(house.stub->Transcribe(&again, OneTranscription(), &response).ok());
  EXPECT_EQ(response.job().job_id(), "j1");
  const auto& trailers = again.GetServerTrailingMetadata();
  ASSERT_EQ(trailers.count("pictory-answer-rule"), 1u);
  EXPECT_EQ(trailers.find("pictory-answer-rule")->second, "undelivered");
  EXPECT_EQ(trailers.find("pictory-answer-of")->second, house.submitted[0].request_id);
  test::Await([&] { return !house.IsOwed(); }, "the second call is over");
}

TEST(KeylessTest, AnAnswerBehindItsDeadlineIsOwed) {
  KeylessHouse house;
  house.hold = true;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  v1::TranscribeResponse response;
  EXPECT_EQ(house.stub->Transcribe(&context, OneTranscription(), &response).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  test::Await([&] { return house.server->open_calls() == 0; }, "the call is over");
  house.Answer();
  EXPECT_TRUE(house.IsOwed());
}

TEST(KeylessTest, TheMetadataOfARepetitionAreRead) {
  RpcHouse house;
  const auto call = [&](std::vector<std::pair<std::string, std::string>> metadata) {
    grpc::ClientContext context;
    for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
    v1::TranscribeResponse response;
    EXPECT_TRUE(house.stub->Transcribe(&context, OneTranscription(), &response).ok());
    return house.last_submit().retry;
  };
  EXPECT_FALSE(call({}).any());
  EXPECT_FALSE(call({{"x-envoy-attempt-count", "1"}}).by_mesh);
  EXPECT_TRUE(call({{"x-envoy-attempt-count", "2"}}).by_mesh);
  EXPECT_EQ(call({{"x-request-id", "x-1"}}).mesh_request_id, "x-1");
  for (const char* odd : {"garbage", "-1", "2147483648", "2, 3", ""}) {
    EXPECT_FALSE(call({{"x-envoy-attempt-count", odd}}).any()) << odd;
  }
  EXPECT_EQ(
      call({{"x-request-id", std::string(limits::kCallerIdMaxBytes + 1, 'x')}}).mesh_request_id,
      "");
}

TEST(KeylessTest, ALibraryThatRepeatsACallSaysSo) {
  RpcHouse house;
  std::atomic<int> attempts{0};
  house.on_submit = [&](const jobs::SubmitRequest&, const jobs::Submitter::Done& done) {
    if (++attempts == 1)
      return done(errors::UpstreamUnreachable("at first", std::chrono::milliseconds(1),
                                              errors::Call::kSubmit),
                  {});
    done(house.hub.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1)), {});
  };
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(R"({"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":3,
      "initialBackoff":"0.01s","maxBackoff":"0.01s","backoffMultiplier":1,
      "retryableStatusCodes":["UNAVAILABLE"]}}]})");
  const auto stub = v1::PictoryJobs::NewStub(grpc::CreateCustomChannel(
      house.server->addresses()[0], grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  v1::TranscribeResponse response;
  ASSERT_TRUE(stub->Transcribe(&context, OneTranscription(), &response).ok());
  ASSERT_EQ(house.submitted.size(), 2u);
  EXPECT_FALSE(house.submitted[0].retry.by_library);
  EXPECT_TRUE(house.submitted[1].retry.by_library);
}

TEST(KeylessTest, EveryCallThatFindsAJobNamesIt) {
  RpcHouse house;
  house.fake.Put(test::MakeRecord(MakeJob("j1", v1::JOB_STATE_FAILED, 1)));
  const auto named = [&](const auto& call) {
    house.named.clear();
    call();
    return house.named;
  };
  const std::vector<std::string> once = {"j1"};
  EXPECT_EQ(named([&] {
              grpc::ClientContext context;
              v1::GetJobRequest request;
              request.set_job_id("j1");
              v1::GetJobResponse response;
              EXPECT_TRUE(house.stub->GetJob(&context, request, &response).ok());
            }),
            once);
  EXPECT_EQ(named([&] {
              grpc::ClientContext context;
              v1::WatchJobRequest request;
              request.set_job_id("j1");
              const auto reader = house.stub->WatchJob(&context, request);
              v1::WatchJobResponse response;
              while (reader->Read(&response)) {
              }
            }),
            once);
  EXPECT_EQ(named([&] {
              grpc::ClientContext context;
              v1::ReadJobResultRequest request;
              request.set_job_id("j1");
              request.set_part(v1::RESULT_PART_RESULT_JSON);
              const auto reader = house.stub->ReadJobResult(&context, request);
              v1::ReadJobResultResponse response;
              while (reader->Read(&response)) {
              }
            }),
            once);
  EXPECT_EQ(named([&] {
              grpc::ClientContext context;
              v1::DeleteJobRequest request;
              request.set_job_id("j1");
              v1::DeleteJobResponse response;
              EXPECT_TRUE(house.stub->DeleteJob(&context, request, &response).ok());
            }),
            once);
  EXPECT_EQ(named([&] {
              grpc::ClientContext context;
              v1::GetJobRequest request;
              request.set_job_id("j2");
              v1::GetJobResponse response;
              EXPECT_FALSE(house.stub->GetJob(&context, request, &response).ok());
            }),
            std::vector<std::string>());
}

TEST(KeylessTest, AServerMayRequireRequestIds) {
  RpcHouse house({}, nullptr, true);
  v1::TranscribeResponse response;
  grpc::ClientContext without;
  const absl::Status refused =
      test::FromGrpc(house.stub->Transcribe(&without, OneTranscription(), &response));
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(errors::Violations(refused).size(), 1u);
  EXPECT_EQ(errors::Violations(refused)[0].field, "request_id");
  grpc::ClientContext as_metadata;
  as_metadata.AddMetadata("idempotency-key", "one");
  EXPECT_TRUE(house.stub->Transcribe(&as_metadata, OneTranscription(), &response).ok());
  grpc::ClientContext as_field;
  v1::TranscribeRequest request = OneTranscription();
  request.set_request_id("two");
  EXPECT_TRUE(house.stub->Transcribe(&as_field, request, &response).ok());
}

v1::CreatePreviewRequest Preview() {
  v1::CreatePreviewRequest request;
  auto* storyboard = request.mutable_storyboard();
  storyboard->set_video_name("demo");
  storyboard->add_scenes()->set_story("Hello.");
  (*request.mutable_labels())["team"] = "a";
  (*request.mutable_labels())["zone"] = "b";
  return request;
}

std::string Canonical(const google::protobuf::Message& message) {
  Sha256Stream digest;
  AppendCanonical(message, digest);
  return digest.Finish();
}

TEST(CanonicalTest, IsTheSameWhateverTheOrderOfAMap) {
  v1::CreatePreviewRequest other;
  (*other.mutable_labels())["zone"] = "b";
  (*other.mutable_labels())["team"] = "a";
  *other.mutable_storyboard() = Preview().storyboard();
  EXPECT_EQ(Canonical(other), Canonical(Preview()));
}

TEST(CanonicalTest, OfFreeValuesIsTheSameWhateverTheirOrder) {
  const auto with = [](const std::vector<std::string>& keys, double number) {
    v1::CreatePreviewRequest request = Preview();
    auto& input = *request.mutable_storyboard()->mutable_webhook_input()->mutable_fields();
    for (const std::string& key : keys) {
      auto& list = *input[key].mutable_list_value();
      list.add_values()->set_number_value(number);
      (*list.add_values()->mutable_struct_value()->mutable_fields())[key].set_bool_value(true);
    }
    return Canonical(request);
  };
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.push_back("key" + std::to_string(i));
  const std::string digest = with(keys, 1);
  std::reverse(keys.begin(), keys.end());
  EXPECT_EQ(with(keys, 1), digest);
  EXPECT_NE(with(keys, 2), digest);
  keys.pop_back();
  EXPECT_NE(with(keys, 1), digest);
}

TEST(CanonicalTest, OfFreeValuesTellsEachSortFromTheOthers) {
  std::set<std::string> digests;
  const auto add = [&](const auto& set) {
    v1::CreatePreviewRequest request = Preview();
    set((*request.mutable_storyboard()->mutable_webhook_input()->mutable_fields())["k"]);
    EXPECT_TRUE(digests.insert(Canonical(request)).second);
  };
  using google::protobuf::Value;
  add([](Value&) {});
  add([](Value& value) { value.set_null_value(google::protobuf::NULL_VALUE); });
  add([](Value& value) { value.set_number_value(0); });
  add([](Value& value) { value.set_number_value(1); });
  add([](Value& value) { value.set_bool_value(false); });
  add([](Value& value) { value.set_bool_value(true); });
  add([](Value& value) { value.set_string_value(""); });
  add([](Value& value) { value.set_string_value("1"); });
  add([](Value& value) { value.mutable_list_value(); });
  add([](Value& value) { value.mutable_list_value()->add_values()->mutable_list_value(); });
  add([](Value& value) { value.mutable_struct_value(); });
  add([](Value& value) {
    (*value.mutable_struct_value()->mutable_fields())["k"].set_number_value(0);
  });
}

TEST(CanonicalTest, DiffersWithEveryChange) {
  std::set<std::string> seen = {Canonical(Preview())};
  const auto changed = [&seen](const auto& change) {
    v1::CreatePreviewRequest request = Preview();
    change(request);
    return seen.insert(Canonical(request)).second;
  };
  EXPECT_TRUE(changed([](auto& r) { r.mutable_storyboard()->set_video_name("demo2"); }));
  EXPECT_TRUE(changed([](auto& r) { r.mutable_storyboard()->set_video_name(""); }))
      << "set, and empty";
  EXPECT_TRUE(changed([](auto& r) { r.mutable_storyboard()->clear_video_name(); }));
  EXPECT_TRUE(changed([](auto& r) { r.mutable_storyboard()->add_scenes(); }));
  EXPECT_TRUE(changed([](auto& r) { (*r.mutable_labels())["team"] = "b"; }));
  EXPECT_TRUE(changed([](auto& r) {  // the same texts in other places
    (*r.mutable_labels())["team"] = "b";
    (*r.mutable_labels())["zone"] = "a";
  }));
  EXPECT_TRUE(changed([](auto& r) { r.mutable_labels()->clear(); }));
  EXPECT_TRUE(changed([](auto& r) { r.set_allow_unknown_fields(true); }));
}

// Fingerprints are stored for weeks: one that changes would let a retry be paid again. Should this
// test fail, kFingerprintVersion has to rise.
TEST(CanonicalTest, StaysTheSameInEveryVersionOfTheProgram) {
  const std::string fingerprint = Fingerprint("CreatePreview", "default", Preview());
  EXPECT_EQ(fingerprint.size(), 33u);
  EXPECT_EQ(fingerprint[0], jobs::kFingerprintVersion);
  EXPECT_EQ(absl::BytesToHexString(fingerprint.substr(1)),
            "9db8524bc810a7effbd012bfdd299d3d4d053483ad1a87a92ce7887bc1b81bb2");
}

TEST(FingerprintTest, VersionsThatCannotBeComparedAreTheSameRequest) {
  const std::string of_before(32, 'x');
  const std::string one = Fingerprint("CreatePreview", "default", Preview());
  std::string next = one;
  next[0] = 2;
  EXPECT_TRUE(jobs::SameRequest(one, one));
  EXPECT_TRUE(jobs::SameRequest(of_before, one));
  EXPECT_TRUE(jobs::SameRequest(next, one));
  EXPECT_FALSE(jobs::SameRequest(of_before, std::string(32, 'y')));
  EXPECT_FALSE(jobs::SameRequest(one, Fingerprint("CreatePreview", "other", Preview())));
}

}  // namespace
}  // namespace gateway::rpc
