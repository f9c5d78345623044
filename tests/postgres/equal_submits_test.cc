// Equal submits without a request_id that reach two gateways on one server at the same moment.
#include "store/store_calls.h"  // first, see there

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/timer_thread.h"
#include "http/transport.h"
#include "jobs/core.h"
#include "jobs/equal_submits.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "postgres/postgres_job_store.h"
#include "server.h"

namespace gateway::postgres {
namespace {

// Accepts each submit as a job of its own, which then goes on for ever.
class Accepting final : public http::HttpTransport {
 public:
  explicit Accepting(std::atomic<int>& posts) : posts_(posts) {}

  void Start(http::Request request, Done done) override {
    http::Response response;
    response.outcome = http::Response::Outcome::kComplete;
    response.status = 200;
    if (request.lane == http::Lane::kPaid) {
      if (request.may_send && !request.may_send()) ADD_FAILURE() << "it is too late to send it";
      response.body = R"({"success":true,"data":{"jobId":"p)" + std::to_string(++posts_) + "\"}}";
    } else {
      response.body = R"({"success":true,"data":{"status":"in-progress"}})";
    }
    done(std::move(response));
  }

 private:
  std::atomic<int>& posts_;
};

class Gateway {
 public:
  Gateway(const PostgresServer& server, const std::string& name, std::atomic<int>& posts)
      : transport_(posts), random_(std::hash<std::string>()(name)) {
    auto opened =
        PostgresJobStore::Open({.conninfo = server.conninfo(),
                                .gateway = name,
                                .address = "here",
                                .on_fatal = [](const absl::Status& why) { ADD_FAILURE() << why; }});
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    jobs::CoreOptions options;
    options.accounts[jobs::kDefaultAccount] = {
        .client = {.api_key = Secret("pictai_k"), .user_agent = "t"},
        .budget = {.requests_per_second = 1000, .burst = 1000}};
    core_ = std::make_unique<jobs::Core>(std::move(options), jobs::CoreEvents{},
                                         jobs::CoreGround{.store = *store_,
                                                          .transport = transport_,
                                                          .broadcaster = broadcaster_,
                                                          .clock = clock_,
                                                          .timers = timers_,
                                                          .random = random_},
                                         *store_->Recover(clock_.WallNow()));
    EXPECT_TRUE(core_->TakeUp().ok());
    EXPECT_TRUE(core_->foreign.AwaitFirst(std::chrono::seconds(30)));
  }
  ~Gateway() {
    core_->Stop();
    store_->Close();
  }
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // The job that it is answered with.
  std::future<std::string> Submit(const std::string& content, jobs::RetryEvidence retry) {
    auto message = std::make_shared<jobs::v1::CreatePreviewRequest>();
    message->mutable_storyboard()->set_video_name("n");
    message->mutable_storyboard()->add_scenes()->set_story("Hello.");
    jobs::SubmitRequest request;
    request.kind = jobs::v1::JOB_KIND_PREVIEW;
    request.request_id = "minted-" + RandomHex(8);
    request.minted_request_id = true;
    request.fingerprint = content;
    request.retry = std::move(retry);
    request.request = std::move(message);
    auto job = std::make_shared<std::promise<std::string>>();
    core_->submitter.Submit(std::move(request), [job](const jobs::Submitter::Answer& answer,
                                                      const jobs::AnswerSource& source) {
      if (source.call != nullptr) source.call->Arrived();
      job->set_value(answer.ok() ? std::string((*answer)->job_id()) : answer.status().ToString());
    });
    return job->get_future();
  }

