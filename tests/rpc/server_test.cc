#include "rpc/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/descriptor.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "rpc/http2_caller.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using std::chrono::seconds;
using test::RpcHouse;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kServiceName[] = "pictory.jobs.v1.PictoryJobs";

template <class Service, class Request, class Response>
std::vector<Response> Ask(RpcHouse& house, const std::vector<Request>& questions) {
  auto stub = Service::NewStub(house.Channel());
  grpc::ClientContext context;
  auto stream = stub->ServerReflectionInfo(&context);
  std::vector<Response> answers;
  for (const Request& question : questions) {
    EXPECT_TRUE(stream->Write(question));
    answers.emplace_back();
    EXPECT_TRUE(stream->Read(&answers.back()));
  }
  stream->WritesDone();
  Response more;
  EXPECT_FALSE(stream->Read(&more));
  EXPECT_TRUE(stream->Finish().ok());
  return answers;
}

template <class Package>
class ReflectionTest : public ::testing::Test {};

struct V1 {
  using Service = grpc::reflection::v1::ServerReflection;
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
};
struct V1Alpha {
  using Service = grpc::reflection::v1alpha::ServerReflection;
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
};
using Versions = ::testing::Types<V1, V1Alpha>;
TYPED_TEST_SUITE(ReflectionTest, Versions);

