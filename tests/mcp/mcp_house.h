// A House is the face for agents before a gateway whose every answer the test gives.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/connect.h"
#include "client/fake_pacing.h"
#include "client/fake_server.h"
#include "mcp/message.h"
#include "mcp/server.h"
#include "mcp/session.h"
#include "support/fake_clock.h"

namespace gateway::mcp {

namespace v1 = ::pictory::jobs::v1;
namespace fake = ::pictory_jobs::fake;

inline constexpr char kElicitsAndTasks[] =
    R"({"elicitation":{"form":{}},"extensions":{"io.modelcontextprotocol/tasks":{}}})";

// A request of 2026-07-28; `params` are its further members, each behind a comma.
inline std::string Modern(const std::string& method, const std::string& params = "",
                          const std::string& capabilities = "{}") {
  return absl::StrCat(R"({"jsonrpc":"2.0","id":1,"method":")", method,
                      R"(","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":)",
                      R"("2026-07-28","io.modelcontextprotocol/clientCapabilities":)", capabilities,
                      "}", params, "}}");
}

inline std::string Older(const std::string& method, const std::string& params = "{}") {
  return absl::StrCat(R"({"jsonrpc":"2.0","id":1,"method":")", method, R"(","params":)", params,
                      "}");
}

inline std::string CallOf(const std::string& tool, const std::string& arguments) {
  return absl::StrCat(R"(,"name":")", tool, R"(","arguments":)", arguments);
}

// Where one text stands between two others: the value of a member, mostly.
inline std::string Between(const std::string& text, const std::string& begin,
                           const std::string& end) {
  const std::size_t at = text.find(begin);
  if (at == std::string::npos) return "";
  const std::size_t from = at + begin.size();
  return text.substr(from, text.find(end, from) - from);
}

struct House {
  explicit House(fake::Handlers handlers, SpendingRules rules = {.cap = 100})
      : gateway(std::move(handlers)),
        session("test", rules, clock),
        server(fake::Connect(gateway, pacing), session, "1.2.3") {}

  std::string Say(const std::string& text) {
    const auto read = ReadMessage(text);
    EXPECT_TRUE(std::holds_alternative<Message>(read)) << text;
    if (!std::holds_alternative<Message>(read)) return "";
    return server.Handle(std::get<Message>(read), peer);
  }

  fake::FakeServer gateway;
  fake::FakePacing pacing;
  test::FakeClock clock;
  Session session;
  Server server;
  Peer peer{/*hears_requests=*/true};
};

// A handler that takes submits, each request_id as one job.
template <class Request, class Response>
fake::Unary<Request, Response> Takes(v1::JobState state = v1::JOB_STATE_QUEUED) {
  return [state](const Request& request, const fake::CallInfo&) -> absl::StatusOr<Response> {
    Response response;
    *response.mutable_job() = fake::MakeJob("job-of-" + request.request_id(), state);
    return response;
  };
}

}  // namespace gateway::mcp
