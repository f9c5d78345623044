// These functions write what an agent is answered: results of tools, and tasks. Pure.
//
// Texts of Pictory and of callers stand in the JSON as data, without characters that steer a
// terminal or an eye. The sentences beside it are made of ids, states and numbers only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/errors.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::mcp {

// What is known of who calls, from the request or the handshake before it.
struct Caller {
  bool modern = false;       // it speaks the protocol of 2026-07-28
  bool tasks = false;        // it takes a task in place of a result
  bool asks_people = false;  // it puts our questions to a person
};

// A tool's error: what the model is told, so that it can do something about it.
struct ToolError {
  std::string code;    // of gRPC
  std::string reason;  // as ErrorInfo has it
  std::string message;
  std::vector<errors::Violation> fields{};
  std::string job_id{};
  double retry_after_seconds = 0;  // 0: not told
};
ToolError ToolErrorOf(const absl::Status& status);

// A CallToolResult. `json` is an object; `sentence` says it in short.
std::string ToolResult(const Caller& caller, std::string_view sentence, std::string_view json,
                       bool is_error = false);
std::string ErrorResult(const Caller& caller, const ToolError& error);

// `{"job":…,"note":…}`; `note` may be empty.
std::string JobAnswer(const ::pictory::jobs::v1::Job& job, std::string_view note = "");
// `Job 01… is RUNNING, at 40 %.`
std::string JobSentence(const ::pictory::jobs::v1::Job& job);

// The task that a job is: in place of a tool's result, or as tasks/get tells it, with the result
// at its end.
std::string NewTask(const ::pictory::jobs::v1::Job& job, std::string_view note);
std::string TaskNow(const Caller& caller, const ::pictory::jobs::v1::Job& job);

// JSON without such characters in its strings.
std::string CleanedJson(std::string_view json);

}  // namespace gateway::mcp
