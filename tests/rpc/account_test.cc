// The calls about what is the account's: what is asked, who may, and what callers are told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/errors.h"
#include "base/limits.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using jobs::Purpose;
using test::RpcHouse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using AccountStub = v1::PictoryJobs::Stub;

class AccountTest : public ::testing::Test {
 protected:
  template <class Request, class Response>
  absl::Status Call(grpc::Status (AccountStub::*method)(grpc::ClientContext*, const Request&,
                                                        Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    return FromGrpc((house_.stub.get()->*method)(&context, request, &response));
  }
  std::vector<std::string> Asked() {
    std::vector<std::string> asked;
    for (const auto& one : house_.asked) {
      asked.push_back(one.call.method + " " + one.call.path +
                      (one.purpose == Purpose::kLook ? " look" : " change"));
    }
    return asked;
  }

  RpcHouse house_;
};

TEST_F(AccountTest, ProjectsAreListedPageByPage) {
  house_.bodies["/v2/projects"] = R"({"items":[{"id":7,"name":"a"}],"pageKey":"k="})";
  house_.bodies["/v2/projects?pagekey=k%3D"] = R"({"items":[],"pageKey":null})";
  v1::ListProjectsRequest request;
  v1::ListProjectsResponse page;
  ASSERT_TRUE(Call(&AccountStub::ListProjects, request, page).ok());
  ASSERT_EQ(page.projects_size(), 1);
  EXPECT_EQ(page.projects(0).project_id(), "7");
  request.set_page_token(page.next_page_token());
  ASSERT_TRUE(Call(&AccountStub::ListProjects, request, page).ok());
  EXPECT_EQ(page.next_page_token(), "");
  EXPECT_THAT(Asked(), ElementsAre("GET /v2/projects look", "GET /v2/projects?pagekey=k%3D look"));
  EXPECT_EQ(house_.asked[0].account, "default");

  request.set_page_token(std::string(limits::kPageTokenMaxBytes + 1, 'x'));
  EXPECT_EQ(errors::Violations(Call(&AccountStub::ListProjects, request, page)).front().field,
            "page_token");
}

TEST_F(AccountTest, AProjectIsToldWhole) {
  house_.bodies["/v2/projects/p%2F1"] = R"({"project_id":"p/1","projectName":"a"})";
  v1::GetProjectRequest request;
  v1::GetProjectResponse response;
  EXPECT_EQ(errors::Violations(Call(&AccountStub::GetProject, request, response)).front().field,
            "project_id");
  request.set_project_id("..");
  EXPECT_TRUE(absl::IsInvalidArgument(Call(&AccountStub::GetProject, request, response)));
  EXPECT_TRUE(house_.asked.empty());
  request.set_project_id("p/1");
  ASSERT_TRUE(Call(&AccountStub::GetProject, request, response).ok());
  EXPECT_EQ(response.project().name(), "a");
  EXPECT_EQ(response.project_json(), house_.bodies["/v2/projects/p%2F1"]);
}

TEST_F(AccountTest, TheAccountIsItsQuotaAndItsCharges) {
  house_.bodies["/v1/quota"] = R"({"aiCredits":{"used":690,"limit":22000}})";
  house_.bodies["/v1/aicredits/usage?year=2026&month=5"] =
      R"([{"transactionId":"t","type":"debit","amount":0.6}])";
  v1::GetAccountRequest request;
  request.set_year(2026);
  v1::GetAccountResponse account;
  EXPECT_EQ(errors::Violations(Call(&AccountStub::GetAccount, request, account)).front().field,
            "month");
  request.set_month(5);
  ASSERT_TRUE(Call(&AccountStub::GetAccount, request, account).ok());
  EXPECT_EQ(account.account(), "default");
  EXPECT_EQ(account.ai_credits_left(), 21310);
  EXPECT_EQ(account.credits_charged(), 0.6);
  EXPECT_THAT(Asked(),
              ElementsAre("GET /v1/quota look", "GET /v1/aicredits/usage?year=2026&month=5 look"));
  // Either answer that makes no sense is told, and no half of an account.
  house_.bodies["/v1/quota"] = "[]";
  EXPECT_TRUE(absl::IsUnavailable(Call(&AccountStub::GetAccount, request, account)));
}

TEST_F(AccountTest, TemplatesAreMadeShownChangedAndDeleted) {
  house_.bodies["/v1/templates"] = R"({"templateId":"t1","name":"a","variables":{"b":"B"}})";
  house_.bodies["/v1/templates/t1"] = R"({"templateId":"t1","depricated":true})";
  v1::CreateTemplateRequest create;
  v1::CreateTemplateResponse made;
  EXPECT_EQ(errors::Violations(Call(&AccountStub::CreateTemplate, create, made)).front().field,
            "project_file");
  create.set_project_file(std::string(limits::kSmallRequestMaxBytes + 1, 'x'));
  ASSERT_TRUE(Call(&AccountStub::CreateTemplate, create, made).ok());
  EXPECT_EQ(made.info().template_id(), "t1");
  EXPECT_EQ(made.info().variables().at("b"), "B");
  EXPECT_EQ(*house_.asked.back().call.body, create.project_file());

  v1::GetTemplateRequest get;
  get.set_template_id("t1");
  v1::GetTemplateResponse one;
  ASSERT_TRUE(Call(&AccountStub::GetTemplate, get, one).ok());
  EXPECT_TRUE(one.info().deprecated());

  v1::UpdateTemplateRequest update;
  update.set_template_id("t1");
  v1::UpdateTemplateResponse updated;
  EXPECT_EQ(errors::Violations(Call(&AccountStub::UpdateTemplate, update, updated)).front().field,
            "scenes_json");
  update.set_scenes_json("[{}]");
  EXPECT_TRUE(Call(&AccountStub::UpdateTemplate, update, updated).ok());
  v1::DeleteTemplateRequest remove;
  v1::DeleteTemplateResponse removed;
  EXPECT_EQ(errors::Violations(Call(&AccountStub::DeleteTemplate, remove, removed)).front().field,
            "template_id");
  remove.set_template_id("t1");
  EXPECT_TRUE(Call(&AccountStub::DeleteTemplate, remove, removed).ok());
  house_.bodies["/v1/templates"] = R"({"items":[{"templateId":"t1"}]})";
  v1::ListTemplatesResponse all;
  ASSERT_TRUE(Call(&AccountStub::ListTemplates, v1::ListTemplatesRequest(), all).ok());
  EXPECT_EQ(all.templates_size(), 1);
  EXPECT_THAT(Asked(), ElementsAre("POST /v1/templates change", "GET /v1/templates/t1 look",
                                   "PUT /v1/templates/t1 change", "DELETE /v1/templates/t1 change",
                                   "GET /v1/templates look"));
}

TEST(AccountChanges, AreCountedUntilPictoryHasAnsweredAndNotWantedOnceTheirCallersAreGone) {
  ServerOptions options;
  // So much that one of the largest may be held, and its body.
  options.intake.memory_bytes = 2 * limits::kLargeRequestsShare * limits::kRequestMaxBytes;
  options.intake.used = [] { return std::size_t{0}; };
  RpcHouse house(options);
  house.keeps_asked = true;
  v1::CreateTemplateRequest create;
  create.set_project_file(std::string(limits::kRequestMaxBytes / 2, 'x'));
  v1::CreateTemplateResponse made;
  const auto call = [&](grpc::ClientContext& context) {
    return FromGrpc(house.stub->CreateTemplate(&context, create, &made));
  };
  grpc::ClientContext first;
  auto gone = std::async(std::launch::async, [&] { return call(first); });
  test::Await([&] { return house.kept_asked() == 1; }, "the change");
  EXPECT_FALSE(house.asked[0].call.IsCancelled());
  first.TryCancel();
  EXPECT_TRUE(absl::IsCancelled(gone.get()));
  test::Await([&] { return house.server->open_calls() == 0; }, "the end of the call");
  EXPECT_TRUE(house.asked[0].call.IsCancelled());

  create.set_project_file(std::string(limits::kRequestMaxBytes - 1000, 'x'));
  grpc::ClientContext second, third;
  EXPECT_TRUE(absl::IsResourceExhausted(call(second))) << "the body of the first is still here";
  house.keeps_asked = false;
  house.bodies["/v1/templates"] = R"({"templateId":"t1"})";
  house.unanswered[0](errors::Cancelled());
  house.unanswered.clear();
  const absl::Status told = call(third);
  EXPECT_TRUE(told.ok()) << told;
}

TEST_F(AccountTest, WhatTheAccountsDoorSaysIsTold) {
  house_.upload_status = errors::UpstreamRateLimited(std::chrono::seconds(3), errors::Call::kFree);
  v1::ListProjectsResponse page;
  const absl::Status told = Call(&AccountStub::ListProjects, v1::ListProjectsRequest(), page);
  EXPECT_EQ(errors::Reason(told), "UPSTREAM_RATE_LIMITED");
  EXPECT_EQ(errors::RetryDelay(told), std::chrono::seconds(3));
  v1::GetAccountResponse account;
  EXPECT_EQ(errors::Reason(Call(&AccountStub::GetAccount, v1::GetAccountRequest(), account)),
            "UPSTREAM_RATE_LIMITED");
}

}  // namespace
}  // namespace gateway::rpc