TYPED_TEST(ReflectionTest, AnswersEveryKindOfQuestion) {
  RpcHouse house;
  std::vector<typename TypeParam::Request> questions(8);
  questions[0].set_list_services("*");
  questions[1].set_file_containing_symbol(kServiceName);
  questions[2].set_file_containing_symbol("grpc.health.v1.Health");
  questions[3].mutable_file_containing_extension()->set_containing_type(
      "google.protobuf.FieldOptions");  // which has some, but none that callers need
  questions[3].mutable_file_containing_extension()->set_extension_number(73519);
  questions[4].set_all_extension_numbers_of_type("google.protobuf.MethodOptions");
  questions[5].set_file_by_filename("no/such.proto");
  questions[6].set_host("h");
  questions[7].set_file_containing_symbol("google.rpc.ErrorInfo");
  const auto answers =
      Ask<typename TypeParam::Service, typename TypeParam::Request, typename TypeParam::Response>(
          house, questions);

  std::vector<std::string> services;
  for (const auto& service : answers[0].list_services_response().service()) {
    services.push_back(service.name());
  }
  EXPECT_THAT(services,
              ::testing::UnorderedElementsAre(kServiceName, "grpc.health.v1.Health",
                                              "grpc.reflection.v1.ServerReflection",
                                              "grpc.reflection.v1alpha.ServerReflection"));

  std::vector<typename TypeParam::Request> about;
  for (const std::string& service : services) {
    about.emplace_back().set_file_containing_symbol(service);
  }
  for (const auto& answer :
       Ask<typename TypeParam::Service, typename TypeParam::Request, typename TypeParam::Response>(
           house, about)) {
    EXPECT_TRUE(answer.has_file_descriptor_response()) << answer.ShortDebugString();
  }

  // What was sent makes a pool in which the service can be built.
  google::protobuf::SimpleDescriptorDatabase files;
  for (const auto& bytes : answers[1].file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(bytes));
    ASSERT_TRUE(files.Add(file));
  }
  google::protobuf::DescriptorPool pool(&files);
  const auto* service = pool.FindServiceByName(kServiceName);
  ASSERT_NE(service, nullptr);
  EXPECT_NE(service->FindMethodByName("WatchJob"), nullptr);
  EXPECT_EQ(pool.FindMessageTypeByName("pictory.jobs.v1.RenderResult")
                ->FindFieldByName("video_url")
                ->json_name(),
            "videoURL");

  EXPECT_EQ(answers[2].file_descriptor_response().file_descriptor_proto_size(), 1);
  EXPECT_EQ(answers[3].error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(answers[4].all_extension_numbers_response().base_type_name(),
            "google.protobuf.MethodOptions");
  EXPECT_THAT(answers[4].all_extension_numbers_response().extension_number(), IsEmpty());
  EXPECT_EQ(answers[5].error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(answers[6].error_response().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(answers[6].original_request().host(), "h");
  EXPECT_EQ(answers[7].file_descriptor_response().file_descriptor_proto_size(), 2);  // and Duration
}

TEST(ReflectionOffTest, IsNotThereWhenSwitchedOff) {
  ServerOptions options;
  options.reflection = false;
  RpcHouse house(options);
  auto stub = V1::Service::NewStub(house.Channel());
  grpc::ClientContext context;
  auto stream = stub->ServerReflectionInfo(&context);
  V1::Response response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(HealthTest, CheckKnowsTheEmptyNameAndTheService) {
  RpcHouse house;
  auto stub = Health::NewStub(house.Channel());
  const auto check = [&](const std::string& name, HealthCheckResponse& response) {
    grpc::ClientContext context;
    HealthCheckRequest request;
    request.set_service(name);
    return stub->Check(&context, request, &response);
  };
  HealthCheckResponse response;
  for (const char* name : {"", kServiceName}) {
    ASSERT_TRUE(check(name, response).ok());
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  }
  EXPECT_EQ(check("other", response).error_code(), grpc::StatusCode::NOT_FOUND);
  house.server->SetServing(false);
  ASSERT_TRUE(check("", response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(house.Raw("/grpc.health.v1.Health/Check", "\xff").error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(HealthTest, WatchersHearOfChangesAndOfTheDrain) {
  ServerOptions options;
  options.drain_spread = std::chrono::milliseconds(0);
  RpcHouse house(options);
  auto stub = Health::NewStub(house.Channel());
  grpc::ClientContext context;
  grpc::ClientContext unknown_context;
  HealthCheckRequest request;
  auto known = stub->Watch(&context, request);
  request.set_service("other");
  auto unknown = stub->Watch(&unknown_context, request);
  HealthCheckResponse response;
  ASSERT_TRUE(known->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  ASSERT_TRUE(unknown->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  house.server->SetServing(false);
  ASSERT_TRUE(known->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  house.server->SetServing(true);
  ASSERT_TRUE(known->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  std::thread drain([&] { house.server->Drain(seconds(10)); });
  ASSERT_TRUE(known->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(known->Read(&response));
  EXPECT_EQ(known->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_FALSE(unknown->Read(&response));
  drain.join();
}

TEST(DrainTest, AnOpenReflectionStreamDoesNotHoldItUp) {
  ServerOptions options;
  options.drain_spread = std::chrono::milliseconds(0);
  RpcHouse house(options);
  auto stub = V1::Service::NewStub(house.Channel());
  grpc::ClientContext context;
  auto stream = stub->ServerReflectionInfo(&context);
  V1::Request request;
  request.set_list_services("*");
  V1::Response response;
  ASSERT_TRUE(stream->Write(request) && stream->Read(&response));
  const auto begun = std::chrono::steady_clock::now();
  house.server->Drain(seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(10));
  EXPECT_FALSE(stream->Read(&response));
  // The second if the connection went first.
  EXPECT_THAT(stream->Finish().error_code(),
              ::testing::AnyOf(grpc::StatusCode::CANCELLED, grpc::StatusCode::UNAVAILABLE));
}

TEST(DrainTest, ACallThatDoesNotEndIsCancelledAtTheDeadline) {
  RpcHouse house;
  house.fake.Hold();
  std::thread caller([&] {
    grpc::ClientContext context;
    v1::GetJobRequest request;
    request.set_job_id("j1");
    v1::GetJobResponse response;
    EXPECT_FALSE(house.stub->GetJob(&context, request, &response).ok());
  });
  test::Await([&] { return house.fake.held() == 1; }, "the call is under way");
  house.server->Drain(std::chrono::milliseconds(200));
  caller.join();
  house.fake.Release();
}

TEST(ConnectionAgeTest, AnOldConnectionIsToldToGoAndItsCallsEndWell) {
  ServerOptions options;
  options.max_connection_age = std::chrono::milliseconds(100);
  RpcHouse house(options);
  house.fake.Hold();
  std::thread held([&house] {
    grpc::ClientContext context;
    v1::GetJobRequest request;
    request.set_job_id("held");
    v1::GetJobResponse response;
    EXPECT_EQ(house.stub->GetJob(&context, request, &response).error_code(),
              grpc::StatusCode::NOT_FOUND);
  });
  test::Await([&house] { return house.fake.held() == 1; }, "the call is under way");
  test::Http2Caller caller(house.server->ports()[0]);
  EXPECT_TRUE(caller.Await(test::Http2Caller::kGoAway));  // younger than the other one
  house.fake.Release();
  held.join();
}

TEST(ListenTest, ABusyPortIsNamedWithTheReason) {
  RpcHouse house;
  ServerOptions options;
  options.listeners = {{.address = house.server->addresses()[0]}};
  Domain domain = house.DomainOf();
  const auto second = Server::Start(std::move(options), domain);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(house.server->addresses()[0]));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("Address already in use"));

  for (const char* address :
       {"nonsense", "127.0.0.1:99999x", "no.such.host.invalid:1", "192.0.2.1:0"}) {
    ServerOptions bad;
    bad.listeners = {{.address = address}};
    const auto refused = Server::Start(std::move(bad), domain);
    ASSERT_FALSE(refused.ok()) << address;
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr(address));
  }
  EXPECT_FALSE(Server::Start(ServerOptions{}, domain).ok());
}

TEST(ListenTest, SeveralAddressesAtOnce) {
  RpcHouse house;
  ServerOptions options;
  const std::string path = ::testing::TempDir() + "/pictory-rpc-test.sock";
  options.listeners = {{.address = "127.0.0.1:0"}, {.address = "unix:" + path}};
  Domain domain = house.DomainOf();
  auto server = Server::Start(std::move(options), domain);
  ASSERT_TRUE(server.ok()) << server.status();
  (*server)->SetServing(true);
  for (const std::string& address : (*server)->addresses()) {
    auto stub = Health::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    HealthCheckResponse response;
    EXPECT_TRUE(stub->Check(&context, HealthCheckRequest(), &response).ok()) << address;
  }
}

TEST(ListenTest, ACallKnowsItsPeerAndHowItCanBeReachedFromHere) {
  RpcHouse house;
  ServerOptions options;
  options.listeners = {{.address = "0.0.0.0:0"}};
  Domain domain = house.DomainOf();
  std::string peer;
  domain.ended = [&peer](const CallEnd& end) { peer = end.peer; };
  auto server = Server::Start(std::move(options), domain);
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string port = std::to_string((*server)->ports()[0]);
  EXPECT_EQ((*server)->addresses()[0], "0.0.0.0:" + port);
  ASSERT_THAT((*server)->dial_addresses(), ::testing::ElementsAre("127.0.0.1:" + port));
  auto stub = v1::PictoryJobs::NewStub(
      grpc::CreateChannel((*server)->dial_addresses()[0], grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::GetJobResponse response;
  EXPECT_EQ(stub->GetJob(&context, v1::GetJobRequest(), &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(peer, ::testing::StartsWith("ipv4:127.0.0.1:"));
  EXPECT_EQ((*server)->accepted_connections(), 1u);
}

}  // namespace
}  // namespace gateway::rpc
