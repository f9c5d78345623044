#include "pictory/client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "pictory/envelope.h"
#include "pictory/http_reply.h"

namespace gateway::pictory {
namespace {

// Pictory's job resource is v1 for jobs of either generation.
constexpr char kJobs[] = "/v1/jobs";
constexpr char kQuota[] = "/v1/quota";
constexpr char kUserAgent[] = "Mozilla/5.0 (compatible; pictory-gateway/0.1)";
constexpr std::chrono::seconds kRetryLater{5};

bool Says401(const http::Response& response) {
  return response.outcome == http::Response::Outcome::kComplete && response.status == 401;
}

std::unique_ptr<Credentials> MakeCredentials(ClientOptions& options, const std::string& user_agent,
                                             http::HttpTransport& transport, const Clock& clock) {
  if (!options.oauth.has_value()) return std::make_unique<ApiKey>(std::move(options.api_key));
  return std::make_unique<AccessTokens>(
      *std::move(options.oauth), user_agent,
      TokenEvents{.fetching = options.extra_request, .fetched = std::move(options.token_fetched)},
      transport, clock);
}

}  // namespace

PictoryClient::PictoryClient(ClientOptions options, http::HttpTransport& transport,
                             const Clock& clock)
    : user_agent_(options.user_agent.empty() ? kUserAgent : options.user_agent),
      extra_request_(options.extra_request),
      transport_(transport),
      clock_(clock),
      credentials_(MakeCredentials(options, user_agent_, transport, clock)) {}

http::Request PictoryClient::MakeRequest(http::Lane lane, std::string method,
                                         std::string path) const {
  http::Request request;
  request.lane = lane;
  request.method = std::move(method);
  request.path = std::move(path);
  request.headers = {{"User-Agent", user_agent_}, {"Accept", "application/json"}};
  return request;
}

void PictoryClient::Read(http::Request request, ReadDone done) {
  credentials_->Authorize([this, request = std::move(request), done = std::move(done)](
                              const absl::StatusOr<Authorization>& authorization) {
    if (!authorization.ok()) return done(authorization.status());
    ReadWith(*authorization, request, /*again=*/true, done);
  });
}

void PictoryClient::ReadWith(const Authorization& authorization, http::Request request, bool again,
                             ReadDone done) {
  http::Request authorized = request;
  authorization.PutOn(authorized);
  transport_.Start(
      std::move(authorized),
      [this, again, generation = authorization.generation, request = std::move(request),
       done = std::move(done)](http::Response response) {
        if (!Says401(response) || !credentials_->Refused(generation) || !again) {
          return done(std::move(response));
        }
        credentials_->Authorize(
            [this, request, done](const absl::StatusOr<Authorization>& renewed) {
              if (!renewed.ok()) return done(renewed.status());
              if (extra_request_) extra_request_();
              ReadWith(*renewed, request, /*again=*/false, done);
            });
      });
}

absl::Status PictoryClient::StatusOf(const absl::StatusOr<http::Response>& response) const {
  return response.ok() ? ReadCallStatus(*response, clock_.WallNow()) : response.status();
}

void PictoryClient::Submit(Submission submission, const Authorization& authorization,
                           MonoTime start_by, std::function<void(SubmitReply)> done) {
  http::Request request =
      MakeRequest(http::Lane::kPaid, std::move(submission.method), std::move(submission.path));
  if (submission.body != nullptr) {
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = std::move(submission.body);
  }
  authorization.PutOn(request);
  request.timeout = limits::kSubmitTimeout;
  request.start_by = start_by;
  request.max_body_bytes = limits::kSubmitReplyMaxBytes;
  transport_.Start(std::move(request), [this, generation = authorization.generation,
                                        done = std::move(done)](const http::Response& response) {
    SubmitReply reply = ReadSubmitReply(response, clock_.WallNow());
    reply.token_refused = Says401(response) && credentials_->Refused(generation);
    done(std::move(reply));
  });
}

void PictoryClient::GetJob(const std::string& pictory_job_id, ::pictory::jobs::v1::JobKind kind,
                           std::uint64_t last_digest, std::function<void(JobReply)> done) {
  http::Request request = MakeRequest(http::Lane::kRead, "GET",
                                      absl::StrCat(kJobs, "/", PercentEncode(pictory_job_id)));
  Read(std::move(request), [this, kind, last_digest, done = std::move(done)](
                               const absl::StatusOr<http::Response>& response) {
    done(response.ok() ? ReadJobReply(*response, kind, last_digest, clock_.WallNow())
                       : ReadAuthorizeError(response.status()));
  });
}

void PictoryClient::CleanJob(const std::string& pictory_job_id,
                             std::function<void(absl::Status)> done) {
  http::Request request =
      MakeRequest(http::Lane::kRead, "DELETE",
                  absl::StrCat(kJobs, "/", PercentEncode(pictory_job_id), "/clean"));
  request.max_body_bytes = limits::kSubmitReplyMaxBytes;
  Read(std::move(request), [this, done = std::move(done)](
                               const absl::StatusOr<http::Response>& response) {
    const absl::Status status = StatusOf(response);
    // What Pictory does not have needs no removing.
    done(absl::IsNotFound(status) ? absl::OkStatus() : status);
  });
}

void PictoryClient::ListJobs(const std::string& page_key,
                             std::function<void(absl::StatusOr<JobList>)> done) {
  std::string path = kJobs;
  // The key is base 64, whose `+`, `/` and `=` mean something else in a query.
  if (!page_key.empty()) absl::StrAppend(&path, "?nextPageKey=", PercentEncode(page_key));
  http::Request request = MakeRequest(http::Lane::kRead, "GET", std::move(path));
  request.max_body_bytes = limits::kListReplyMaxBytes;
  Read(std::move(request), [this, done = std::move(done)](
                               const absl::StatusOr<http::Response>& response) {
    const absl::Status status = StatusOf(response);
    if (!status.ok()) return done(status);
    done(ReadJobList(response->body));
  });
}

void PictoryClient::Probe(std::function<void(absl::Status)> done) {
  http::Request request = MakeRequest(http::Lane::kRead, "GET", kQuota);
  request.max_body_bytes = limits::kSubmitReplyMaxBytes;
  Read(std::move(request),
       [this, done = std::move(done)](const absl::StatusOr<http::Response>& response) {
         done(StatusOf(response));
       });
}

absl::Status ReadCallStatus(const http::Response& response, WallTime now) {
  Duration retry = RetryAfter(response, now);
  if (retry == Duration::zero()) retry = kRetryLater;
  const bool complete = response.outcome == http::Response::Outcome::kComplete;
  if (complete && response.status == 401) return errors::UpstreamCredentials(Describe(response));
  if (complete && response.status == 429) return errors::UpstreamRateLimited(retry);
  if (!complete || (!IsSuccess(response) && !HasJsonObject(response) && response.status != 404)) {
    return errors::UpstreamUnreachable(Describe(response), retry);
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
    return errors::UpstreamUnreachable(Describe(response), retry);
  }
  // Lists and numbers come without a shell, and an empty body is fine too.
  if (IsSuccess(response) && !(envelope.ok() && envelope->success == false))
    return absl::OkStatus();
  const std::string text =
      envelope.ok() && !envelope->error_message.empty() ? ": " + envelope->error_message : "";
  return errors::UpstreamRefused(absl::StatusCode::kFailedPrecondition, "UPSTREAM_REFUSED",
                                 absl::StrCat("Pictory refused (", Describe(response), ")", text),
                                 envelope.ok() ? envelope->error_code : "", response.status, {});
}

}  // namespace gateway::pictory
