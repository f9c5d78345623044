// A PictoryClient speaks Pictory's REST API as the gateway uses it: one account's credentials,
// paths, envelopes and errors over an HttpTransport. What Pictory is known to do is written down in
// pictory/API.md.
//
// No text of Pictory's that leaves it holds a secret of ours (pictory/own_secrets.h). The bytes of
// a result stay as they came.
//
// It is thread-safe. Callbacks run on the transport's thread, or after a large reply on the
// reader's, and must not block.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/work_thread.h"
#include "http/transport.h"
#include "pictory/access_tokens.h"
#include "pictory/credentials.h"
#include "pictory/free_call.h"
#include "pictory/job_list.h"
#include "pictory/job_reply.h"
#include "pictory/jobs/v1/job.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/own_secrets.h"
#include "pictory/submit_reply.h"

namespace gateway::pictory {

// A paid call, translated and ready to be sent: see pictory/translate.h.
struct Submission {
  ::pictory::jobs::v1::JobKind kind = ::pictory::jobs::v1::JOB_KIND_UNSPECIFIED;
  std::string method;
  std::string path;  // below the base URL, encoded
  std::shared_ptr<const std::string> body;
  std::string traceparent{};  // the header; empty: none is sent
  // Asked just before it is sent (http::Request::may_send); null: it may be.
  std::function<bool()> may_send{};
};

struct ClientOptions {
  Secret api_key;  // sent raw, without a scheme word
  // Empty: a plausible user agent. The filter in front of Pictory turns some libraries' defaults
  // away.
  std::string user_agent;
  std::optional<OAuthOptions> oauth = std::nullopt;  // instead of the key
  // Called when a request is sent that no caller knows of: a token's fetch, a read's repeat after
  // one, or one that the transport has repeated.
  std::function<void()> extra_request = nullptr;
  // Asked before a call that is not paid is sent again, by the transport or after a 401. Null: it
  // may be.
  std::function<bool()> may_repeat = nullptr;
  // Called when a token's fetch has ended: OK with the token's life, or why there is no token.
  std::function<void(const absl::Status&, Duration life)> token_fetched = nullptr;
  bool allow_loopback_urls = false;  // in answers: the sandbox's
  // Bounds the reply to a poll; a longer one is kTooLarge.
  std::size_t max_job_reply_bytes = limits::kJobReplyMaxBytes;
  // Reads the replies from limits::kReadAsideFromBytes on and runs their callbacks; null: the
  // transport's thread reads them all. It must outlive the calls, and be closed after the
  // transport.
  WorkThread* reader = nullptr;
};

// How much of a poll's reply is wanted. A reply that is not small weighs on memory, so a caller
// that asks for any size bounds how many it asks for at once.
enum class ReplySize { kSmall, kAny };

class PictoryClient {
 public:
  // `transport` and `clock` must outlive the client, and the client every call still in flight.
  PictoryClient(ClientOptions options, http::HttpTransport& transport, const Clock& clock);

  // Gets what Submit needs. This may take a token's fetch, so ask before anything is recorded as
  // sent.
  void Authorize(Credentials::Ready ready);

  // Takes another API key or client secret, whichever this account has.
  void ReplaceSecret(Secret secret);
  // Sets who hears that Pictory has refused the credentials, of whatever call, on the threads that
  // learn of it. It is called once, before any call.
  void SetCredentialsRefused(std::function<void()> refused) {
    credentials_refused_ = std::move(refused);
  }

  // Sends the paid request at most once, whatever happens. `start_by` bounds the time it may queue.
  void Submit(Submission submission, const Authorization& authorization, MonoTime start_by,
              std::function<void(SubmitReply)> done);

  // Polls. `kind` UNSPECIFIED lets the result show it. `last_digest` is that of the reply before,
  // or 0. A reply longer than a small one is kLarge if no more was asked for. A small one is waited
  // for as long as `timeout`, any other for limits::kLargePollTimeout.
  void GetJob(const std::string& pictory_job_id, ::pictory::jobs::v1::JobKind kind,
              std::uint64_t last_digest, std::function<void(JobReply)> done,
              ReplySize size = ReplySize::kAny, Duration timeout = limits::kPollTimeout);

  // Deletes a finished job's outputs at Pictory; repeating it succeeds.
  void CleanJob(const std::string& pictory_job_id, std::function<void(absl::Status)> done);

  // Lists Pictory's jobs, the newest first. `page_key` is empty for the first page.
  void ListJobs(const std::string& page_key, std::function<void(absl::StatusOr<JobList>)> done);

  // Asks for a place to upload a file to; free. `request` has passed Validate.
  void CreateUpload(
      const ::pictory::jobs::v1::CreateUploadRequest& request,
      std::function<void(absl::StatusOr<::pictory::jobs::v1::CreateUploadResponse>)> done);

  // Makes a free call: the body of Pictory's answer, or why there is none (ReadFreeStatus).
  void Ask(FreeCall call, std::function<void(absl::StatusOr<std::string>)> done);

  // Makes a call that costs nothing and shows whether Pictory is reached and accepts the
  // credentials.
  void Probe(std::function<void(absl::Status)> done);

 private:
  http::Request MakeRequest(http::Lane lane, const char* purpose, std::string method,
                            std::string path) const;
  // An error if there are no credentials to put on.
  using ReadDone = std::function<void(absl::StatusOr<http::Response>)>;
  // Reads may be repeated, if `may_repeat` says so: by the transport, and after a 401 that a new
  // token may turn, once. The transport repeats no POST, though it may be free, and nothing that
  // says of itself that it may not be repeated.
  void Read(http::Request request, ReadDone done);
  struct ReadCall {
    http::Request request;  // without credentials
    ReadDone done;
  };
  void ReadWith(const Authorization& authorization, std::shared_ptr<const ReadCall> call,
                bool again);
  // Lets a reply be read and answered where it should: here, or on the reader's thread if it is
  // large.
  ReadDone Aside(ReadDone read) const;
  // Lets a reply be read without our secrets: of any call but a poll, whose bytes may be a result.
  ReadDone WithoutSecrets(ReadDone read) const;
  std::shared_ptr<const JobResult> WithoutSecrets(const JobResult& raw) const;
  // For calls whose answer is a status: what went wrong, or what ReadCallStatus says.
  absl::Status StatusOf(const absl::StatusOr<http::Response>& response) const;
  void NoteRefused() const {
    if (credentials_refused_) credentials_refused_();
  }

  // Asks under the name number `spelling` of the call, and under the others if Pictory has no call
  // of that name.
  void AskForUpload(
      std::shared_ptr<const std::string> body, std::string content_type, std::size_t spelling,
      std::function<void(absl::StatusOr<::pictory::jobs::v1::CreateUploadResponse>)> done);

  const std::string user_agent_;
  const bool allow_loopback_urls_;
  std::atomic<std::size_t> upload_spelling_{0};  // the one that works
  const std::size_t max_job_reply_bytes_;
  WorkThread* const reader_;
  const std::function<void()> extra_request_;
  const std::function<bool()> may_repeat_;
  http::HttpTransport& transport_;
  const Clock& clock_;
  const std::unique_ptr<Credentials> credentials_;
  std::function<void()> credentials_refused_;
  OwnSecrets secrets_;
};

// The status of a call that neither polls nor pays: OK for 2xx.
absl::Status ReadCallStatus(const http::Response& response, WallTime now);

}  // namespace gateway::pictory
