// ResolverTest has a Resolver with all it needs, on simulated time.
#pragma once

#include "jobs/resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "support/busy_store.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/records.h"
#include "support/upstream_rig.h"

namespace gateway::jobs {

using namespace std::chrono_literals;
using test::Reply;

inline constexpr char kToken[] = "0123456789abcdef0123456789abcdef";

class ResolverTest : public testing::Test {
 protected:
  ResolverTest() { Make({.requests_per_second = 1000, .burst = 1000}); }

  void Make(BudgetOptions budget) {
    upstreams_ = MakeUpstreams(budget, transport_, clock_);
    upstream_ = upstreams_->Of(kDefaultAccount).get();
    ledger_ = std::make_unique<Ledger>(store_, store_, hub_);
    ledger_->Observe([this](const JobRecord& record, const SnapshotPtr& seen) {
      poller_->OnChange(record, seen);
      resolver_->OnChange(record);
    });
    poller_ = std::make_unique<Poller>(PollerOptions{}, shards_, *upstreams_, *ledger_, store_,
                                       clock_, clock_, random_, PollEvents{});
    ResolveEvents events;
    events.resolved = [this](const JobRecord&, std::string_view by) { resolved_.emplace_back(by); };
    events.foreign = [this](const JobRecord&, const std::string& id) { foreign_.push_back(id); };
    resolver_ =
        std::make_unique<Resolver>(shards_, *upstreams_, *ledger_, store_, store_.sharing(), store_,
                                   hub_, *poller_, clock_, clock_, std::move(events));
    transport_.AnswerAllWith(Reply(200, kRunning));
  }

  JobRecord Put(SubmissionState submission, const std::string& id = "j1",
                const std::string& token = kToken) {
    JobRecord record = test::RecordOf(submission, id, clock_.WallNow());
    record.job.kind = v1::JOB_KIND_PREVIEW;
    record.sent_at = clock_.WallNow();
    record.correlation_token = token;
    store_.Adopt(record, [](const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; });
    record.version = 1;
    return record;
  }
  // Stores the record as somebody else would.
  void Store(JobRecord& record) {
    store_.Update(record, {},
                  [](const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; });
    ++record.version;
  }
  JobRecord Unconfirmed(const std::string& id = "j1", const std::string& token = kToken) {
    JobRecord record = Put(SubmissionState::kUnknown, id, token);
    hub_.Publish(record);
    resolver_->OnChange(record);
    return record;
  }
  JobRecord Stored(const std::string& id = "j1") {
    std::optional<JobRecord> found;
    store_.FindRequest("default", "request-" + id, [&](const auto& record) { found = *record; });
    return found.value_or(JobRecord{});
  }
  absl::StatusOr<v1::ResolveJobResponse> Resolve(const v1::ResolveJobRequest& request) {
    std::optional<absl::StatusOr<v1::ResolveJobResponse>> answer;
    resolver_->Resolve("default", request, [&](auto given) { answer = std::move(given); });
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(absl::InternalError("no answer"));
  }
  v1::ResolveJobRequest Adopt(const std::string& pictory_id, const std::string& id = "j1") {
    v1::ResolveJobRequest request;
    request.set_job_id(id);
    request.set_adopt_pictory_job_id(pictory_id);
    return request;
  }
  v1::ResolveJobRequest Abandon(const std::string& id = "j1") {
    v1::ResolveJobRequest request;
    request.set_job_id(id);
    request.set_abandon(true);
    return request;
  }
  void CallBack(const std::string& token, const std::string& pictory_job_id) {
    EXPECT_TRUE(Told(token, {pictory_job_id}).ok());
  }
  // Makes a webhook call and gives back what its caller is told, which is inside the call here.
  absl::Status Told(const std::string& token, std::vector<std::string> pictory_job_ids) {
    std::optional<absl::Status> safe;
    resolver_->OnWebhookCall(token, std::move(pictory_job_ids),
                             [&](absl::Status status) { safe = std::move(status); });
    EXPECT_TRUE(safe.has_value());
    return safe.value_or(absl::InternalError("not told"));
  }
  int Asked(const std::string& pictory_id) const {
    return static_cast<int>(std::count_if(
        transport_.requests().begin(), transport_.requests().end(), [&](const http::Request& r) {
          return r.method == "GET" && r.path == "/v1/jobs/" + pictory_id;
        }));
  }

  test::FakeClock clock_;
  Shards shards_{/*alone=*/true, clock_};
  test::FakeTransport transport_;
  test::BusyStore store_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  Hub hub_{HubOptions{}, store_, broadcaster_};
  Random random_{1};
  std::vector<std::string> resolved_;
  std::vector<std::string> foreign_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Upstreams> upstreams_;
  Upstream* upstream_ = nullptr;  // the default account's
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<Resolver> resolver_;
};

}  // namespace gateway::jobs
