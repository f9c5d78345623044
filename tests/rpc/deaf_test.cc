// Callers that ask and do not read the answer, through the whole server.
#include <gtest/gtest.h>

#include <list>

#include "rpc/deaf.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using std::chrono::milliseconds;
using test::Deaf;
using test::NarrowChannel;
using test::RpcHouse;

class DeafTest : public ::testing::TestWithParam<const char*> {};

TEST_P(DeafTest, WhoDoesNotReadItsAnswerIsLetGoAndItsPlaceIsFree) {
  ServerOptions options;
  options.unread_patience = milliseconds(200);
  options.admission.calls = 2;
  RpcHouse house(std::move(options));
  house.hub.Publish(test::MakeJob("job-1", v1::JOB_STATE_RUNNING, 3));
  v1::GetJobRequest
      named;  // ListJobs and Render take it for something else, which is none of our business
  named.set_job_id("job-1");
  house.fake.Put(test::MakeRecord(test::MakeJob("job-2", v1::JOB_STATE_RUNNING, 3)));
  const auto channel = NarrowChannel(house);
  std::list<Deaf> callers;
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back(
        channel, GetParam(),
        std::string(GetParam()).ends_with("GetJob") ? named.SerializeAsString() : "");
  }
  test::Await([&] { return house.server->unread_ended() == 2; }, "the end of the deaf calls");
  test::Await([&] { return house.server->open_calls() == 0; }, "the places");
  EXPECT_EQ(house.server->unread_answers(), 0u);
  for (Deaf& caller : callers) caller.Listen();
}

INSTANTIATE_TEST_SUITE_P(Unary, DeafTest,
                         ::testing::Values("/pictory.jobs.v1.PictoryJobs/GetJob",
                                           "/pictory.jobs.v1.PictoryJobs/ListJobs",
                                           "/pictory.jobs.v1.PictoryJobs/Render"));

TEST(DeafTest, WhoReadsLateButInTimeGetsItsAnswer) {
  ServerOptions options;
  options.unread_patience = std::chrono::hours(1);
  RpcHouse house(std::move(options));
  house.hub.Publish(test::MakeJob("job-1", v1::JOB_STATE_RUNNING, 3));
  v1::GetJobRequest request;
  request.set_job_id("job-1");
  v1::GetJobResponse response;
  grpc::ClientContext context;
  EXPECT_TRUE(
      v1::PictoryJobs::NewStub(NarrowChannel(house))->GetJob(&context, request, &response).ok());
  EXPECT_EQ(response.job().job_id(), "job-1");
  test::Await([&] { return house.server->unread_answers() == 0; }, "the end of the call");
}

}  // namespace
}  // namespace gateway::rpc
