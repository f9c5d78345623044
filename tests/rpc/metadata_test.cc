// How much metadata comes in, and how much we send back, through the real library on both sides.
#include "rpc/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using test::RpcHouse;
using ::testing::HasSubstr;
using Entries = std::vector<std::pair<std::string, std::string>>;

constexpr int kTimes =
    4;  // on one connection, whose compression tables the earlier calls have filled

absl::Status Get(v1::PictoryJobs::Stub& stub, const Entries& entries) {
  grpc::ClientContext context;
  for (const auto& [name, value] : entries) context.AddMetadata(name, value);
  v1::GetJobRequest request;
  request.set_job_id("j1");
  v1::GetJobResponse response;
  return FromGrpc(stub.GetJob(&context, request, &response));
}

Entries Small(int count, std::size_t bytes) {
  Entries entries;
  for (int i = 0; i < count; ++i) {
    entries.emplace_back("x-small-" + std::to_string(i), std::string(bytes, 'v'));
  }
  return entries;
}

TEST(MetadataTest, WhatIsCounted) {
  const std::string binary(9, '\0');
  const std::multimap<grpc::string_ref, grpc::string_ref> metadata = {{"name", "value"},
                                                                      {"n-bin", binary}};
  EXPECT_EQ(MetadataBytes(metadata), 4u + 5 + 32 + 5 + 12 + 32);
  EXPECT_EQ(MetadataBytes({}), 0u);
}

TEST(MetadataTest, BelowTheLimitTheyAlwaysPass) {
  RpcHouse house;
  house.hub.Publish(test::MakeJob("j1", v1::JOB_STATE_RUNNING, 1));
  const std::vector<Entries> all = {
      {{"authorization", std::string(7'000, 'j')}},
      {{"authorization", std::string(8'100, 'j')}},
      {{"authorization", std::string(9'000, 'j')}},
      {{"authorization", std::string(16'000, 'j')}},
      {{"x-bin", std::string(12'000, '\xff')}},  // 16,000 as base64
      Small(300, 8),
      Small(100, 100),
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (int k = 0; k < kTimes; ++k) {
      const absl::Status status = Get(*house.stub, all[i]);
      EXPECT_TRUE(status.ok()) << "shape " << i << ", call " << k << ": " << status;
    }
  }
}

TEST(MetadataTest, AboveItTheyAreAlwaysRefusedWithBothNumbers) {
  RpcHouse house;
  house.hub.Publish(test::MakeJob("j1", v1::JOB_STATE_RUNNING, 1));
  const std::vector<Entries> all = {
      {{"authorization", std::string(16'400, 'j')}},
      {{"authorization", std::string(20'000, 'j')}},
      {{"authorization", std::string(40'000, 'j')}},
      {{"authorization", std::string(60'000, 'j')}},
      {{"x-bin", std::string(13'000, '\xff')}},
      Small(500, 8),
      Small(200, 100),
      Small(600, 40),
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (int k = 0; k < kTimes; ++k) {
      const absl::Status status = Get(*house.stub, all[i]);
      EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted)
          << "shape " << i << ", call " << k;
      EXPECT_EQ(errors::Reason(status), "METADATA_TOO_LARGE")
          << "shape " << i << ", call " << k << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("at most 16384"));
    }
    EXPECT_TRUE(Get(*house.stub, {}).ok()) << "shape " << i;
  }
}

// Beyond its own limit the library refuses some calls and cuts the connection of others. What it
// never does is to let one pass; and only who sent it is concerned.
TEST(MetadataTest, FarAboveItTheLibraryRefusesAndOtherConnectionsAreServed) {
  RpcHouse house;
  house.hub.Publish(test::MakeJob("j1", v1::JOB_STATE_RUNNING, 1));
  auto other = v1::PictoryJobs::NewStub(house.Channel());
  ASSERT_TRUE(Get(*other, {}).ok());
  for (const std::size_t bytes : {65'000u, 70'000u, 200'000u}) {
    for (int k = 0; k < kTimes; ++k) {
      EXPECT_FALSE(Get(*house.stub, {{"authorization", std::string(bytes, 'j')}}).ok()) << bytes;
      const absl::Status served = Get(*other, {});
      EXPECT_TRUE(served.ok()) << bytes << ": " << served;
    }
  }
}

TEST(MetadataTest, OfStreamsAndReflectionToo) {
  RpcHouse house;
  const std::string large(20'000, 'j');
  grpc::ClientContext watching;
  watching.AddMetadata("authorization", large);
  auto watch = house.stub->WatchJob(&watching, {});
  v1::WatchJobResponse update;
  EXPECT_FALSE(watch->Read(&update));
  EXPECT_EQ(errors::Reason(FromGrpc(watch->Finish())), "METADATA_TOO_LARGE");

  auto reflection = grpc::reflection::v1::ServerReflection::NewStub(house.Channel());
  grpc::ClientContext asking;
  asking.AddMetadata("authorization", large);
  auto stream = reflection->ServerReflectionInfo(&asking);
  grpc::reflection::v1::ServerReflectionResponse answer;
  EXPECT_FALSE(stream->Read(&answer));
  EXPECT_EQ(errors::Reason(FromGrpc(stream->Finish())), "METADATA_TOO_LARGE");
}

// A client takes 8 KiB of trailers unless it was told otherwise; what is larger is an error of its
// own library instead of ours.
TEST(MetadataTest, TheLargestErrorIsDelivered) {
  RpcHouse house;
  for (const std::string& letter : {std::string("x"), std::string("\n"), std::string("\xc3\xbc")}) {
    std::vector<errors::Violation> violations;
    for (int i = 0; i < 200; ++i) {
      std::string text;
      for (int k = 0; k < 400; ++k) text += letter;
      violations.push_back({"field" + std::to_string(i), std::move(text)});
    }
    house.on_submit = [&](const jobs::SubmitRequest&, const jobs::Submitter::Done& done) {
      done(errors::Invalid(violations), {});
    };
    for (int k = 0; k < kTimes; ++k) {
      grpc::ClientContext context;
      v1::RenderResponse response;
      const grpc::Status status = house.stub->Render(&context, v1::RenderRequest(), &response);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
      EXPECT_EQ(errors::Reason(FromGrpc(status)), "INVALID_REQUEST");
    }
  }
}

}  // namespace
}  // namespace gateway::rpc
