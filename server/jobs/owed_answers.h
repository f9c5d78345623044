// OwedAnswers remembers the answers to submits without a request_id that may never have arrived,
// and says which equal submit gets one of them instead of a job of its own.
//
// A caller without a request_id cannot say that it repeats itself. A proxy that lost the answer, a
// client that dials again, a loop written by hand: each sends an equal request once more, which
// would be paid a second time. So an equal submit (same tenant, same fingerprint; the account is
// part of that) is taken for the earlier one
//   while the earlier one is running;
//   after its answer, if every call that was to carry it has ended badly, for limits::kOwedWindow;
//   after an answer that seems to have arrived, for `arrived_after`, unless somebody has named the
//   job since: a proxy may have swallowed the answer; after a restart, if nothing is known of the
//   answer, for limits::kOwedWindow, unless somebody has named the job since.
// A caller who wants two equal jobs gives two request_ids, or looks at the first job in between.
//
// The class holds the submits that are running, whose answer was lost, or whose answer does not
// count as arrived yet. The answer to any other submit has arrived. Owed jobs stand in a queue, the
// oldest first. A submit takes one by a claim, which the store has to confirm (Submissions::Claim).
// While an answer is on its way to one submit, other submits take the next job in the queue, and
// share it only if there is no next one. Thread-safe; no call blocks.
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
  kJoined,        // an equal submit was running, or its job waits
  kUndelivered,   // an equal submit's answer did not arrive, or is not known to have
  kSeemsArrived,  // an equal submit was answered a moment ago, and nobody has named its job since
};

// The rule's name in metadata and metrics: `joined`, `undelivered` …
const char* RuleName(AnswerRule rule);

// A job whose answer was owed already before a restart.
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
  // One call on the way to its answer. The answer counts as lost to this call if the object goes
  // without Arrived.
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

  // A claim of an owed job. It must be stored before the call may go on.
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

  // With a `arrived_after` of 0 an answer counts as arrived when its call has ended well. `clock`
  // must outlive this object and its calls; the calls must not outlive this object.
  OwedAnswers(Duration arrived_after, const Clock& clock)
      : arrived_after_(arrived_after), clock_(clock) {}

  // Takes the jobs that the process before owed, oldest first. Called before the first Ask.
  void Recover(std::vector<OwedJob> owed);

  // Whose request_id a submit without one of its own comes with.
  enum class Id {
    kMinted,    // newly minted, and of no call yet
    kEarlier,   // of a call with this content, which the submit may repeat: if no other is owed
    kRepeated,  // of the call that it certainly repeats
    kWaiting,   // of an equal submit whose job waits
    // Of an equal submit that another process has under way, or whose answer that one may owe: if
    // no other is owed here.
    kRunsElsewhere,
    kOwedElsewhere,
  };
  // Says what a submit without a request_id is. If it is not told to be another one, it counts as
  // running under `request_id` from now on, until Answered or Dropped.
  Verdict Ask(const std::string& tenant, const std::string& fingerprint,
              const std::string& request_id, Id id);

  // Somebody asks for the answer to a submit of this content, and cannot have it at present. What
  // is owed of it is waited for anew.
  void Wanted(const std::string& tenant, const std::string& fingerprint);

  // What the store said to a claim: it has confirmed the claim (Claimed); nobody owes the job any
  // more (Lost); or it has said nothing (NotClaimed).
  void Claimed(const JobKey& request);
  void Lost(const JobKey& request);
  void NotClaimed(const JobKey& request);

  // An attempt of this request_id has begun (Begun). An attempt that came with a request_id is
  // noted only if this class holds that one. It ends in a job that callers are told of (Answered),
  // or has cost nothing (Dropped).
  void Begun(const JobKey& request, const std::string& fingerprint, bool minted);
  void Answered(const JobKey& request, const std::string& job_id);
  void Dropped(const JobKey& request);

  // A call that is not a submit has named the job, so its caller knows the job's id. The answer
  // counts as arrived then, unless every call that was to carry it has ended badly.
  void Named(const JobKeyView& job);
  // Notes in a record that is about to be stored that its answer has arrived, if that is so. Of one
  // that this process may have taken over, and has not heard of yet, that is not known.
  void Note(JobRecord& record, bool maybe_taken_over = false);

  // The jobs whose answers are still owed: they were lost, or do not count as arrived yet.
  std::vector<OwedJob> StillOwed();
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  using EntryPtr = std::shared_ptr<Entry>;

  // A hash for look-ups by names that somebody else keeps.
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

  // The submits of one content: the oldest that is running, the oldest that is owed and whose
  // answer is on its way to nobody, and the oldest whose answer is on its way.
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

  const Duration arrived_after_;
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
