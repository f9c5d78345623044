#include "pictory/client.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "json/proto_writer.h"
#include "pictory/envelope.h"
#include "pictory/http_reply.h"
#include "pictory/job_result.h"
#include "pictory/upload.h"

namespace gateway::pictory {
namespace {

// Pictory's job resource is v1 for jobs of either API version.
constexpr char kJobs[] = "/v1/jobs";
constexpr char kQuota[] = "/v1/quota";
// Pictory's pages have both spellings, and do not say whether it takes both. The one of the present
// pages comes first.
constexpr std::array<const char*, 2> kUploads = {"/v1/media/generateurl", "/v1/media/generateUrl"};
constexpr char kUserAgent[] = "Mozilla/5.0 (compatible; pictory-gateway/0.1)";

bool Says401(const http::Response& response) {
  return response.outcome == http::Response::Outcome::kComplete && response.status == 401;
}

bool Never() { return false; }

std::unique_ptr<Credentials> MakeCredentials(const ClientOptions& options,
                                             const std::string& user_agent,
                                             http::HttpTransport& transport, const Clock& clock) {
  if (!options.oauth.has_value()) return std::make_unique<ApiKey>(options.api_key);
  return std::make_unique<AccessTokens>(
      *options.oauth, user_agent,
      TokenEvents{.fetching = options.extra_request, .fetched = options.token_fetched}, transport,
      clock);
}

}  // namespace

PictoryClient::PictoryClient(ClientOptions options, http::HttpTransport& transport,
                             const Clock& clock)
    : user_agent_(options.user_agent.empty() ? kUserAgent : options.user_agent),
      allow_loopback_urls_(options.allow_loopback_urls),
      max_job_reply_bytes_(options.max_job_reply_bytes),
      reader_(options.reader),
      extra_request_(options.extra_request),
      may_repeat_(options.may_repeat),
      transport_(transport),
      clock_(clock),
      credentials_(MakeCredentials(options, user_agent_, transport, clock)) {
  secrets_.Add(options.oauth.has_value() ? options.oauth->client_secret : options.api_key);
}

void PictoryClient::ReplaceSecret(Secret secret) {
  secrets_.Add(secret);
  credentials_->Replace(std::move(secret));
}

http::Request PictoryClient::MakeRequest(http::Lane lane, const char* purpose, std::string method,
                                         std::string path) const {
  http::Request request;
  request.lane = lane;
  request.purpose = purpose;
  request.method = std::move(method);
  request.path = std::move(path);
  request.headers = {{"User-Agent", user_agent_}, {"Accept", "application/json"}};
  return request;
}

void PictoryClient::Authorize(Credentials::Ready ready) {
  credentials_->Authorize(
      [this, ready = std::move(ready)](absl::StatusOr<Authorization> authorization) {
        if (errors::Reason(authorization.status()) == errors::kUpstreamCredentials) NoteRefused();
        if (authorization.ok()) secrets_.Add(authorization->value);
        ready(std::move(authorization));
      });
}

void PictoryClient::Read(http::Request request, ReadDone done) {
  if (request.method == "POST") {
    request.may_repeat = Never;
  } else if (!request.may_repeat) {
    request.may_repeat = may_repeat_;
  }
  auto call = std::make_shared<const ReadCall>(ReadCall{std::move(request), std::move(done)});
  Authorize([this, call](const absl::StatusOr<Authorization>& authorization) {
    if (!authorization.ok()) return call->done(authorization.status());
    ReadWith(*authorization, call, /*again=*/true);
  });
}

void PictoryClient::ReadWith(const Authorization& authorization,
                             std::shared_ptr<const ReadCall> call, bool again) {
  http::Request authorized = call->request;
  authorization.PutOn(authorized);
  transport_.Start(std::move(authorized), [this, again, generation = authorization.generation,
                                           call = std::move(call)](http::Response response) {
    for (int i = 0; i < response.repeats && extra_request_; ++i) extra_request_();
    const bool refused = Says401(response);
    if (!refused || !credentials_->Refused(generation) || !again) {
      if (refused) NoteRefused();
      return call->done(std::move(response));
    }
    // The token is being renewed, so nothing is said against the credentials themselves.
    if (may_repeat_ && !may_repeat_()) {
      return call->done(errors::UpstreamUnreachable("the access token was refused and is renewed",
                                                    limits::kRetryAfterMin, errors::Call::kFree));
    }
    Authorize([this, call](const absl::StatusOr<Authorization>& renewed) {
      if (!renewed.ok()) return call->done(renewed.status());
      if (extra_request_) extra_request_();
      ReadWith(*renewed, call, /*again=*/false);
    });
  });
}

PictoryClient::ReadDone PictoryClient::Aside(ReadDone read) const {
  if (reader_ == nullptr) return read;
  return [reader = reader_, read = std::move(read)](absl::StatusOr<http::Response> response) {
    if (!response.ok() || response->body.size() < limits::kReadAsideFromBytes) {
      return read(std::move(response));
    }
    // Shared, because a task must be copyable and a body should not be copied.
    auto kept = std::make_shared<absl::StatusOr<http::Response>>(std::move(response));
    reader->Post([read, kept] { read(std::move(*kept)); });
  };
}

PictoryClient::ReadDone PictoryClient::WithoutSecrets(ReadDone read) const {
  return [this, read = std::move(read)](absl::StatusOr<http::Response> response) {
    if (response.ok()) secrets_.TakeOutOf(*response);
    read(std::move(response));
  };
}

// An answer that tells of no result may quote the request, as any error text.
std::shared_ptr<const JobResult> PictoryClient::WithoutSecrets(const JobResult& raw) const {
  auto json = std::make_shared<std::string>(std::string_view(raw.parts.front().bytes));
  secrets_.TakeOutOf(*json);
  return MakeRawResult(json, *json);
}

absl::Status PictoryClient::StatusOf(const absl::StatusOr<http::Response>& response) const {
  return response.ok() ? ReadCallStatus(*response, clock_.WallNow()) : response.status();
}

void PictoryClient::Submit(Submission submission, const Authorization& authorization,
                           MonoTime start_by, std::function<void(SubmitReply)> done) {
  http::Request request = MakeRequest(http::Lane::kPaid, "submit", std::move(submission.method),
                                      std::move(submission.path));
  if (submission.body != nullptr) {
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = std::move(submission.body);
  }
  if (!submission.traceparent.empty()) {
    request.headers.push_back({"traceparent", std::move(submission.traceparent)});
  }
  authorization.PutOn(request);
  request.timeout = limits::kSubmitTimeout;
  request.start_by = start_by;
  request.may_send = std::move(submission.may_send);
  request.max_body_bytes = limits::kSubmitReplyMaxBytes;
  transport_.Start(std::move(request), [this, generation = authorization.generation,
                                        done = std::move(done)](http::Response response) {
    secrets_.TakeOutOf(response);
    SubmitReply reply = ReadSubmitReply(response, clock_.WallNow());
    const bool refused = Says401(response);
    reply.token_refused = refused && credentials_->Refused(generation);
    if (refused && !reply.token_refused) NoteRefused();
    done(std::move(reply));
  });
}

void PictoryClient::GetJob(const std::string& pictory_job_id, ::pictory::jobs::v1::JobKind kind,
                           std::uint64_t last_digest, std::function<void(JobReply)> done,
                           ReplySize size, Duration timeout) {
  http::Request request = MakeRequest(http::Lane::kRead, "poll", "GET",
                                      absl::StrCat(kJobs, "/", PercentEncode(pictory_job_id)));
  request.max_body_bytes = max_job_reply_bytes_;
  if (size == ReplySize::kSmall) {
    request.max_body_bytes = std::min(request.max_body_bytes, limits::kSmallReplyMaxBytes);
    request.timeout = timeout;
  } else {
    request.timeout = limits::kLargePollTimeout;
  }
  Read(std::move(request), Aside([this, kind, last_digest, size,
                                  done = std::move(done)](absl::StatusOr<http::Response> response) {
         if (!response.ok()) return done(ReadAuthorizeError(response.status()));
         JobReply reply = ReadJobReply(*std::move(response), kind, last_digest, clock_.WallNow(),
                                       allow_loopback_urls_);
         if (reply.kind == JobReply::Kind::kTooLarge && size == ReplySize::kSmall) {
           reply.kind = JobReply::Kind::kLarge;
         }
         for (std::string* text :
              {&reply.message, &reply.error_code, &reply.error_message, &reply.detail}) {
           secrets_.TakeOutOf(*text);
         }
         if (HoldsAnErrorText(reply)) reply.result = WithoutSecrets(*reply.result);
         done(std::move(reply));
       }));
}

void PictoryClient::CleanJob(const std::string& pictory_job_id,
                             std::function<void(absl::Status)> done) {
  http::Request request =
      MakeRequest(http::Lane::kRead, "clean", "DELETE",
                  absl::StrCat(kJobs, "/", PercentEncode(pictory_job_id), "/clean"));
  request.max_body_bytes = limits::kSubmitReplyMaxBytes;
  Read(std::move(request), WithoutSecrets([this, done = std::move(done)](
                                              const absl::StatusOr<http::Response>& response) {
         const absl::Status status = StatusOf(response);
         // What Pictory does not have needs no deleting.
         done(absl::IsNotFound(status) ? absl::OkStatus() : status);
       }));
}

void PictoryClient::ListJobs(const std::string& page_key,
                             std::function<void(absl::StatusOr<JobList>)> done) {
  std::string path = kJobs;
  // The key is base 64, whose `+`, `/` and `=` mean something else in a query.
  if (!page_key.empty()) absl::StrAppend(&path, "?nextPageKey=", PercentEncode(page_key));
  http::Request request = MakeRequest(http::Lane::kRead, "list", "GET", std::move(path));
  request.max_body_bytes = limits::kListReplyMaxBytes;
  Read(std::move(request),
       Aside(WithoutSecrets(
           [this, done = std::move(done)](const absl::StatusOr<http::Response>& response) {
             const absl::Status status = StatusOf(response);
             if (!status.ok()) return done(status);
             done(ReadJobList(response->body));
           })));
}

void PictoryClient::CreateUpload(
    const ::pictory::jobs::v1::CreateUploadRequest& request,
    std::function<void(absl::StatusOr<::pictory::jobs::v1::CreateUploadResponse>)> done) {
  ::pictory::jobs::v1::CreateUploadRequest whole = request;
  whole.set_content_type(ContentTypeOf(request));
  absl::StatusOr<std::string> body = json::ToJson(whole);
  if (!body.ok()) return done(errors::Internal(std::string(body.status().message())));
  AskForUpload(std::make_shared<const std::string>(*std::move(body)), whole.content_type(),
               upload_spelling_.load(), std::move(done));
}

void PictoryClient::AskForUpload(
    std::shared_ptr<const std::string> body, std::string content_type, std::size_t spelling,
    std::function<void(absl::StatusOr<::pictory::jobs::v1::CreateUploadResponse>)> done) {
  http::Request request = MakeRequest(http::Lane::kRead, "upload", "POST", kUploads[spelling]);
  request.headers.push_back({"Content-Type", "application/json"});
  request.body = body;
  request.max_body_bytes = limits::kSubmitReplyMaxBytes;
  Read(std::move(request),
       WithoutSecrets([this, body, content_type, spelling, asked = clock_.WallNow(),
                       done = std::move(done)](const absl::StatusOr<http::Response>& response) {
         if (!response.ok()) return done(response.status());
         const bool answered = response->outcome == http::Response::Outcome::kComplete;
         if (answered && response->status == 404 && spelling == 0) {
           return AskForUpload(body, content_type, 1, done);
         }
         if (answered && response->status != 404) upload_spelling_ = spelling;
         done(ReadUploadReply(*response, content_type, asked, allow_loopback_urls_));
       }));
}

void PictoryClient::Ask(FreeCall call, std::function<void(absl::StatusOr<std::string>)> done) {
  http::Request request =
      MakeRequest(http::Lane::kRead, "free", std::move(call.method), std::move(call.path));
  if (call.body != nullptr) {
    request.headers.push_back({"Content-Type", call.content_type});
    request.body = std::move(call.body);
    request.timeout = limits::kSubmitTimeout;
  }
  request.max_body_bytes = call.max_reply_bytes;
  if (call.shown_by != nullptr) request.may_repeat = Never;
  Read(std::move(request),
       Aside(WithoutSecrets([this, shown_by = call.shown_by, done = std::move(done)](
                                const absl::StatusOr<http::Response>& response) {
         if (!response.ok()) return done(response.status());
         const absl::Status status = ReadFreeStatus(*response, shown_by, clock_.WallNow());
         if (!status.ok()) return done(status);
         done(response->body);
       })));
}

void PictoryClient::Probe(std::function<void(absl::Status)> done) {
  http::Request request = MakeRequest(http::Lane::kRead, "probe", "GET", kQuota);
  request.max_body_bytes = limits::kSubmitReplyMaxBytes;
  Read(std::move(request), WithoutSecrets([this, done = std::move(done)](
                                              const absl::StatusOr<http::Response>& response) {
         done(StatusOf(response));
       }));
}

absl::Status ReadCallStatus(const http::Response& response, WallTime now) {
  Duration retry = RetryAfter(response, now);
  if (retry == Duration::zero()) retry = limits::kUpstreamRetryLater;
  const bool complete = response.outcome == http::Response::Outcome::kComplete;
  if (complete && response.status == 401) return errors::UpstreamCredentials(Describe(response));
  if (complete && response.status == 429)
    return errors::UpstreamRateLimited(retry, errors::Call::kFree);
  if (!complete || (!IsSuccess(response) && !HasJsonObject(response) && response.status != 404)) {
    return errors::UpstreamUnreachable(Describe(response), retry, errors::Call::kFree);
  }
  const absl::StatusOr<Envelope> envelope = ReadEnvelope(response.body);
  const bool not_found = response.status == 404 || (envelope.ok() && envelope->SaysNotFound());
  if (not_found) {
    return errors::UpstreamRefused(absl::StatusCode::kNotFound, "UPSTREAM_NOT_FOUND",
                                   "Pictory does not know this job", "JOB_NOT_FOUND",
                                   response.status, {});
  }
  if (response.status == 403) return errors::UpstreamCredentials(Describe(response));
  if (!IsSuccess(response) && !IsClientError(response)) {
    return errors::UpstreamUnreachable(Describe(response), retry, errors::Call::kFree);
  }
  // Lists and numbers come without an envelope, and an empty body is fine too.
  if (IsSuccess(response) && !(envelope.ok() && envelope->success == false))
    return absl::OkStatus();
  const std::string text =
      envelope.ok() && !envelope->error_message.empty() ? ": " + envelope->error_message : "";
  return errors::UpstreamRefused(absl::StatusCode::kFailedPrecondition, "UPSTREAM_REFUSED",
                                 absl::StrCat("Pictory refused (", Describe(response), ")", text),
                                 envelope.ok() ? envelope->error_code : "", response.status, {});
}

}  // namespace gateway::pictory
