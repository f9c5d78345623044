// Who calls a webhook in Pictory's place: when, with what, and what can go wrong on purpose.
#include <gmock/gmock.h>

#include <thread>

#include "sandbox/rig.h"
#include "support/scripted_server.h"

namespace gateway::sandbox {
namespace {

using test::HttpReply;
using test::ReceivedRequest;
using test::ScriptedConnection;
using test::ScriptedServer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Real time, because the calls are made by it.
class WebhooksTest : public Rig {
 protected:
  WebhooksTest() {
    options_.clock = nullptr;
    options_.speed = 50;  // a preview takes 40 ms
  }

  std::string HookTo(const std::string& path) const {
    return ",\"webhook\":\"" + hook_.url() + path + "\"";
  }
  std::string Preview(const std::string& more) {
    return Submit("POST", "/v2/video/storyboard",
                  R"({"videoName":"a","scenes":[{"story":"b"}])" + more + "}");
  }
  std::vector<std::string> Paths() const {
    std::vector<std::string> paths;
    for (const ReceivedRequest& request : hook_.requests()) paths.push_back(request.target);
    return paths;
  }
  int Count(const std::string& what) {
    return static_cast<int>(Control("GET", "/stats").NumberAt("webhooks." + what));
  }
  void AwaitCount(const std::string& what, int count) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (Count(what) < count) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << what << " is " << Count(what);
      std::this_thread::yield();
    }
  }
  void AwaitEnd(const std::string& id) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (Job(id).TextAt("data.status") == "in-progress") {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up);
    }
  }

  ScriptedServer hook_{[](ScriptedConnection& connection, const ReceivedRequest& request) {
    connection.Send(HttpReply(request.target == "/500" ? 500 : 204, ""));
  }};
};

TEST_F(WebhooksTest, AJobThatEndsCallsOnceWithItsReplyAndWhatItWasGiven) {
  Start();
  const std::string id = Preview(HookTo("/here?a=b") + R"(,"webhookInput":{"mine":[1,"two"]})");
  ASSERT_TRUE(hook_.AwaitRequests(1));
  const ReceivedRequest call = hook_.requests()[0];
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.target, "/here?a=b");
  EXPECT_EQ(call.HeaderValues("content-type"), "application/json");
  EXPECT_EQ(call.HeaderCount("authorization"), 0);
  std::string error;
  auto told = ParseJson(call.body, &error);
  ASSERT_NE(told, nullptr) << error;
  EXPECT_EQ(ToText((*told)["webhookInput"]), R"({"mine":[1,"two"]})");
  told->RemoveMember("webhookInput");
  std::string text = ToText(*told);  // with links to where the sandbox is, not to who asked it
  const std::string here = "http://127.0.0.1:" + std::to_string(sandbox_->port());
  for (std::size_t at; (at = text.find(here)) != std::string::npos;) {
    text.replace(at, here.size(), "http://localhost");
  }
  EXPECT_EQ(text, ToText(*Job(id).json));
  AwaitCount("called", 1);
  EXPECT_EQ(Count("waiting"), 0);
}

