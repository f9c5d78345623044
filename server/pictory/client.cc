#include "pictory/client.h"

#include <algorithm>
#include <memory>
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

}  // namespace

PictoryClient::PictoryClient(ClientOptions options, http::HttpTransport& transport,
                             const Clock& clock)
    : user_agent_(options.user_agent.empty() ? kUserAgent : std::move(options.user_agent)),
      max_job_reply_bytes_(options.max_job_reply_bytes),
      reader_(options.reader),
      credentials_(std::move(options.api_key)),
      transport_(transport),
      clock_(clock) {}

http::Request PictoryClient::MakeRequest(http::Lane lane, std::string method,
                                         std::string path) const {
  http::Request request;
  request.lane = lane;
  request.method = std::move(method);
  request.path = std::move(path);
  request.headers = {{"User-Agent", user_agent_}, {"Accept", "application/json"}};
  return request;
}

void PictoryClient::Send(http::Request request, http::HttpTransport::Done done) {
  credentials_.Authorize(std::move(request), [&](absl::StatusOr<http::Request> authorized) {
    if (authorized.ok()) {
      transport_.Start(*std::move(authorized), std::move(done));
      return;
    }
    http::Response refused;
    refused.outcome = http::Response::Outcome::kNotSent;
    refused.error = std::string(authorized.status().message());
    done(std::move(refused));
  });
}

http::HttpTransport::Done PictoryClient::Aside(http::HttpTransport::Done read) const {
  if (reader_ == nullptr) return read;
  return [reader = reader_, read = std::move(read)](http::Response response) {
    if (response.body.size() < limits::kReadAsideFromBytes) return read(std::move(response));
    // Shared, because a task must be copyable and a body should not be copied.
    auto kept = std::make_shared<http::Response>(std::move(response));
    reader->Post([read, kept] { read(std::move(*kept)); });
  };
}

void PictoryClient::Submit(Submission submission, MonoTime start_by,
                           std::function<void(SubmitReply)> done) {
  http::Request request =
      MakeRequest(http::Lane::kPaid, std::move(submission.method), std::move(submission.path));
  if (submission.body != nullptr) {
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = std::move(submission.body);
  }
  request.timeout = limits::kSubmitTimeout;
  request.start_by = start_by;
  request.max_body_bytes = limits::kSubmitReplyMaxBytes;
  Send(std::move(request), [this, done = std::move(done)](http::Response response) {
    done(ReadSubmitReply(response, clock_.WallNow()));
  });
}

void PictoryClient::GetJob(const std::string& pictory_job_id, ::pictory::jobs::v1::JobKind kind,
                           std::uint64_t last_digest, std::function<void(JobReply)> done,
                           ReplySize size) {
  http::Request request = MakeRequest(http::Lane::kRead, "GET",
                                      absl::StrCat(kJobs, "/", PercentEncode(pictory_job_id)));
  request.max_body_bytes = max_job_reply_bytes_;
  if (size == ReplySize::kSmall) {
    request.max_body_bytes = std::min(request.max_body_bytes, limits::kSmallReplyMaxBytes);
  } else {
    request.timeout = limits::kLargePollTimeout;
  }
  Send(std::move(request),
       Aside([this, kind, last_digest, size, done = std::move(done)](http::Response response) {
         JobReply reply = ReadJobReply(std::move(response), kind, last_digest, clock_.WallNow());
         if (reply.kind == JobReply::Kind::kTooLarge && size == ReplySize::kSmall) {
           reply.kind = JobReply::Kind::kLarge;
         }
         done(std::move(reply));
       }));
}

void PictoryClient::CleanJob(const std::string& pictory_job_id,
                             std::function<void(absl::Status)> done) {
  http::Request request =
      MakeRequest(http::Lane::kRead, "DELETE",
                  absl::StrCat(kJobs, "/", PercentEncode(pictory_job_id), "/clean"));
  request.max_body_bytes = limits::kSubmitReplyMaxBytes;
  Send(std::move(request), [this, done = std::move(done)](http::Response response) {
    const absl::Status status = ReadCallStatus(response, clock_.WallNow());
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
  Send(std::move(request), Aside([this, done = std::move(done)](http::Response response) {
         const absl::Status status = ReadCallStatus(response, clock_.WallNow());
         if (!status.ok()) {
           done(status);
           return;
         }
         done(ReadJobList(response.body));
       }));
}

void PictoryClient::Probe(std::function<void(absl::Status)> done) {
  http::Request request = MakeRequest(http::Lane::kRead, "GET", kQuota);
  request.max_body_bytes = limits::kSubmitReplyMaxBytes;
  Send(std::move(request), [this, done = std::move(done)](http::Response response) {
    done(ReadCallStatus(response, clock_.WallNow()));
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
