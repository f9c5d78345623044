#include "fuzz/targets.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "app/config_file.h"
#include "base/host_port.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/trace_context.h"
#include "fuzz/face_targets.h"
#include "fuzz/identity_targets.h"
#include "fuzz/promises.h"
#include "http/request_check.h"
#include "json/check.h"
#include "pictory/billing_calls.h"
#include "pictory/envelope.h"
#include "pictory/http_reply.h"
#include "pictory/job_list.h"
#include "pictory/job_reply.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/preview_update.h"
#include "pictory/project_calls.h"
#include "pictory/submit_reply.h"
#include "pictory/template_calls.h"
#include "pictory/token_reply.h"
#include "pictory/translate.h"
#include "pictory/url_rules.h"
#include "pictory/webhook_call.h"
#include "watch/resume_token.h"

namespace gateway::fuzz {
namespace {

namespace v1 = ::pictory::jobs::v1;

bool IsVisible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

http::Response ResponseOf(std::string_view input) {
  constexpr int kStatuses[] = {200, 200, 200, 201, 400, 401, 403, 404, 422, 429, 500, 503};
  http::Response response;
  response.outcome = http::Response::Outcome::kComplete;
  response.status = kStatuses[TakeByte(input) % std::size(kStatuses)];
  response.body = std::string(input);
  return response;
}

void Job(std::string_view input) {
  const auto kind = static_cast<v1::JobKind>(TakeByte(input) % v1::JobKind_ARRAYSIZE);
  const pictory::JobReply reply = pictory::ReadJobReply(ResponseOf(input), kind, 0, WallTime{});
  Must(reply.kind != pictory::JobReply::Kind::kSucceeded || reply.result != nullptr,
       "who succeeded has a result");
  if (reply.result == nullptr) return;
  v1::Job job;
  Must(job.ParseFromString(reply.result->basic_wire), "the result is a job's wire bytes");
  for (const auto& part : reply.result->parts) {
    if (part.part != v1::RESULT_PART_RESULT_JSON) continue;
    Must(json::Check(part.bytes, pictory::kReplyLimits).ok(), "the whole result is JSON");
  }
}

void Submit(std::string_view input) {
  const pictory::SubmitReply reply = pictory::ReadSubmitReply(ResponseOf(input), WallTime{});
  using Outcome = pictory::SubmitReply::Outcome;
  Must((reply.outcome == Outcome::kAccepted) == IsUpstreamId(reply.pictory_job_id),
       "an accepted job has an id, and no other has");
  Must(reply.hinted_job_id.empty() || IsUpstreamId(reply.hinted_job_id), "a hint is an id");
  Must((reply.outcome == Outcome::kRefused || reply.outcome == Outcome::kNotSent) ==
           !reply.error.ok(),
       "who was refused has an error");
}

void Token(std::string_view input) {
  const pictory::TokenReply reply = pictory::ReadTokenReply(ResponseOf(input), WallTime{});
  if (reply.kind != pictory::TokenReply::Kind::kToken) return;
  const std::string& token = reply.token.Reveal();
  Must(!token.empty() && token.size() <= limits::kTokenMaxBytes && IsVisible(token),
       "a token can stand in a header");
  Must(reply.life > Duration::zero(), "a token lives");
}

void List(std::string_view input) {
  const auto list = pictory::ReadJobList(input);
  if (!list.ok()) return;
  for (const auto& job : list->jobs) {
    Must(IsUpstreamId(job.pictory_job_id), "a listed job has an id");
  }
}

void Account(std::string_view input) {
  ::pictory::jobs::v1::GetAccountResponse account;
  if (pictory::ReadQuota(input, account).ok() && account.has_ai_credits_left()) {
    Must(!(account.ai_credits_left() < 0), "no less than nothing is left");
  }
  static_cast<void>(pictory::ReadCharges(input, account));
  Must(account.transactions_size() <= limits::kTransactionsMax, "charges are bounded");
  const auto page = pictory::ReadProjects(input, false);
  if (page.ok()) {
    Must(page->next_page_token().size() <= limits::kPageTokenMaxBytes, "a token can go back");
    for (const auto& project : page->projects()) {
      Must(project.video_url().empty() || pictory::IsLink(project.video_url(), false),
           "what is a link may be given as one");
    }
  }
  const auto templates = pictory::ReadTemplates(input);
  Must(!templates.ok() || templates->templates_size() <= limits::kTemplatesMax,
       "templates are bounded");
  static_cast<void>(pictory::ReadProject(input, false));
  static_cast<void>(pictory::ReadNewTemplate(input));
}

void ReadAnEnvelope(std::string_view input) {
  const auto envelope = pictory::ReadEnvelope(input);
  if (!envelope.ok()) return;
  Must(envelope->job_id.empty() || IsUpstreamId(envelope->job_id), "an id is one");
  if (!envelope->progress_percent.has_value()) return;
  Must(*envelope->progress_percent >= 0 && *envelope->progress_percent <= 100, "progress is 0-100");
}

void Webhook(std::string_view input) {
  const std::string id = pictory::JobIdOfWebhookCall(input);
  Must(id.empty() || IsUpstreamId(id), "the id of a webhook call is one");
}

void Ids(std::string_view input) {
  for (const char c : PercentEncode(input)) {
    Must(IsVisible({&c, 1}) && c != '/' && c != '?' && c != '#', "an id stays in its segment");
  }
  if (IsCallerId(input)) Must(PercentEncode(input) == input, "a caller's id needs no encoding");
  if (pictory::UrlProblem(input, false).empty()) {
    const std::string lower = absl::AsciiStrToLower(std::string(input.substr(0, 8)));
    Must(lower == "https://" || lower.rfind("http://", 0) == 0, "a URL of the web");
    Must(std::none_of(input.begin(), input.end(),
                      [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }),
         "a URL is one line");
  }
  const std::string text(input);
  if (const auto url = http::ParseBaseUrl(text, true); url.ok()) {
    Must(IsVisible(url->text) && !url->text.ends_with('/'), "a path can be appended");
    const auto again = http::ParseBaseUrl(url->text, true);
    Must(again.ok() && again->text == url->text, "a base URL stays as it is");
  }
  if (const auto parsed = ParseHostPort(input); parsed.ok()) {
    const auto again = ParseHostPort(parsed->ToString());
    Must(again.ok() && again->host == parsed->host && again->port == parsed->port,
         "an address reads as it is written");
  }
}

void RetryAfter(std::string_view input) {
  http::Response response;
  response.status = 429;
  response.headers = {{"retry-after", std::string(input)}};
  const Duration after = pictory::RetryAfter(response, WallTime{});
  Must(after == Duration::zero() ||
           (after >= limits::kRetryAfterMin && after <= limits::kRetryAfterMax),
       "a pause is within its bounds");
}

// Of an input the first byte says which headers its lines are.
void Trace(std::string_view input) {
  const unsigned char which = TakeByte(input);
  std::vector<std::string_view> lines;
  for (std::string_view rest = input;;) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines.push_back(rest.substr(0, end));
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  lines.resize(std::max<std::size_t>(lines.size(), 4));
  TraceHeaders headers;
  if (which == 'b') {
    headers.b3 = input;
  } else if (which == 's') {
    headers.b3_trace_id = lines[0];
    headers.b3_span_id = lines[1];
    headers.b3_sampled = lines[2];
    headers.b3_flags = lines[3];
  } else {
    headers.traceparent = lines[0];
    headers.tracestate = lines[1];
  }
  const TraceContext context = ReadTraceContext(headers);
  const std::string stored = StoredTrace(context);
  Must(ReadStoredTrace(stored) == context, "a trace is stored as it is");
  Must(TraceIdOf(stored) == context.trace_id, "a stored trace has its id");
  Must(context.state.size() <= limits::kTraceStateMaxBytes, "a state is short");
  Must(ReadTraceState(context.state) == context.state, "a state stays as it is");
  Must(std::all_of(stored.begin(), stored.end(), [](char c) { return c >= ' ' && c <= '~'; }),
       "a trace is one line of plain text");
  http::Request call;
  call.method = "POST";
  call.path = "/";
  if (context) call.headers = {{"traceparent", Traceparent(context)}};
  Must(http::CheckRequest(call).empty(), "a trace fits into a header");
}

void ResumeToken(std::string_view input) {
  const auto token = watch::ReadResumeToken(input);
  if (!token.has_value()) return;
  Must(!token->position.empty(), "a token names a place");
  Must(token->last_job_id.empty() || IsCallerId(token->last_job_id), "a job in a token has an id");
  Must(token->last_job_id.empty() || token->listing, "only a list has a last job");
  Must(watch::ReadResumeToken(watch::TextOf(*token)) == token, "a token reads as it is written");
}

void Config(std::string_view input) {
  const app::ConfigFile file = app::ParseConfigFile("f", input);
  int last = 0;
  for (const app::ConfigLine& line : file.lines) {
    Must(!line.key.empty() && !line.value.empty() && line.number >= last, "a line says something");
    last = line.number;
    for (const std::string& each : app::SplitList(line.value)) static_cast<void>(each);
  }
}

template <class Request>
void Translated(const Request& request) {
  for (const v1::PathVersion version : {v1::PATH_VERSION_V2, v1::PATH_VERSION_V1}) {
    pictory::TranslateOptions options;
    for (int kind = 0; kind < v1::JobKind_ARRAYSIZE; ++kind) {
      if (v1::JobKind_IsValid(kind)) options.versions[static_cast<v1::JobKind>(kind)] = version;
    }
    if (!pictory::Validate(request, options).empty()) continue;
    const auto submission =
        pictory::Translate(request, "p", "https://h.example.com/w", options, "[]");
    if (!submission.ok()) continue;
    http::Request call;
    call.method = submission->method;
    call.path = submission->path;
    Must(http::CheckRequest(call).empty(), "what is sent is one request");
    const std::string& body = *submission->body;
    Must(body.empty() || json::Check(body).ok(), "what is sent is JSON");
  }
}

void Changed(const v1::UpdatePreviewRequest& request) {
  if (!pictory::Validate(request, {}).empty()) return;
  const auto sent = pictory::PreviewUpdate(request, "p");
  if (!sent.ok()) return;
  http::Request call;
  call.method = sent->method;
  call.path = sent->path;
  Must(http::CheckRequest(call).empty(), "what is sent is one request");
  // Elements come from a result of Pictory's and go back as they are.
  json::Limits as_pictory_writes;
  as_pictory_writes.reading = json::Reading::kForgiving;
  Must(json::Check(*sent->body, as_pictory_writes).ok(), "what is sent is JSON");
}

// Protobuf's own bytes, or a raw text in the place of the fields.
void Request(std::string_view input) {
  const unsigned char which = TakeByte(input);
  const std::string text(input);
  switch (which % 12) {
    case 0: {
      v1::CreatePreviewRequest request;
      if (request.ParseFromString(text)) Translated(request);
      break;
    }
    case 1: {
      v1::RenderRequest request;
      if (request.ParseFromString(text)) Translated(request);
      break;
    }
    case 2: {
      v1::TranscribeRequest request;
      if (request.ParseFromString(text)) Translated(request);
      break;
    }
    case 3: {
      v1::SummarizeRequest request;
      if (request.ParseFromString(text)) Translated(request);
      break;
    }
    case 4:
    case 5: {
      v1::CreatePreviewRequest request;
      request.set_storyboard_json(text);
      Translated(request);
      break;
    }
    case 6: {
      v1::RenderRequest request;
      request.set_preview_job_id("ours");
      request.set_extra_json(text);
      Translated(request);
      break;
    }
    case 7: {
      v1::SummarizeRequest request;
      request.set_transcript_json(text);
      request.set_highlight_duration_seconds(30);
      Translated(request);
      break;
    }
    case 8: {
      v1::GenerateImageRequest request;
      if (request.ParseFromString(text)) Translated(request);
      break;
    }
    case 9: {
      v1::GenerateVideoRequest request;
      if (request.ParseFromString(text)) Translated(request);
      break;
    }
    case 10: {
      v1::UpdatePreviewRequest request;
      if (request.ParseFromString(text)) Changed(request);
      break;
    }
    default: {
      v1::UpdatePreviewRequest request;
      request.set_job_id("ours");
      request.set_elements_json(text);
      Changed(request);
    }
  }
}

constexpr Target kTargets[] = {
    {"job_reply", Job},
    {"submit_reply", Submit},
    {"token_reply", Token},
    {"account", Account},
    {"job_list", List},
    {"envelope", ReadAnEnvelope},
    {"webhook_call", Webhook},
    {"ids_and_urls", Ids},
    {"retry_after", RetryAfter},
    {"resume_token", ResumeToken},
    {"config_file", Config},
    {"request", Request},
    {"trace_context", Trace},
    {"tenants_file", TenantsFile},
    {"xfcc", Xfcc},
    {"jwt", Jwt},
    {"key_set", KeySet},
    {"http_target", HttpTarget},
    {"api_body", ApiBody},
};

}  // namespace

std::span<const Target> Targets() { return kTargets; }

}  // namespace gateway::fuzz
