// ToolCalls does what agents ask for, by the gateway's own API: nothing of it goes another way.
// Its calls block. Thread-safe.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "mcp/answers.h"
#include "mcp/session.h"
#include "mcp/tool_table.h"
#include "pictory_jobs/client.h"

namespace gateway::mcp {

// What a person has answered to a question of ours.
struct PersonsWord {
  Question question;
  bool yes = false;
};

// A question that a person has to answer before a submit is sent.
struct ToAsk {
  Question question;
  std::string words;
};

class ToolCalls {
 public:
  // `session` must outlive this.
  ToolCalls(pictory_jobs::Client client, Session& session)
      : client_(std::move(client)), session_(session) {}

  // `arguments` is a JSON object. The text is a CallToolResult, or a task in its place.
  std::variant<std::string, ToAsk> Call(const Tool& tool, const std::string& arguments,
                                        const Caller& caller, const PersonsWord* word) const;

  // The job that a task is.
  absl::StatusOr<pictory_jobs::Job> Task(const std::string& job_id) const;
  // Cancels the job of a task if that is possible, which is so of one that is WAITING, and never
  // deletes one. Says in words what came of it.
  std::string Cancel(const std::string& job_id) const;

 private:
  using Message = google::protobuf::Message;

  std::variant<std::string, ToAsk> Submit(const Tool& tool, const std::string& arguments,
                                          Message& request, const Caller& caller,
                                          const PersonsWord* word) const;
  std::string Read(const Tool& tool, const Message& request, const Caller& caller) const;
  std::string ReadPart(const Message& request, const Caller& caller) const;
  void Learn(const pictory_jobs::Job& job) const;

  const pictory_jobs::Client client_;
  Session& session_;
};

}  // namespace gateway::mcp
