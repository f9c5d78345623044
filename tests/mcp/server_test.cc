#include "mcp/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/errors.h"
#include "base/limits.h"
#include "mcp/mcp_house.h"

namespace gateway::mcp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kImage[] = R"({"prompt":"a house by the sea"})";

fake::Handlers Images() {
  fake::Handlers handlers;
  handlers.generate_image = Takes<v1::GenerateImageRequest, v1::GenerateImageResponse>();
  return handlers;
}

fake::Unary<v1::GetJobRequest, v1::GetJobResponse> Is(v1::JobState state) {
  return [state](const v1::GetJobRequest& request,
                 const fake::CallInfo&) -> absl::StatusOr<v1::GetJobResponse> {
    v1::GetJobResponse response;
    *response.mutable_job() = fake::MakeJob(request.job_id(), state);
    return response;
  };
}

// The call again, with what a person has said.
std::string WithWord(const std::string& asked, const std::string& arguments,
                     const std::string& answer) {
  return Modern("tools/call",
                CallOf("generate_image", arguments) + R"(,"requestState":")" +
                    Between(asked, R"("requestState":")", "\"") +
                    R"(","inputResponses":{"confirm":)" + answer + "}",
                kElicitsAndTasks);
}

TEST(Handshake, OfOlderVersionsIsAnswered) {
  House house({});
  EXPECT_THAT(house.Say(Older("initialize", R"({"protocolVersion":"2025-06-18"})")),
              AllOf(HasSubstr(R"("protocolVersion":"2025-06-18")"),
                    HasSubstr(R"("name":"pictory-gateway")"), HasSubstr(R"("version":"1.2.3")")));
  EXPECT_THAT(house.Say(Older("initialize", R"({"protocolVersion":"3000-01-01"})")),
              HasSubstr(R"("protocolVersion":"2025-11-25")"));
  EXPECT_THAT(house.Say(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"), IsEmpty());
  EXPECT_EQ(house.Say(Older("ping")), R"({"jsonrpc":"2.0","id":1,"result":{}})");
  EXPECT_THAT(house.Say(Older("tasks/get", R"({"taskId":"j"})")), HasSubstr("-32601"));
}

TEST(Discovery, TellsVersionsAndTheExtension) {
  House house({});
  EXPECT_THAT(house.Say(Modern("server/discover")),
              AllOf(HasSubstr(R"("supportedVersions":["2026-07-28","2025-11-25")"),
                    HasSubstr(R"("io.modelcontextprotocol/tasks":{})"),
                    HasSubstr(R"("resultType":"complete")")));
  EXPECT_THAT(house.Say(Modern("tools/list")),
              AllOf(HasSubstr("create_preview"), HasSubstr("\"ttlMs\":")));
  EXPECT_THAT(house.Say(Older("tools/list")), Not(HasSubstr("\"ttlMs\":")));
  EXPECT_THAT(house.Say(Modern("no/such")), HasSubstr("-32601"));
}

TEST(Discovery, RefusesOtherVersionsAndAnEnvelopeThatIsNotWhole) {
  House house({});
  std::string other = Modern("tools/list");
  other.replace(other.find("2026-07-28"), 10, "2099-01-01");
  EXPECT_THAT(house.Say(other),
              AllOf(HasSubstr("-32022"), HasSubstr(R"("requested":"2099-01-01")")));
  EXPECT_THAT(house.Say(Modern("tools/list", "", "3")), HasSubstr("-32602"));
}

TEST(Submits, AnswerWithATaskWhereThatIsTaken) {
  House house(Images());
  const std::string call = CallOf("generate_image", kImage);
  EXPECT_THAT(house.Say(Modern("tools/call", call, kElicitsAndTasks)),
              HasSubstr(R"("resultType":"task","taskId":"job-of-mcp-)"));
  EXPECT_THAT(house.Say(Modern("tools/call", call)),
              AllOf(HasSubstr(R"("resultType":"complete")"), HasSubstr(R"("jobId":"job-of-mcp-)")));
  EXPECT_THAT(house.Say(Older("tools/call", "{" + call.substr(1) + "}")),
              AllOf(Not(HasSubstr("resultType")), HasSubstr(R"("structuredContent":{"note":)")));
}

TEST(Submits, TheSameCallIsTheSameJobAndSaysSo) {
  House house(Images());
  const std::string call = Modern("tools/call", CallOf("generate_image", kImage));
  const std::string first = house.Say(call);
  EXPECT_THAT(first, Not(HasSubstr("nothing was paid again")));
  const std::string second = house.Say(call);
  EXPECT_THAT(second, HasSubstr("nothing was paid again"));
  const std::string id = Between(first, R"("jobId":")", "\"");
  EXPECT_EQ(Between(second, R"("jobId":")", "\""), id);
  EXPECT_EQ(house.session.spent(), 2);
  const std::string other =
      CallOf("generate_image", R"({"prompt":"a house by the sea","requestId":"mine"})");
  EXPECT_THAT(house.Say(Modern("tools/call", other)), HasSubstr(R"("jobId":"job-of-mine")"));
  EXPECT_EQ(house.session.spent(), 4);
}

TEST(Submits, WhatAJobHasUsedCountsOnceItIsTold) {
  fake::Handlers handlers = Images();
  handlers.get = [](const v1::GetJobRequest& request,
                    const fake::CallInfo& info) -> absl::StatusOr<v1::GetJobResponse> {
    v1::GetJobResponse response;
    *response.mutable_job() = fake::MakeJob(request.job_id(), v1::JOB_STATE_SUCCEEDED);
    if (info.number == 1) response.mutable_job()->set_state(v1::JOB_STATE_FAILED);
    if (info.number == 2) response.mutable_job()->set_credits_used(0.5);
    return response;
  };
  House house(std::move(handlers));
  house.Say(Modern("tools/call",
                   CallOf("generate_image", R"({"prompt":"a house by the sea","requestId":"1"})")));
  for (const double spent : {2.0, 0.5, 0.0}) {
    house.Say(Modern("tasks/get", R"(,"taskId":"job-of-1")"));
    EXPECT_EQ(house.session.spent(), spent);
  }
}

TEST(Submits, UnknownArgumentsAreRefused) {
  House house(Images());
  EXPECT_THAT(house.Say(Modern("tools/call", CallOf("generate_image", R"({"promt":"a house"})"))),
              AllOf(HasSubstr(R"("isError":true)"), HasSubstr("did you mean prompt?")));
  EXPECT_THAT(house.Say(Modern("tools/call", CallOf("generate_imag", "{}"))),
              AllOf(HasSubstr("-32602"), HasSubstr("did you mean generate_image?")));
  EXPECT_THAT(house.Say(Modern("tools/call", CallOf("generate_image", "[]"))),
              HasSubstr(R"("isError":true)"));
  EXPECT_EQ(house.gateway.Calls("GenerateImage"), 0);
}

TEST(Submits, AnErrorOfTheGatewayIsTheToolsAndCountsNothing) {
  fake::Handlers handlers;
  handlers.generate_image = [](const v1::GenerateImageRequest&,
                               const fake::CallInfo&) -> absl::StatusOr<v1::GenerateImageResponse> {
    return errors::Invalid("prompt", "is not nice\x1b");
  };
  House house(std::move(handlers));
  EXPECT_THAT(house.Say(Modern("tools/call", CallOf("generate_image", kImage))),
              AllOf(HasSubstr(R"("isError":true)"), HasSubstr("is not nice "),
                    HasSubstr(R"("reason":"INVALID_REQUEST")")));
  EXPECT_EQ(house.session.spent(), 0);
}

TEST(Submits, AnOutcomeThatIsNotKnownKeepsItsCredits) {
  fake::Handlers handlers;
  handlers.generate_image = [](const v1::GenerateImageRequest&,
                               const fake::CallInfo&) -> absl::StatusOr<v1::GenerateImageResponse> {
    return absl::UnknownError("cut");
  };
  House house(std::move(handlers));
  const std::string call = Modern("tools/call", CallOf("generate_image", kImage));
  EXPECT_THAT(house.Say(call), HasSubstr("may have been submitted"));
  EXPECT_EQ(house.session.spent(), 2);
  house.Say(call);
  EXPECT_EQ(house.session.spent(), 2);
}

// What may have been sent is that one submit, and no other of its requestId.
TEST(Submits, UnderTheRequestIdOfAnotherAreRefused) {
  fake::Handlers handlers = Images();
  handlers.generate_image = [](const v1::GenerateImageRequest&,
                               const fake::CallInfo&) -> absl::StatusOr<v1::GenerateImageResponse> {
    return absl::UnknownError("cut");
  };
  handlers.generate_video = Takes<v1::GenerateVideoRequest, v1::GenerateVideoResponse>();
  House house(std::move(handlers), {.cap = 5});
  house.Say(Modern("tools/call",
                   CallOf("generate_image", R"({"prompt":"a house by the sea","requestId":"1"})")));
  EXPECT_EQ(house.session.spent(), 2);
  for (const char* const other :
       {R"({"prompt":"a house by the sea","model":"veo3.1","requestId":"1"})",
        R"({"prompt":"a house by the sea","requestId":"1"})"}) {
    EXPECT_THAT(house.Say(Modern("tools/call", CallOf("generate_video", other), kElicitsAndTasks)),
                AllOf(HasSubstr(R"("reason":"REQUEST_ID_REUSED")"), HasSubstr("Nothing was sent")));
  }
  EXPECT_EQ(house.gateway.Calls("GenerateVideo"), 0);
  EXPECT_EQ(house.session.spent(), 2);
}

TEST(Submits, WhatJobsOfAListHaveUsedCounts) {
  fake::Handlers handlers = Images();
  handlers.list = [](const v1::ListJobsRequest&,
                     const fake::CallInfo&) -> absl::StatusOr<v1::ListJobsResponse> {
    v1::ListJobsResponse page;
    *page.add_jobs() = fake::MakeJob("job-of-1", v1::JOB_STATE_SUCCEEDED);
    page.mutable_jobs(0)->set_credits_used(0.5);
    return page;
  };
  House house(std::move(handlers));
  house.Say(Modern("tools/call",
                   CallOf("generate_image", R"({"prompt":"a house by the sea","requestId":"1"})")));
  EXPECT_EQ(house.session.spent(), 2);
  house.Say(Modern("tools/call", CallOf("list_jobs", "{}")));
  EXPECT_EQ(house.session.spent(), 0.5);
}

TEST(Confirmation, IsAskedForAboveTheCap) {
  House house(Images(), {.cap = 1});
  const std::string asked =
      house.Say(Modern("tools/call", CallOf("generate_image", kImage), kElicitsAndTasks));
  EXPECT_THAT(asked, AllOf(HasSubstr(R"("resultType":"input_required")"),
                           HasSubstr(R"("method":"elicitation/create")"),
                           HasSubstr("at most 2 AI credits"), HasSubstr("0 of 1 AI credits")));
  EXPECT_EQ(house.gateway.Calls("GenerateImage"), 0);
  const std::string yes = R"({"action":"accept","content":{"confirm":true}})";
  EXPECT_THAT(house.Say(WithWord(asked, kImage, yes)), HasSubstr(R"("resultType":"task")"));
  EXPECT_EQ(house.gateway.Calls("GenerateImage"), 1);
}

TEST(Confirmation, ANoSendsNothing) {
  House house(Images(), {.cap = 1});
  for (const char* const no :
       {R"({"action":"decline"})", R"({"action":"cancel"})", R"({"action":"accept"})",
        R"({"action":"accept","content":{"confirm":false}})",
        R"({"action":"accept","content":{"confirm":"true"}})"}) {
    const std::string asked =
        house.Say(Modern("tools/call", CallOf("generate_image", kImage), kElicitsAndTasks));
    EXPECT_THAT(house.Say(WithWord(asked, kImage, no)), HasSubstr("CONFIRMATION_REFUSED")) << no;
  }
  EXPECT_EQ(house.gateway.Calls("GenerateImage"), 0);
  EXPECT_EQ(house.session.spent(), 0);
}

TEST(Confirmation, IsOfOneCallAtOnePrice) {
  House house(Images(), {.cap = 1});
  const std::string yes = R"({"action":"accept","content":{"confirm":true}})";
  const std::string asked =
      house.Say(Modern("tools/call", CallOf("generate_image", kImage), kElicitsAndTasks));
  const std::string dearer = R"({"prompt":"a house by the sea","model":"nanobanana-pro"})";
  EXPECT_THAT(house.Say(WithWord(asked, dearer, yes)), HasSubstr("at most 14 AI credits"));
  EXPECT_THAT(house.Say(WithWord(asked, kImage, yes)), HasSubstr("input_required"));
  EXPECT_THAT(house.Say(WithWord(R"("requestState":"made up")", kImage, yes)),
              HasSubstr("input_required"));
  EXPECT_EQ(house.gateway.Calls("GenerateImage"), 0);
}

// At the same price, and under the same requestId.
TEST(Confirmation, IsOfOneContent) {
  fake::Handlers handlers = Images();
  handlers.generate_video = Takes<v1::GenerateVideoRequest, v1::GenerateVideoResponse>();
  House house(std::move(handlers), {});
  const std::string yes = R"({"action":"accept","content":{"confirm":true}})";
  const std::string asked_of = R"({"prompt":"a house","requestId":"1"})";
  const auto ask = [&] {
    return house.Say(Modern("tools/call", CallOf("generate_image", asked_of), kElicitsAndTasks));
  };
  EXPECT_THAT(house.Say(WithWord(ask(), R"({"prompt":"a castle","requestId":"1"})", yes)),
              HasSubstr("input_required"));
  std::string swapped = WithWord(ask(), R"({"prompt":"a house","requestId":"1"})", yes);
  swapped.replace(swapped.find("generate_image"), 14, "generate_video");
  EXPECT_THAT(house.Say(swapped), HasSubstr("input_required"));
  EXPECT_EQ(house.gateway.Calls("GenerateImage") + house.gateway.Calls("GenerateVideo"), 0);
  EXPECT_THAT(house.Say(WithWord(ask(), asked_of, yes)), HasSubstr(R"("resultType":"task")"));
}

// Else the call would have no answer, whatever a person says.
TEST(Confirmation, OneQuestionTooManyEndsTheOldestCall) {
  House house(Images(), {});
  house.Say(Older("initialize", R"({"capabilities":{"elicitation":{}}})"));
  const auto ask = [&](std::size_t n) {
    std::string call = Older("tools/call", "{" + CallOf("generate_image", kImage).substr(1) + "}");
    call.replace(call.find("\"id\":1"), 6, "\"id\":" + std::to_string(100 + n));
    return house.Say(call);
  };
  const auto answer = [&](const std::string& asked) {
    return house.Say(R"({"jsonrpc":"2.0","id":)" + Between(asked, R"("id":)", ",") +
                     R"(,"result":{"action":"accept","content":{"confirm":true}}})");
  };
  const std::string first = ask(0);
  std::string last;
  for (std::size_t n = 1; n < limits::kMcpQuestionsMax; ++n) last = ask(n);
  EXPECT_THAT(last, StartsWith(R"({"jsonrpc":"2.0","id":"confirm-)"));
  const std::string both = ask(limits::kMcpQuestionsMax);
  EXPECT_THAT(both, AllOf(StartsWith(R"({"jsonrpc":"2.0","id":100,"result":)"),
                          HasSubstr("\"reason\":\"TOO_MANY\""),
                          HasSubstr("\n{\"jsonrpc\":\"2.0\",\"id\":\"confirm-")));
  EXPECT_THAT(answer(first), IsEmpty());
  EXPECT_EQ(house.gateway.Calls("GenerateImage"), 0);
  EXPECT_THAT(answer(both.substr(both.find('\n') + 1)),
              StartsWith(R"({"jsonrpc":"2.0","id":116,)"));
}

TEST(Confirmation, WhoCannotAskIsToldWhatToDo) {
  House house(Images(), {});
  EXPECT_THAT(house.Say(Modern("tools/call", CallOf("generate_image", kImage))),
              AllOf(HasSubstr("CONFIRMATION_NEEDED"), HasSubstr("--spend-cap")));
  EXPECT_THAT(house.Say(Modern("tools/call", CallOf("generate_image", kImage),
                               R"({"elicitation":{"url":{}}})")),
              HasSubstr("CONFIRMATION_NEEDED"));
  EXPECT_EQ(house.gateway.Calls("GenerateImage"), 0);
}

TEST(Confirmation, OlderVersionsAreAskedByARequest) {
  House house(Images(), {});
  house.Say(Older("initialize", R"({"capabilities":{"elicitation":{}}})"));
  const std::string call =
      Older("tools/call", "{" + CallOf("generate_image", kImage).substr(1) + "}");
  const std::string asked = house.Say(call);
  EXPECT_THAT(asked, AllOf(StartsWith(R"({"jsonrpc":"2.0","id":"confirm-)"),
                           HasSubstr(R"("method":"elicitation/create")")));
  const std::string id = Between(asked, R"("id":)", ",");
  const std::string answer = R"({"jsonrpc":"2.0","id":)" + id +
                             R"(,"result":{"action":"accept","content":{"confirm":true}}})";
  EXPECT_THAT(house.Say(answer), AllOf(StartsWith(R"({"jsonrpc":"2.0","id":1,"result":)"),
                                       HasSubstr(R"("jobId":"job-of-mcp-)")));
  EXPECT_THAT(house.Say(answer), IsEmpty());
  EXPECT_EQ(house.gateway.Calls("GenerateImage"), 1);
}

TEST(Confirmation, OlderVersionsMayRefuseToo) {
  House house(Images(), {});
  house.Say(Older("initialize", R"({"capabilities":{"elicitation":{}}})"));
  const std::string asked =
      house.Say(Older("tools/call", "{" + CallOf("generate_image", kImage).substr(1) + "}"));
  EXPECT_THAT(house.Say(R"({"jsonrpc":"2.0","id":)" + Between(asked, R"("id":)", ",") +
                        R"(,"error":{"code":-1,"message":"no"}})"),
              HasSubstr("CONFIRMATION_REFUSED"));
  EXPECT_THAT(house.Say(R"({"jsonrpc":"2.0","id":"confirm-","result":{}})"), IsEmpty());
  EXPECT_THAT(house.Say(R"({"jsonrpc":"2.0","id":5,"result":{}})"), IsEmpty());
  EXPECT_EQ(house.gateway.Calls("GenerateImage"), 0);
}

TEST(Tasks, AreJobs) {
  fake::Handlers handlers;
  handlers.get = Is(v1::JOB_STATE_SUCCEEDED);
  House house(std::move(handlers));
  EXPECT_THAT(house.Say(Modern("tasks/get", R"(,"taskId":"j")", kElicitsAndTasks)),
              AllOf(HasSubstr(R"("status":"completed")"), HasSubstr(R"("result":{)")));
  EXPECT_THAT(house.Say(Modern("tasks/get", "")), HasSubstr("-32602"));
  EXPECT_EQ(house.Say(Modern("tasks/update", R"(,"taskId":"j","inputResponses":{})")),
            R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}})");
}

TEST(Tasks, ThatDoNotExistAreSaidTo) {
  fake::Handlers handlers;
  handlers.get = [](const v1::GetJobRequest&,
                    const fake::CallInfo&) -> absl::StatusOr<v1::GetJobResponse> {
    return errors::JobNotFound("j");
  };
  House house(std::move(handlers));
  EXPECT_THAT(house.Say(Modern("tasks/get", R"(,"taskId":"j")")), HasSubstr("-32602"));
}

TEST(Cancelling, IsSaidTruly) {
  fake::Handlers handlers;
  handlers.get = Is(v1::JOB_STATE_RUNNING);
  House running(handlers);
  EXPECT_THAT(running.Say(Modern("tasks/cancel", R"(,"taskId":"j")")),
              AllOf(HasSubstr("Nothing was cancelled"), HasSubstr("no call that cancels it")));
  handlers.get = Is(v1::JOB_STATE_SUCCEEDED);
  House ended(handlers);
  EXPECT_THAT(ended.Say(Modern("tasks/cancel", R"(,"taskId":"j")")),
              HasSubstr("Nothing was cancelled"));
  EXPECT_EQ(running.gateway.Calls("DeleteJob") + ended.gateway.Calls("DeleteJob"), 0);
}

TEST(Cancelling, EndsWhatWaits) {
  fake::Handlers handlers;
  handlers.get = Is(v1::JOB_STATE_WAITING);
  handlers.remove = [](const v1::DeleteJobRequest& request,
                       const fake::CallInfo&) -> absl::StatusOr<v1::DeleteJobResponse> {
    EXPECT_TRUE(request.cancel_only()) << "it may have ended meanwhile";
    v1::DeleteJobResponse response;
    *response.mutable_job() = fake::MakeJob(request.job_id(), v1::JOB_STATE_CANCELLED);
    return response;
  };
  House house(std::move(handlers));
  EXPECT_THAT(house.Say(Modern("tasks/cancel", R"(,"taskId":"j")")),
              HasSubstr("Job j is CANCELLED."));
  EXPECT_THAT(
      house.Say(Modern("tools/call", CallOf("delete_job", R"({"jobId":"j","cancelOnly":true})"))),
      HasSubstr("Job j is CANCELLED."));
}

TEST(Cancelling, OfWhatIsSentAtThatMomentIsRefused) {
  fake::Handlers handlers;
  handlers.get = Is(v1::JOB_STATE_WAITING);
  handlers.remove = [](const v1::DeleteJobRequest&,
                       const fake::CallInfo&) -> absl::StatusOr<v1::DeleteJobResponse> {
    return errors::JobNotWaiting("j", "it is SUCCEEDED");
  };
  House house(std::move(handlers));
  EXPECT_THAT(house.Say(Modern("tasks/cancel", R"(,"taskId":"j")")),
              AllOf(HasSubstr("Nothing was cancelled"), HasSubstr("it is SUCCEEDED")));
}

TEST(Results, AreReadInPieces) {
  const std::string whole(100'000, 'x');
  fake::Handlers handlers;
  handlers.read = [&whole](const v1::ReadJobResultRequest& request, const fake::CallInfo&,
                           const fake::Writer<v1::ReadJobResultResponse>& write) {
    for (std::size_t at = static_cast<std::size_t>(request.offset()); at < whole.size();) {
      v1::ReadJobResultResponse piece;
      piece.set_data(whole.substr(at, 30'000));
      piece.set_offset(static_cast<std::int32_t>(at));
      piece.set_total_bytes(static_cast<std::int32_t>(whole.size()));
      at += piece.data().size();
      if (!write(piece)) break;
    }
    return absl::OkStatus();
  };
  House house(std::move(handlers));
  EXPECT_THAT(house.Say(Modern("tools/call", CallOf("read_result", R"({"jobId":"j"})"))),
              HasSubstr(R"("offset":0,"totalBytes":100000,"nextOffset":65536)"));
  EXPECT_THAT(
      house.Say(Modern("tools/call", CallOf("read_result", R"({"jobId":"j","offset":65536})"))),
      AllOf(HasSubstr(R"("offset":65536,"totalBytes":100000})"), Not(HasSubstr("nextOffset"))));
}

TEST(Reads, ListAndUsageAreTheGateways) {
  fake::Handlers handlers;
  handlers.list = [](const v1::ListJobsRequest& request,
                     const fake::CallInfo&) -> absl::StatusOr<v1::ListJobsResponse> {
    v1::ListJobsResponse response;
    *response.add_jobs() = fake::MakeJob("j", v1::JOB_STATE_RUNNING);
    response.set_next_page_token("of " + std::to_string(request.page_size()));
    return response;
  };
  handlers.get_usage = [](const v1::GetUsageRequest&,
                          const fake::CallInfo&) -> absl::StatusOr<v1::GetUsageResponse> {
    v1::GetUsageResponse response;
    response.set_tenant("film");
    return response;
  };
  House house(std::move(handlers));
  EXPECT_THAT(house.Say(Modern("tools/call", CallOf("list_jobs", "{}"))),
              HasSubstr(R"("nextPageToken":"of 20")"));
  EXPECT_THAT(house.Say(Modern("tools/call", CallOf("list_jobs", R"({"pageSize":1000})"))),
              HasSubstr(R"("nextPageToken":"of 100")"));
  EXPECT_THAT(house.Say(Modern("tools/call", CallOf("usage", "{}"))),
              AllOf(HasSubstr(R"("tenant":"film")"), HasSubstr("0 of 100 AI credits")));
}

}  // namespace
}  // namespace gateway::mcp