 private:
  SystemClock clock_;
  TimerThread timers_{clock_};
  Accepting transport_;
  Random random_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  std::unique_ptr<PostgresJobStore> store_;
  std::unique_ptr<jobs::Core> core_;
};

TEST(EqualSubmitsOnPostgresTest, AreOneJobWhicheverGatewayGetsThem) {
  PostgresServer& server = PostgresServer::Shared();
  server.Empty();
  std::atomic<int> posts{0};
  Gateway one(server, "one", posts);
  Gateway two(server, "two", posts);
  const std::vector<std::pair<jobs::RetryEvidence, jobs::RetryEvidence>> calls = {
      {{}, {}},
      {{.mesh_request_id = "x"}, {.by_mesh = true, .mesh_request_id = "x"}},
      {{.mesh_request_id = "x1"}, {.by_library = true, .mesh_request_id = "x2"}}};
  constexpr int kRounds = 60;
  for (int round = 0; round < kRounds; ++round) {
    const std::string content = "content " + std::to_string(round);
    const auto& [first, second] = calls[static_cast<std::size_t>(round) % calls.size()];
    std::vector<std::future<std::string>> answers;
    answers.push_back(one.Submit(content, first));
    answers.push_back(two.Submit(content, second));
    answers.push_back(one.Submit(content, second));
    std::vector<std::string> jobs;
    for (std::future<std::string>& answer : answers) jobs.push_back(answer.get());
    jobs.push_back(two.Submit(content, second).get());
    for (const std::string& job : jobs) EXPECT_EQ(job, jobs[0]) << content;
    ASSERT_EQ(posts.load(), round + 1) << content;
  }
  const long owned = server.Number(
      "SELECT count(*) FROM (SELECT fingerprint FROM pictory.jobs WHERE minted_request_id"
      " GROUP BY fingerprint HAVING count(*) > 1) AS twice");
  EXPECT_EQ(owned, 0) << "what has given way is none that a repetition is taken for";
}

// The store finds what FirstToRepeat would find among all.
TEST(EqualSubmitsOnPostgresTest, WhatRunsComesFirstAndWhatWasNeverSentIsNotFound) {
  namespace v1 = jobs::v1;
  using jobs::SubmissionState;
  PostgresServer& server = PostgresServer::Shared();
  server.Empty();
  auto opened =
      PostgresJobStore::Open({.conninfo = server.conninfo(), .gateway = "one", .address = "here"});
  ASSERT_TRUE(opened.ok()) << opened.status();
  PostgresJobStore& store = **opened;
  store::StoreCalls calls(store);
  const WallTime now = SystemClock().WallNow();
  const auto put = [&](const std::string& id, SubmissionState submission, v1::JobState state,
                       bool sent) {
    jobs::JobRecord record = store::Begun(id, "r-" + id);
    record.submission = submission;
    record.job.state = state;
    if (submission == SubmissionState::kAccepted && sent) record.job.pictory_job_id = "p-" + id;
    if (jobs::IsFinal(state)) record.job.finish_time = now;
    record.job.create_time = now;
    record.sent_at = sent ? now : WallTime{};
    record.fingerprint = "content";
    record.minted_request_id = true;
    record.owner_epoch = 99;
    ASSERT_TRUE(calls.Adopt(record).ok()) << id;
  };
  const auto find = [&]() -> std::string {
    store::Answer<absl::StatusOr<std::vector<jobs::JobRecord>>> answer;
    store.FindEqual({.tenant = "acme",
                     .fingerprint = "content",
                     .but_of = 1,
                     .since = now - std::chrono::minutes(1)},
                    answer.Callback());
    const auto found = answer.Wait();
    EXPECT_TRUE(found.ok()) << found.status();
    const jobs::JobRecord* first = jobs::FirstToRepeat(*found);
    return first == nullptr ? "" : first->job.job_id;
  };
  put("a", SubmissionState::kAccepted, v1::JOB_STATE_CANCELLED, /*sent=*/false);
  EXPECT_EQ(find(), "");
  put("b", SubmissionState::kIntent, v1::JOB_STATE_UNSPECIFIED, /*sent=*/false);
  EXPECT_EQ(find(), "b");
  put("c", SubmissionState::kAccepted, v1::JOB_STATE_SUCCEEDED, /*sent=*/true);
  EXPECT_EQ(find(), "c");
  put("e", SubmissionState::kAccepted, v1::JOB_STATE_RUNNING, /*sent=*/true);
  EXPECT_EQ(find(), "e");
  put("d", SubmissionState::kWaiting, v1::JOB_STATE_WAITING, /*sent=*/false);
  EXPECT_EQ(find(), "d");
}

}  // namespace
}  // namespace gateway::postgres
