#include "mcp/answers.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/clean_text.h"
#include "base/limits.h"
#include "google/protobuf/util/time_util.h"
#include "json/api_writer.h"
#include "json/writer.h"
#include "pictory_jobs/job.h"
#include "pictory_jobs/status.h"

namespace gateway::mcp {
namespace {

namespace v1 = ::pictory::jobs::v1;

constexpr std::string_view kTypeText = R"({"type":"text","text":)";

std::string StateWord(v1::JobState state) {
  return std::string(absl::StripPrefix(v1::JobState_Name(state), "JOB_STATE_"));
}

std::string Text(std::string_view text) {
  std::string quoted;
  json::AppendString(quoted, text);
  return absl::StrCat(std::string(kTypeText), quoted, "}");
}

void Member(json::Writer& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  out.Key(key);
  out.String(value);
}

std::string_view TaskStatus(const v1::Job& job) {
  if (!pictory_jobs::IsFinal(job.state())) return "working";
  return job.state() == v1::JOB_STATE_CANCELLED ? "cancelled" : "completed";
}

bool EndedBadly(const v1::Job& job) {
  return pictory_jobs::IsFinal(job.state()) && job.state() != v1::JOB_STATE_SUCCEEDED &&
         job.state() != v1::JOB_STATE_CANCELLED;
}

void TaskMembers(const v1::Job& job, std::string_view words, json::Writer& out) {
  using google::protobuf::util::TimeUtil;
  out.Key("taskId");
  out.String(job.job_id());
  out.Key("status");
  out.String(TaskStatus(job));
  Member(out, "statusMessage", words);
  out.Key("createdAt");
  out.String(TimeUtil::ToString(job.create_time()));
  out.Key("lastUpdatedAt");
  out.String(TimeUtil::ToString(job.update_time()));
  out.Key("ttlMs");
  out.Null();
  out.Key("pollIntervalMs");
  out.Int(limits::kMcpPoll.count());
}

// Whether an escape of JSON stands for a character that steers.
bool SteeringEscape(std::string_view escape) {
  if (escape[1] == 'b' || escape[1] == 'f') return true;
  if (escape[1] != 'u' || escape.size() < 6 || escape.substr(2, 2) != "00") return false;
  const long code = std::strtol(std::string(escape.substr(4, 2)).c_str(), nullptr, 16);
  return (code < 0x20 && code != '\n' && code != '\t' && code != '\r') ||
         (code >= 0x7F && code < 0xA0);
}

}  // namespace

std::string CleanedJson(std::string_view json) {
  std::string out;
  for (std::size_t i = 0; i < json.size();) {
    if (json[i] != '\\' || i + 1 == json.size()) {
      out += json[i++];
      continue;
    }
    const std::size_t length = json[i + 1] == 'u' ? std::min<std::size_t>(6, json.size() - i) : 2;
    const std::string_view escape = json.substr(i, length);
    out.append(SteeringEscape(escape) ? " " : escape);
    i += length;
  }
  return CleanLines(out);
}

ToolError ToolErrorOf(const absl::Status& status) {
  ToolError error;
  error.code = absl::StatusCodeToString(status.code());
  error.reason = pictory_jobs::Reason(status);
  error.message = CleanLines({status.message().data(), status.message().size()});
  if (pictory_jobs::BrokenConnection(status)) {
    error.reason = "GATEWAY_UNREACHABLE";
    error.message = absl::StrCat("The gateway cannot be reached: ", error.message);
  }
  if (pictory_jobs::MayHaveBeenTaken(status)) {
    absl::StrAppend(&error.message,
                    ". The job may have been submitted: the same call again finds out, and pays "
                    "for it once at most");
  }
  for (const auto& violation : pictory_jobs::FieldViolations(status)) {
    error.fields.push_back({CleanText(violation.field), CleanLines(violation.description)});
  }
  error.job_id = CleanText(pictory_jobs::JobNamedBy(status));
  if (const auto delay = pictory_jobs::RetryDelay(status)) {
    error.retry_after_seconds = std::ceil(std::chrono::duration<double>(*delay).count());
  }
  return error;
}

std::string ToolResult(const Caller& caller, std::string_view sentence, std::string_view json,
                       bool is_error) {
  const std::string clean = CleanedJson(json);
  std::string text;
  json::Writer out(text);
  out.StartObject();
  if (caller.modern) Member(out, "resultType", "complete");
  out.Key("content");
  out.StartArray();
  out.Raw(Text(sentence));
  if (!is_error) out.Raw(Text(clean));
  out.EndArray();
  out.Key("structuredContent");
  out.Raw(clean);
  if (is_error) {
    out.Key("isError");
    out.Bool(true);
  }
  out.EndObject();
  return text;
}

std::string ErrorResult(const Caller& caller, const ToolError& error) {
  std::string sentence =
      error.reason.empty() ? error.message : absl::StrCat(error.reason, ": ", error.message);
  std::string text;
  json::Writer out(text);
  out.StartObject();
  out.Key("error");
  out.StartObject();
  Member(out, "code", error.code);
  Member(out, "reason", error.reason);
  Member(out, "message", error.message);
  Member(out, "jobId", error.job_id);
  if (error.retry_after_seconds > 0) {
    out.Key("retryAfterSeconds");
    out.Double(error.retry_after_seconds);
    absl::StrAppend(&sentence, "\nTry again after ", error.retry_after_seconds, " s.");
  }
  out.Key("fields");
  out.StartArray();
  for (const errors::Violation& wrong : error.fields) {
    out.StartObject();
    Member(out, "field", wrong.field);
    Member(out, "description", wrong.description);
    out.EndObject();
    absl::StrAppend(&sentence, "\n", wrong.field, wrong.field.empty() ? "" : " ",
                    wrong.description);
  }
  out.EndArray();
  out.EndObject();
  out.EndObject();
  return ToolResult(caller, sentence, text, /*is_error=*/true);
}

std::string JobAnswer(const v1::Job& job, std::string_view note) {
  std::string text;
  json::Writer out(text);
  out.StartObject();
  Member(out, "note", note);
  out.Key("job");
  json::WriteApi(job, out);
  out.EndObject();
  return text;
}

std::string JobSentence(const v1::Job& job) {
  const std::string name = absl::StrCat("Job ", CleanText(job.job_id()), " ");
  switch (job.state()) {
    case v1::JOB_STATE_SUCCEEDED:
      return name + "has SUCCEEDED.";
    case v1::JOB_STATE_UNCONFIRMED:
      return name +
             "is UNCONFIRMED: it was sent, and Pictory may be at work on it. It must not be "
             "submitted under another requestId, or it may be paid twice.";
    case v1::JOB_STATE_WAITING:
      return name + "is WAITING for the job that it is made of; it can be cancelled.";
    case v1::JOB_STATE_QUEUED:
    case v1::JOB_STATE_RUNNING:
      return absl::StrCat(name, "is ", StateWord(job.state()),
                          job.has_progress_percent()
                              ? absl::StrCat(", at ", std::lround(job.progress_percent()), " %.")
                              : ".",
                          " Pictory has no call that cancels it.");
    default:
      return absl::StrCat(name, "is ", StateWord(job.state()),
                          job.has_error() ? "; job.error says why." : ".");
  }
}

std::string NewTask(const v1::Job& job, std::string_view note) {
  std::string text;
  json::Writer out(text);
  out.StartObject();
  out.Key("resultType");
  out.String("task");
  TaskMembers(
      job, note.empty() ? JobSentence(job) : absl::StrCat(std::string(note), " ", JobSentence(job)),
      out);
  out.EndObject();
  return text;
}

std::string TaskNow(const Caller& caller, const v1::Job& job) {
  std::string text;
  json::Writer out(text);
  out.StartObject();
  out.Key("resultType");
  out.String("complete");
  TaskMembers(job, JobSentence(job), out);
  if (TaskStatus(job) == "completed") {
    out.Key("result");
    out.Raw(ToolResult(caller, JobSentence(job), JobAnswer(job), EndedBadly(job)));
  }
  out.EndObject();
  return text;
}

}  // namespace gateway::mcp
