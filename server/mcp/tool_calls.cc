#include "mcp/tool_calls.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/clean_text.h"
#include "base/limits.h"
#include "face/request_of.h"
#include "json/api_reader.h"
#include "json/api_writer.h"
#include "json/writer.h"
#include "mcp/cost.h"
#include "pictory/credits.h"
#include "pictory/did_you_mean.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory_jobs/status.h"

namespace gateway::mcp {
namespace {

namespace v1 = ::pictory::jobs::v1;

constexpr json::ApiReadOptions kReading{.nearest = pictory::ClosestWord};
constexpr char kNothingPaid[] =
    "This is the job of an earlier call with this requestId: nothing was paid again. A deliberate "
    "second one takes another requestId.";

const google::protobuf::MethodDescriptor& MethodOf(const Tool& tool) {
  return *v1::ListJobsRequest::descriptor()
              ->file()
              ->FindServiceByName("PictoryJobs")
              ->FindMethodByName(std::string(tool.method));
}

std::string PriceWords(const std::optional<double>& credits) {
  return credits.has_value() ? absl::StrCat("at most ", *credits, " AI credits")
                             : absl::StrCat("AI credits that only Pictory knows (counted as ",
                                            pictory::kUnknownCredits, " until it tells)");
}

// What was sent under it may have been made, though no answer came.
ToolError IdOfAnother(const std::string& request_id, const std::string& job_id) {
  return {.code = "INVALID_ARGUMENT",
          .reason = "REQUEST_ID_REUSED",
          .message = absl::StrCat("Another submit of this session has the requestId ",
                                  CleanText(request_id),
                                  ". A job of its own takes a new one. Nothing was sent"),
          .job_id = job_id};
}

std::string CapWords(const Session& session) {
  const std::optional<double>& cap = session.rules().cap;
  return absl::StrCat("This session may have used ", session.spent(),
                      cap.has_value() ? absl::StrCat(" of ", *cap) : "", " AI credits");
}

ToolError NeedsPerson(const Question& question, const Session& session) {
  return {.code = "FAILED_PRECONDITION",
          .reason = "CONFIRMATION_NEEDED",
          .message = absl::StrCat(
              "It would use ", PriceWords(question.credits), ", and needs a person's word. ",
              CapWords(session),
              ". This client cannot ask a person; who runs it can raise --spend-cap. Nothing was "
              "sent")};
}

template <class Response>
std::string Told(const Caller& caller, std::string_view sentence,
                 const absl::StatusOr<Response>& response) {
  if (!response.ok()) return ErrorResult(caller, ToolErrorOf(response.status()));
  return ToolResult(caller, sentence, json::ApiJson(*response));
}

}  // namespace

std::variant<std::string, ToAsk> ToolCalls::Call(const Tool& tool, const std::string& arguments,
                                                 const Caller& caller,
                                                 const PersonsWord* word) const {
  const std::unique_ptr<Message> request = face::NewMessage(*MethodOf(tool).input_type());
  std::vector<errors::Violation> wrong = json::ReadApi(arguments, *request, kReading);
  if (!wrong.empty()) {
    return ErrorResult(caller, ToolErrorOf(errors::Invalid(std::move(wrong))));
  }
  if (tool.kind == ToolKind::kSubmit) return Submit(tool, arguments, *request, caller, word);
  return Read(tool, *request, caller);
}

std::variant<std::string, ToAsk> ToolCalls::Submit(const Tool& tool, const std::string& arguments,
                                                   Message& request, const Caller& caller,
                                                   const PersonsWord* word) const {
  const auto* const field = request.GetDescriptor()->FindFieldByName("request_id");
  const auto& reflection = *request.GetReflection();
  std::string request_id = reflection.GetString(request, field);
  const std::string content = session_.RequestIdOf(tool.name, request);
  if (request_id.empty()) request_id = content;
  reflection.SetString(&request, field, request_id);

  std::optional<double> credits;
  if (session_.Look(request_id, content) == Session::Standing::kNew) {
    auto cost = CostOf(request, client_);
    if (!cost.ok()) return ErrorResult(caller, ToolErrorOf(cost.status()));
    credits = *cost;
  }
  const bool asked = word != nullptr && word->question.request_id == request_id &&
                     word->question.content == content && word->question.credits == credits;
  if (asked && !word->yes) {
    return ErrorResult(caller, {.code = "FAILED_PRECONDITION",
                                .reason = "CONFIRMATION_REFUSED",
                                .message = "A person was asked and has not said yes. Nothing was "
                                           "sent, and nothing is paid"});
  }
  const Session::Standing standing = session_.Take(request_id, content, credits, asked);
  if (standing == Session::Standing::kOther) {
    return ErrorResult(caller, IdOfAnother(request_id, session_.JobOf(request_id)));
  }
  if (standing == Session::Standing::kAsk) {
    Question question{.request_id = request_id,
                      .content = content,
                      .credits = credits,
                      .call_id = "",
                      .tool = std::string(tool.name),
                      .arguments = arguments};
    if (!caller.asks_people) return ErrorResult(caller, NeedsPerson(question, session_));
    std::string words = absl::StrCat(std::string(tool.name), " would use ", PriceWords(credits),
                                     ", and what else it counts for in Pictory's plan. ",
                                     CapWords(session_), ". Submit it?");
    return ToAsk{std::move(question), std::move(words)};
  }
  if (standing == Session::Standing::kFull) {
    return ErrorResult(caller, {.code = "RESOURCE_EXHAUSTED",
                                .reason = "TOO_MANY",
                                .message = absl::StrCat(
                                    "This session has made ", limits::kMcpSubmitsMax,
                                    " submits, and remembers no more; start another. Nothing was "
                                    "sent")});
  }
  const std::string before = session_.JobOf(request_id);
  const absl::StatusOr<v1::Job> job = client_.Submit(request);
  if (!job.ok()) {
    const bool open = pictory_jobs::MayHaveBeenTaken(job.status());
    if (standing == Session::Standing::kNew && !open) session_.NotSent(request_id);
    return ErrorResult(caller, ToolErrorOf(job.status()));
  }
  session_.Accepted(request_id, content, job->job_id(), credits);
  Learn(*job);
  const std::string note = before == job->job_id() ? kNothingPaid : "";
  if (caller.modern && caller.tasks) return NewTask(*job, note);
  const std::string sentence = absl::StrCat(note, note.empty() ? "" : " ", JobSentence(*job));
  return ToolResult(caller, sentence, JobAnswer(*job, note));
}

std::string ToolCalls::Read(const Tool& tool, const Message& request, const Caller& caller) const {
  switch (tool.kind) {
    case ToolKind::kGet: {
      const auto& get = static_cast<const v1::GetJobRequest&>(request);
      const absl::StatusOr<v1::Job> job = client_.Get(get.job_id(), get.view());
      if (!job.ok()) return ErrorResult(caller, ToolErrorOf(job.status()));
      Learn(*job);
      return ToolResult(caller, JobSentence(*job), JobAnswer(*job));
    }
    case ToolKind::kDelete: {
      const auto& one = static_cast<const v1::DeleteJobRequest&>(request);
      const absl::StatusOr<v1::Job> job =
          one.cancel_only() ? client_.Cancel(one.job_id()) : client_.Delete(one.job_id());
      if (!job.ok()) return ErrorResult(caller, ToolErrorOf(job.status()));
      Learn(*job);
      return ToolResult(caller, JobSentence(*job), JobAnswer(*job));
    }
    case ToolKind::kList: {
      v1::ListJobsRequest list = static_cast<const v1::ListJobsRequest&>(request);
      list.set_page_size(list.page_size() == 0 ? limits::kMcpListDefault
                                               : std::min(list.page_size(), limits::kMcpListMax));
      const auto page = client_.ListPage(list);
      const int count = page.ok() ? page->jobs_size() : 0;
      for (int i = 0; i < count; ++i) Learn(page->jobs(i));
      return Told(caller, absl::StrCat(count, count == 1 ? " job." : " jobs."), page);
    }
    case ToolKind::kUsage:
      return Told(caller, CapWords(session_) + ".",
                  client_.Usage(static_cast<const v1::GetUsageRequest&>(request)));
    default:
      return ReadPart(request, caller);
  }
}

std::string ToolCalls::ReadPart(const Message& request, const Caller& caller) const {
  const auto& read = static_cast<const v1::ReadJobResultRequest&>(request);
  std::string text;
  std::int32_t total = 0;
  const auto take = [&](std::string_view piece, std::int32_t total_bytes) {
    total = total_bytes;
    text.append(piece.substr(0, limits::kMcpReadMaxBytes - text.size()));
    return text.size() < limits::kMcpReadMaxBytes;
  };
  const absl::StatusOr<std::int32_t> whole =
      client_.ReadResult(read.job_id(), read.part(), take, read.offset());
  const bool full = text.size() == limits::kMcpReadMaxBytes;
  if (!whole.ok() && !full) return ErrorResult(caller, ToolErrorOf(whole.status()));
  if (whole.ok()) total = *whole;
  if (full) text.resize(text.size() - UnfinishedBytes(text));
  const std::int32_t next = read.offset() + static_cast<std::int32_t>(text.size());
  std::string answer;
  json::Writer out(answer);
  out.StartObject();
  out.Key("text");
  out.String(CleanLines(text));
  out.Key("offset");
  out.Int(read.offset());
  out.Key("totalBytes");
  out.Int(total);
  if (next < total) {
    out.Key("nextOffset");
    out.Int(next);
  }
  out.EndObject();
  const std::string sentence =
      absl::StrCat("Bytes ", read.offset(), " to ", next, " of ", total, ".");
  return ToolResult(caller, sentence, answer);
}

void ToolCalls::Learn(const pictory_jobs::Job& job) const {
  // A job that succeeded without a word of credits has used none, as the gateway counts it.
  if (job.has_credits_used() || job.state() == v1::JOB_STATE_SUCCEEDED) {
    session_.Used(job.job_id(), job.credits_used());
  }
}

absl::StatusOr<pictory_jobs::Job> ToolCalls::Task(const std::string& job_id) const {
  absl::StatusOr<v1::Job> job = client_.Get(job_id);
  if (job.ok()) Learn(*job);
  return job;
}

std::string ToolCalls::Cancel(const std::string& job_id) const {
  const absl::StatusOr<v1::Job> job = client_.Get(job_id);
  if (!job.ok()) return absl::StrCat("Nothing was cancelled: ", ToolErrorOf(job.status()).message);
  if (job->state() != v1::JOB_STATE_WAITING) {
    return absl::StrCat("Nothing was cancelled. ", JobSentence(*job));
  }
  const absl::StatusOr<v1::Job> ended = client_.Cancel(job_id);
  if (ended.ok()) return JobSentence(*ended);
  return absl::StrCat("Nothing was cancelled: ", ToolErrorOf(ended.status()).message);
}

}  // namespace gateway::mcp
