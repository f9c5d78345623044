// SubmitterTest has a Submitter on fakes: simulated time, a store in memory, and a transport that
// answers as a script says.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "base/errors.h"
#include "base/limits.h"
#include "jobs/poller.h"
#include "jobs/submitter.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "support/busy_store.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/upstream_rig.h"

namespace gateway::jobs {

inline constexpr char kAccepted[] = R"({"success":true,"data":{"jobId":"p1"}})";

class SubmitterTest : public testing::Test {
 protected:
  SubmitterTest() { Make({.requests_per_second = 1000, .burst = 1000}); }

  void Make(BudgetOptions budget) {
    upstreams_ = MakeUpstreams(budget, transport_, clock_, {}, client_options_, translate_);
    upstream_ = upstreams_->Of(kDefaultAccount).get();
    ledger_ = std::make_unique<Ledger>(store_, store_, hub_);
    ledger_->Observe([this](const JobRecord& record, const SnapshotPtr& seen) {
      poller_->OnChange(record, seen);
      if (record.job.state == v1::JOB_STATE_UNCONFIRMED) unconfirmed_.push_back(record);
    });
    account_ = &UpstreamPeer::AccountOf(*upstream_);
    poller_ = std::make_unique<Poller>(
        PollerOptions{}, shards_, *upstreams_, *ledger_, store_, clock_, clock_, random_,
        PollEvents{.replied = nullptr,
                   .contradicted = nullptr,
                   .storing = [this](JobRecord& record) { owed_.Note(record); }});
    SubmitterOptions options = options_;
    options.webhook_url = [this](const std::string& token) {
      return webhooks_.empty() ? "" : webhooks_ + token;
    };
    SubmitEvents events;
    events.hinted = [this](const JobKey&, const std::string& id) { hinted_.push_back(id); };
    events.foreign = [this](const JobRecord&, const std::string& id) { foreign_.push_back(id); };
    adopter_ = std::make_unique<Adopter>(/*sandbox=*/false, shards_, *upstreams_, *ledger_, store_,
                                         hub_, clock_, random_);
    waiting_ =
        std::make_unique<WaitingJobs>(shards_, spending_, *ledger_, store_, hub_, clock_, clock_);
    submitter_ = std::make_unique<Submitter>(
        std::move(options), shards_, *upstreams_, spending_, owed_, *waiting_, *ledger_, store_,
        store_.sharing(), store_, hub_, *adopter_, clock_, clock_, random_, std::move(events));
  }

  SubmitRequest Preview(const std::string& request_id, const std::string& name = "n") {
    auto message = std::make_shared<v1::CreatePreviewRequest>();
    message->mutable_storyboard()->set_video_name(name);
    message->mutable_storyboard()->add_scenes()->set_story("Hello.");
    SubmitRequest request;
    request.owner.tenant = "default";
    request.kind = v1::JOB_KIND_PREVIEW;
    request.request_id = request_id;
    request.labels = {{"team", "a"}};
    request.fingerprint = "print of " + name;
    request.request = std::move(message);
    return request;
  }

  SubmitRequest Render(const std::string& request_id, const std::string& preview) {
    auto message = std::make_shared<v1::RenderRequest>();
    message->set_preview_job_id(preview);
    SubmitRequest request;
    request.owner.tenant = "default";
    request.kind = v1::JOB_KIND_RENDER;
    request.request_id = request_id;
    request.fingerprint = "render " + preview;
    request.request = std::move(message);
    return request;
  }

  // Collects an answer that comes now or later.
  Submitter::Done Into(std::optional<Submitter::Answer>& answer) {
    return [&answer](Submitter::Answer given, const AnswerSource& source) {
      ASSERT_FALSE(answer.has_value());
      answer = std::move(given);
      if (source.call != nullptr) source.call->Arrived();
    };
  }

  Submitter::Answer Submit(SubmitRequest request) {
    std::optional<Submitter::Answer> answer;
    submitter_->Submit(std::move(request), Into(answer));
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(absl::InternalError("no answer"));
  }

  std::optional<JobRecord> Stored(const std::string& request_id) {
    std::optional<JobRecord> record;
    store_.FindRequest("default", request_id, [&](const auto& found) { record = *found; });
    return record;
  }

  int Posts() const {
    return static_cast<int>(std::count_if(
        transport_.requests().begin(), transport_.requests().end(),
        [](const http::Request& request) { return request.lane == http::Lane::kPaid; }));
  }

  ~SubmitterTest() override { clock_.Forget(); }  // timers hold attempts, and attempts what is owed

  test::FakeClock clock_;
  Shards shards_{/*alone=*/true, clock_};
  OwedAnswers owed_{limits::kKeylessSettle, clock_};
  test::FakeTransport transport_;
  test::BusyStore store_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  Hub hub_{HubOptions{}, store_, broadcaster_};
  pictory::ClientOptions client_options_{.api_key = Secret("pictai_k"), .user_agent = "t"};
  pictory::TranslateOptions translate_;
  SubmitterOptions options_;
  Random random_{1};
  Spending spending_{{.per_minute = 0, .per_day = 0, .tenant_per_minute = 150, .tenant_per_day = 0},
                     clock_};
  std::string webhooks_;  // "": no webhooks
  std::vector<JobRecord> unconfirmed_;
  std::vector<std::string> hinted_;
  std::vector<std::string> foreign_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Upstreams> upstreams_;
  Upstream* upstream_ = nullptr;  // the default account's
  Account* account_ = nullptr;    // behind it
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<Adopter> adopter_;
  std::unique_ptr<WaitingJobs> waiting_;
  std::unique_ptr<Submitter> submitter_;
};

}  // namespace gateway::jobs
