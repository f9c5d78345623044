#include "rpc/watch_jobs_call.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using std::chrono::seconds;
using test::Await;
using test::FromGrpc;
using test::MakeJob;
using test::MakeRecord;
using test::RpcHouse;

// A call of WatchJobs.
struct WatchJobs {
  WatchJobs(RpcHouse& house, const v1::WatchJobsRequest& request)
      : stream(house.stub->WatchJobs(&context, request)) {}
  // The next message; none if the stream has ended.
  std::optional<v1::WatchJobsResponse> Next() {
    v1::WatchJobsResponse response;
    return stream->Read(&response) ? std::optional(response) : std::nullopt;
  }
  absl::Status Finish() { return FromGrpc(stream->Finish()); }

  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::WatchJobsResponse>> stream;
};

std::string FieldOf(const absl::Status& status) {
  const std::vector<errors::Violation> violations = errors::Violations(status);
  return violations.empty() ? status.ToString() : violations[0].field;
}

void Change(RpcHouse& house, const jobs::Job& job) {
  house.fake.Put(MakeRecord(job));
  house.follower.OnChange(MakeRecord(job), house.hub.Publish(job));
}

TEST(WatchJobsTest, ListsAndThenTellsOfChanges) {
  RpcHouse house;
  Change(house, MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  WatchJobs watch(house, {});
  EXPECT_TRUE(watch.Next()->has_list_started());
  EXPECT_EQ(watch.Next()->job().job_id(), "j1");
  EXPECT_TRUE(watch.Next()->has_list_completed());
  Await([&] { return house.follower.readers() == 1; }, "the stream follows");
  Change(house, MakeJob("j1", v1::JOB_STATE_RUNNING, 2));
  const auto changed = watch.Next();
  EXPECT_EQ(changed->job().revision(), 2);
  EXPECT_FALSE(changed->resume_token().empty());
  EXPECT_EQ(house.server->open_watches(), 1);
  watch.context.TryCancel();
  Await([&] { return house.follower.readers() == 0 && house.server->open_watches() == 0; },
        "who goes follows no more");
}

TEST(WatchJobsTest, GoesOnFromAToken) {
  RpcHouse house;
  Change(house, MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  v1::WatchJobsRequest request;
  {
    WatchJobs watch(house, request);
    while (const auto message = watch.Next()) {
      request.set_resume_token(message->resume_token());
      if (message->has_list_completed()) break;
    }
    watch.context.TryCancel();
  }
  WatchJobs again(house, request);
  EXPECT_TRUE(again.Next()->has_heartbeat()) << "and not the list";
  again.context.TryCancel();
}

TEST(WatchJobsTest, WhatIsWrongIsNamed) {
  RpcHouse house;
  const auto wrong = [&house](const v1::WatchJobsRequest& request) {
    WatchJobs watch(house, request);
    EXPECT_FALSE(watch.Next().has_value());
    const absl::Status status = watch.Finish();
    EXPECT_EQ(errors::Reason(status), "INVALID_REQUEST") << status;
    return FieldOf(status);
  };
  v1::WatchJobsRequest states, kinds, ids, view, token, others;
  states.add_states(v1::JOB_STATE_RUNNING);
  states.add_states(static_cast<v1::JobState>(77));
  EXPECT_EQ(wrong(states), "states[1]");
  kinds.add_kinds(static_cast<v1::JobKind>(77));
  EXPECT_EQ(wrong(kinds), "kinds[0]");
  ids.add_job_ids("not an id");
  EXPECT_EQ(wrong(ids), "job_ids[0]");
  view.set_view(static_cast<v1::JobView>(77));
  EXPECT_EQ(wrong(view), "view");
  token.set_resume_token("mine");
  EXPECT_EQ(wrong(token), "resume_token");
  others.set_resume_token(watch::TextOf(
      {.filter_hash = "12345678", .position = "p", .listing = false, .last_job_id = {}}));
  EXPECT_EQ(wrong(others), "resume_token") << "of a watch with other filters";
}

TEST(WatchJobsTest, ItIsAWatchInTheLimits) {
  ServerOptions options;
  options.admission.watches = 1;
  RpcHouse house(options);
  WatchJobs first(house, {});
  EXPECT_TRUE(first.Next()->has_list_started());
  WatchJobs second(house, {});
  EXPECT_FALSE(second.Next().has_value());
  EXPECT_EQ(second.Finish().code(), absl::StatusCode::kResourceExhausted);
  first.context.TryCancel();
}

TEST(WatchJobsTest, ManyIdsTakeAsManyPlacesAsTheyHoldMemory) {
  v1::WatchJobsRequest many, few;
  for (int i = 0; i < 1'000; ++i) many.add_job_ids("j" + std::to_string(i));
  few.add_job_ids("j1");
  EXPECT_EQ(MorePlacesOf(few), 0);
  EXPECT_EQ(MorePlacesOf(many),
            static_cast<int>(1'000 * limits::kWatchedIdBytes / limits::kWatchBytes));
  EXPECT_GT(MorePlacesOf(many), 5);
  ServerOptions options;
  options.admission.watches = 1 + MorePlacesOf(many);
  RpcHouse house(options);
  WatchJobs one(house, few);
  EXPECT_TRUE(one.Next()->has_list_started());
  {
    WatchJobs refused(house, many);
    EXPECT_FALSE(refused.Next().has_value());
    EXPECT_EQ(refused.Finish().code(), absl::StatusCode::kResourceExhausted);
  }
  WatchJobs other(house, few);
  EXPECT_TRUE(other.Next()->has_list_started()) << "the refused one has left its places";
  other.context.TryCancel();
  one.context.TryCancel();
  test::Await([&] { return house.server->open_watches() == 0; }, "both have ended");
  WatchJobs fits(house, many);
  EXPECT_TRUE(fits.Next()->has_list_started());
  fits.context.TryCancel();
}

TEST(WatchJobsTest, ADrainEndsItAsAWatch) {
  RpcHouse house;
  WatchJobs watch(house, {});
  while (!watch.Next()->has_list_completed()) {
  }
  house.server->Drain(seconds(5));
  while (watch.Next().has_value()) {
  }
  const absl::Status end = watch.Finish();
  EXPECT_EQ(errors::Reason(end), "DRAINING") << end;
}

}  // namespace
}  // namespace gateway::rpc
