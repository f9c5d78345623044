// Answers to submits without a request_id that may never have arrived, and who gets them instead.
//
// A caller without a request_id cannot say that it repeats itself. A proxy that lost the answer, a
// client that dials again, a loop written by hand: each sends an equal request once more, which
// would be paid a second time. So an equal submit (same tenant, same fingerprint; the account is
// part of that) is taken for the earlier one
//   while the earlier one is running;
//   after its answer, if every call that was to carry it has ended badly, for limits::kOwedWindow;
//   after an answer that seems to have arrived, for `settle`, unless somebody has named the job
//   since: a proxy may have swallowed it; after a restart, if nothing is known of the answer, for
//   limits::kOwedWindow, unless somebody has named the job since.
// Who wants two equal jobs gives two request_ids, or looks at the first job in between.
//
// Held is what is running, undelivered or not settled; of what is not here the answer has arrived.
// Jobs that are owed stand in a queue, the oldest first. One is taken by a claim, which the store
// has to confirm (Submissions::Claim); while an answer is on its way, others take the next, and
// share it only if there is none. Thread-safe; no call blocks.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "jobs/job.h"
#include "jobs/job_key.h"

namespace gateway::jobs {

// Whose job answers a submit.
enum class AnswerRule {
  kOwn,           // its own, or that of its request_id
  kRetry,         // its metadata say that it repeats an earlier call, whose answer has long arrived
  kJoined,        // an equal submit was running
  kUndelivered,   // an equal submit's answer did not arrive, or is not known to have
  kSeemsArrived,  // an equal submit was answered a moment ago, and nobody has named its job since
};

// `joined`, `undelivered` …: as metadata and metrics have it.
const char* RuleName(AnswerRule rule);

// A job whose answer is owed from before a restart.
struct OwedJob {
  std::string tenant;
  std::string fingerprint;
  std::string request_id;
  std::string job_id;
  std::int32_t claims = 0;
  Delivery delivery = Delivery::kUnsaid;  // never kArrived

  bool operator==(const OwedJob&) const = default;
};

class OwedAnswers {
  struct Entry;

 public:
  // One call on the way to its answer. It counts as not arrived if this goes without Arrived.
  class Call {
   public:
    Call(OwedAnswers& owed, std::shared_ptr<Entry> entry) : owed_(owed), entry_(std::move(entry)) {}
    ~Call() { owed_.End(*entry_, arrived_); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    void Arrived() { arrived_ = true; }

   private:
    OwedAnswers& owed_;
    const std::shared_ptr<Entry> entry_;
    bool arrived_ = false;
  };

  // To be stored before the call may go on.
  struct Claim {
    JobKey job;
    std::int32_t claims = 0;  // that the record is expected to have
  };
  struct Verdict {
    AnswerRule rule = AnswerRule::kOwn;
    std::string request_id;  // to go on with; with kOwn the one that was asked with
    std::optional<Claim> claim;
    std::shared_ptr<Call> call;  // null: there are too many already
  };

  // `settle` of 0: an answer counts as arrived when its call has ended well. `clock` must outlive
  // this and its calls, which must not outlive it.
  OwedAnswers(Duration settle, const Clock& clock) : settle_(settle), clock_(clock) {}

  // Before the first Ask, oldest first: jobs of the process before.
  void Recover(std::vector<OwedJob> owed);

  // Whose the request_id is that a submit without one comes with.
  enum class Id {
    kMinted,    // nobody's yet
    kEarlier,   // of a call with this content, which the submit may repeat: if no other is owed
    kRepeated,  // of the call that it certainly repeats
  };
  // What a submit without a request_id is. One that is not told to be another counts as running
  // under `request_id` from now on, and ends in Answered or Dropped.
  Verdict Ask(const std::string& tenant, const std::string& fingerprint,
              const std::string& request_id, Id id);

  // The store has confirmed the claim; or it has said that the job is nobody's any more; or
  // nothing.
  void Claimed(const JobKey& request);
  void Lost(const JobKey& request);
  void NotClaimed(const JobKey& request);

  // An attempt of this request_id has begun; of one with a key only if it was asked about here. It
  // ends in a job that callers are told of, or has cost nothing.
  void Begun(const JobKey& request, const std::string& fingerprint, bool keyless);
  void Answered(const JobKey& request, const std::string& job_id);
  void Dropped(const JobKey& request);

  // A call that is no submit knows the job's id.
  void Named(const JobKeyView& job);
  // Before a change of a record is stored: notes in it that its answer has arrived, if that is so.
  void Note(JobRecord& record);

  // The jobs whose answers are still owed: lost, or not settled yet.
  std::vector<OwedJob> Unsettled();
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  using EntryPtr = std::shared_ptr<Entry>;

  // Looks up names that somebody else keeps.
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(const JobKeyView& key) const { return std::hash<JobKeyView>()(key); }
    std::size_t operator()(const JobKey& key) const { return std::hash<JobKey>()(key); }
  };
  struct SameName {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const {
      return a.tenant == b.tenant && a.id == b.id;
    }
  };
  template <class T>
  using ByName = std::unordered_map<JobKey, T, NameHash, SameName>;

  // Of one content: the oldest that is running, the oldest that is owed and on its way to nobody,
  // and the oldest that is on its way.
  struct Equal {
    EntryPtr running, owed, on_its_way;
  };

  Equal FindEqual(const JobKeyView& content, MonoTime now) const REQUIRES(mutex_);
  EntryPtr TakeUp(const JobKey& request, const std::string& fingerprint, Id id, MonoTime now)
      REQUIRES(mutex_);
  EntryPtr Find(const JobKey& request) const REQUIRES(mutex_);
  EntryPtr FindOrMake(const JobKey& request, const std::string& fingerprint) REQUIRES(mutex_);
  void Name(Entry& entry, const std::string& job_id) REQUIRES(mutex_);
  void Forget(Entry& entry) REQUIRES(mutex_);
  void Sweep(MonoTime now) REQUIRES(mutex_);
  bool IsOver(const Entry& entry, MonoTime now) const;
  void End(Entry& entry, bool arrived);

  const Duration settle_;
  const Clock& clock_;
  mutable Mutex mutex_;
  ByName<EntryPtr> entries_ GUARDED_BY(mutex_);                  // by request_id
  ByName<EntryPtr> by_job_ GUARDED_BY(mutex_);                   // by job_id, once there is one
  ByName<std::vector<EntryPtr>> by_content_ GUARDED_BY(mutex_);  // by fingerprint; oldest first
  std::size_t sweep_at_ GUARDED_BY(mutex_) = limits::kOwedSweepFirst;  // that many entries
  MonoTime next_sweep_ GUARDED_BY(mutex_){};                           // not before
  std::atomic<std::size_t> size_{0};  // of entries_: most calls name jobs where there is none
};

}  // namespace gateway::jobs
