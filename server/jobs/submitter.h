// Submits paid jobs: at most one POST per (tenant, request_id), whatever callers, meshes and the
// network do, and no job forgotten.
//
// A submission goes one way: joined to a running attempt of the same request_id, or
//   resolve the job it refers to → translate → credentials → budget → recorded as SENDING, durable
//   → POST → outcome recorded, durable → published → every waiting caller answered.
// Credentials that must be fetched are there before SENDING is recorded. Where Pictory refuses an
// access token, nothing was started: that is recorded, a new token is fetched, SENDING is recorded
// again as the next attempt, and the POST is sent a second and last time.
// Once SENDING is recorded nothing stops the transfer: neither the caller's cancel nor its deadline.
// An outcome that cannot be known is no error: the job is answered UNCONFIRMED and never sent again.
//
// Thread-safe; work runs on the caller's thread and on those of store, transport and timers, and
// never blocks. What is passed to the constructor must outlive the submitter and its running
// attempts (see Drain).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "google/protobuf/message.h"
#include "jobs/account.h"
#include "jobs/hub.h"
#include "jobs/job_key.h"
#include "jobs/poller.h"
#include "jobs/spending.h"
#include "jobs/store.h"
#include "pictory/client.h"
#include "pictory/translate.h"

namespace gateway::jobs {

// A validated submit.
struct SubmitRequest {
  std::string tenant;
  JobKind kind = v1::JOB_KIND_UNSPECIFIED;
  std::string request_id;  // never empty
  std::map<std::string, std::string> labels;
  std::string fingerprint;
  MonoTime deadline = MonoTime::max();
  // The caller gave no request_id. Then its metadata may say that this is the retry of an earlier
  // call, which is looked for by its content; mesh_request_id (x-request-id) is compared as well if
  // it is the mesh that retries, because then it stays the same.
  bool minted_request_id = false;
  bool is_retry = false;
  std::string mesh_request_id;
  bool same_mesh_request = false;
  std::shared_ptr<const google::protobuf::Message> request;
  // Set when the caller is gone; may be null. Looked at only before anything is sent.
  std::shared_ptr<std::atomic<bool>> cancelled;
};

struct SubmitterOptions {
  pictory::TranslateOptions translate;
  bool sandbox = false;
  std::int64_t epoch = 0;  // of JobStore::Recover
  // Where Pictory is to call back for a submission with this token; null or "": nowhere.
  std::function<std::string(const std::string& token)> webhook_url;
};

struct SubmitEvents {
  std::function<void(const JobRecord&, const pictory::SubmitReply&)> replied;
  // A job became UNCONFIRMED; durable and visible by now.
  std::function<void(const JobRecord&)> in_doubt;
  // Pictory answered with a job that another job here owns. Never expected.
  std::function<void(const JobRecord&, const std::string& pictory_job_id)> foreign;
};

class Submitter {
 public:
  using Answer = absl::StatusOr<std::shared_ptr<const Snapshot>>;
  using Done = std::function<void(Answer)>;

  Submitter(SubmitterOptions options, Account& account, Spending& spending, JobStore& store,
            pictory::PictoryClient& client, Hub& hub, Poller& poller, const Clock& clock,
            Timers& timers, Random& random, SubmitEvents events);
  Submitter(const Submitter&) = delete;
  Submitter& operator=(const Submitter&) = delete;

  // Calls `done` exactly once, under no lock.
  void Submit(SubmitRequest request, Done done);

  // From now on new submits are refused; `idle` is called once no attempt is running.
  void Drain(std::function<void()> idle);

  std::size_t running() const;

 private:
  struct Attempt;
  using AttemptPtr = std::shared_ptr<Attempt>;

  // The steps, in the order they are taken.
  void Start(SubmitRequest request, Done done);
  void Resolve(const AttemptPtr& attempt);
  void ReadReferenced(const AttemptPtr& attempt, const Snapshot& referenced);
  void Translate(const AttemptPtr& attempt, std::string_view referenced_pictory_id,
                 std::string_view inlined);
  void Authorize(const AttemptPtr& attempt);
  void Record(const AttemptPtr& attempt);
  void AwaitBudget(const AttemptPtr& attempt);
  void MarkSending(const AttemptPtr& attempt);
  void Send(const AttemptPtr& attempt);
  void OnReply(const AttemptPtr& attempt, pictory::SubmitReply reply);
  void StoreOutcome(const AttemptPtr& attempt, pictory::SubmitReply reply);
  void SendAgain(const AttemptPtr& attempt, const absl::Status& refusal);
  void OnOutcomeStored(const AttemptPtr& attempt, const pictory::SubmitReply& reply,
                       const absl::Status& stored);

  // Ends that need no POST.
  void AnswerFromRequestId(const AttemptPtr& attempt, absl::Status otherwise);
  void AnswerFromRecord(const AttemptPtr& attempt, const JobRecord& record);
  void GiveUpUnsent(const AttemptPtr& attempt, absl::Status why);

  AttemptPtr FindRunning(const SubmitRequest& request) const REQUIRES(mutex_);
  absl::Status CheckCaller(const Attempt& attempt) const;
  JobRecord NewRecord(const Attempt& attempt, SubmissionState state);
  void Finish(const AttemptPtr& attempt, Answer answer);

  const SubmitterOptions options_;
  Account& account_;
  Spending& spending_;
  JobStore& store_;
  pictory::PictoryClient& client_;
  Hub& hub_;
  Poller& poller_;
  const Clock& clock_;
  Timers& timers_;
  Random& random_;
  const SubmitEvents events_;

  mutable Mutex mutex_;
  std::unordered_map<JobKey, AttemptPtr> attempts_ GUARDED_BY(mutex_);  // by request_id
  std::function<void()> idle_ GUARDED_BY(mutex_);
  bool draining_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::jobs