TEST_F(WebhooksTest, FailedJobsAndThoseOfAllKindsCallToo) {
  Start();
  Submit("POST", "/v2/video/storyboard",
         R"({"videoName":"a sandbox-fail","scenes":[{"story":"b"}])" + HookTo("/fails") + "}");
  Submit("POST", "/v2/transcription", R"({"fileUrl":"https://f.test/a.mp4")" + HookTo("/t") + "}");
  Submit("POST", "/v2/video/storyboard/render",
         R"({"videoName":"a","scenes":[{"story":"b"}])" + HookTo("/render") + "}");
  ASSERT_TRUE(hook_.AwaitRequests(3));
  EXPECT_THAT(Paths(), ::testing::UnorderedElementsAre("/fails", "/t", "/render"));
  for (const ReceivedRequest& call : hook_.requests()) {
    const bool failed = call.body.find("TEXT_TO_VIDEO_FAILED") != std::string::npos;
    EXPECT_EQ(failed, call.target == "/fails") << call.body;
  }
}

TEST_F(WebhooksTest, ThereIsNoRetryAndNoCallWhereNoneIsWanted) {
  Start();
  Preview("");
  Preview(HookTo("/500"));
  AwaitCount("failed", 1);
  AwaitEnd(Preview(R"(,"webhook":"http://127.0.0.1:1/")"));
  AwaitCount("failed", 2);
  Preview(HookTo("/last"));
  AwaitCount("called", 1);
  EXPECT_THAT(Paths(), ElementsAre("/500", "/last"));
}

TEST_F(WebhooksTest, PlainHttpIsCalledOnLoopbackOnly) {
  Start();
  Preview(R"(,"webhook":"http://192.0.2.1/x")");
  Preview(R"(,"webhook":"http://169.254.169.254/latest")");
  AwaitCount("dropped", 2);
  EXPECT_EQ(Count("failed"), 0);
}

TEST_F(WebhooksTest, OriginsAreBounded) {
  Start();
  for (int i = 0; i < 9; ++i) {
    Preview(",\"webhook\":\"http://127.0.0." + std::to_string(i + 1) + ":1/\"");
  }
  AwaitCount("dropped", 1);
  AwaitCount("failed", 8);
}

TEST_F(WebhooksTest, AReceiverThatSaysNothingHoldsNobodyUp) {
  ScriptedServer silent{
      [](ScriptedConnection& connection, const ReceivedRequest&) { connection.Hold(); }};
  Start();
  for (int i = 0; i < 20; ++i) {
    Preview(",\"webhook\":\"" + silent.url() + "\"");
  }
  AwaitCount("waiting", 20);
  AwaitEnd(Preview(HookTo("/well")));
  AwaitCount("called", 1);
  const auto begin = std::chrono::steady_clock::now();
  sandbox_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(WebhooksTest, LostOnes) {
  Start();
  AddFault(R"({"times":1,"fault":{"type":"webhook_lost"}})");
  AwaitEnd(Preview(HookTo("/lost")));
  EXPECT_EQ(Count("lost"), 1);
  Preview(HookTo("/next"));
  AwaitCount("called", 1);
  EXPECT_THAT(Paths(), ElementsAre("/next"));
}

TEST_F(WebhooksTest, Repeated) {
  Start();
  AddFault(R"({"times":1,"fault":{"type":"webhook_twice","calls":3}})");
  Preview(HookTo("/again"));
  AwaitCount("called", 3);
  Preview(HookTo("/once"));
  AwaitCount("called", 4);
  EXPECT_THAT(Paths(), ElementsAre("/again", "/again", "/again", "/once"));
}

TEST_F(WebhooksTest, Late) {
  Start();
  AddFault(R"({"times":1,"fault":{"type":"webhook_late","ms":300}})");
  const auto begin = std::chrono::steady_clock::now();
  Preview(HookTo("/late"));
  AwaitCount("called", 1);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(300));
}

TEST_F(WebhooksTest, OutOfOrder) {
  Start();
  AddFault(R"({"times":1,"fault":{"type":"webhook_after_next"}})");
  Preview(HookTo("/first"));
  AwaitCount("held", 1);
  Preview(HookTo("/second"));
  AwaitCount("called", 2);
  EXPECT_THAT(Paths(), ElementsAre("/second", "/first"));
}

TEST_F(WebhooksTest, BeforeTheSubmitIsAnswered) {
  options_.speed = 0.001;  // the job is far from its end
  Start();
  AddFault(R"({"times":1,"fault":{"type":"webhook_early"}})");
  const std::string id = Preview(HookTo("/early"));
  ASSERT_THAT(Paths(), ElementsAre("/early")) << "it had been called when the answer came";
  EXPECT_THAT(hook_.requests()[0].body, ::testing::HasSubstr(id));
  EXPECT_THAT(hook_.requests()[0].body, ::testing::HasSubstr("in-progress"));
}

TEST_F(WebhooksTest, AnEarlyCallThatCannotBeMadeHoldsNoAnswerBack) {
  Start();
  AddFault(R"({"fault":{"type":"webhook_early"}})");
  Preview(R"(,"webhook":"http://192.0.2.1/x")");
  Preview(R"(,"webhook":"http://127.0.0.1:1/")");
  EXPECT_EQ(Count("dropped") + Count("failed"), 2);
}

TEST_F(WebhooksTest, TheirFaultsAndThoseOfRequestsCountApart) {
  options_.speed = 0.001;
  Start();
  AddFault(R"({"match":{"method":"POST","path_prefix":"/v2/video"},"skip":1,"times":1,)"
           R"("fault":{"type":"webhook_early"}})");
  Preview("");
  Preview(HookTo("/a"));
  EXPECT_EQ(Submit("POST", "/v2/transcription",
                   R"({"fileUrl":"https://f.test/a.mp4")" + HookTo("/t") + "}")
                .empty(),
            false);
  EXPECT_THAT(Paths(), IsEmpty()) << "of the jobs that may be hit the second is hit";
  Preview(HookTo("/b"));
  EXPECT_THAT(Paths(), ElementsAre("/b"));
  const JsonReply refused = Control("POST", "/faults", R"({"fault":{"type":"webhook_soon"}})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, ::testing::HasSubstr("webhook_lost"));
}

TEST_F(WebhooksTest, AfterARestartTheJobsThatStillRunCall) {
  KeepState();
  options_.speed = 10;
  Start();
  Preview(HookTo("/ended"));
  AwaitCount("called", 1);
  // Two seconds: on a busy machine, too, it still runs when the restart is over.
  Submit("POST", "/v2/video/storyboard",
         R"({"videoName":"sandbox-slow","scenes":[{"story":"b"}])" + HookTo("/running") + "}");
  Restart();
  AwaitCount("called", 1);
  EXPECT_THAT(Paths(), ElementsAre("/ended", "/running"));
}

}  // namespace
}  // namespace gateway::sandbox
