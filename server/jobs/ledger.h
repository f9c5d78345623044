// Ledger is the one way for a job to change. Each change is stored first, then shown to callers,
// then told to the observers.
//
// An update names the version of the record that it changes. When two have read the same version
// only the first update is stored; the other gets the present record, and decides anew what its
// news makes of that one. Nothing else replaces records.
//
// What another process with the same store has changed comes in by the same door: it is stored, so
// it is shown, and told to the observers that look after jobs whoever changed them.
//
// The end of a job is told by the process that has stored it, and so by one process, once: what is
// in memory has no say in it, because the feed may have brought the end in before the store's
// answer.
//
// Thread-safe; no call blocks. Callbacks and observers run on the store's thread, under no lock.
// What is passed to the constructor must outlive it and the calls in flight.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "jobs/hub.h"
#include "jobs/snapshot.h"
#include "jobs/store.h"

namespace gateway::jobs {

class Ledger {
 public:
  Ledger(Submissions& submissions, Jobs& jobs, Hub& hub)
      : submissions_(submissions), jobs_(jobs), hub_(hub) {}
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // Adds an observer, before the first change. Observers are called in this order for each change
  // that callers can see, once they can see it. `seen` is null if the job does not exist any more,
  // because another job has taken it over. What TakeIn and TakeGone bring in is of other processes;
  // of a job that is gone the record then has only its names.
  using Observer = std::function<void(const JobRecord& record, const SnapshotPtr& seen)>;
  enum class Of { kThisProcess, kOtherProcesses, kAnyProcess };
  void Observe(Observer observer, Of of = Of::kThisProcess) {
    observers_.push_back({std::move(observer), of});
  }

  // Adds who is told of each job whose end this process has stored, after the observers. `known`:
  // an adopted job had ended, and another job has now taken it over, with its end. Called before
  // the first change.
  using Ended = std::function<void(const JobRecord& record, bool known)>;
  void ObserveEnds(Ended ended) { ended_.push_back(std::move(ended)); }

  // Adds who is told of each stored change that no observer hears of, before the first change; but
  // not of one made of a record that this process has not shown yet.
  void HiddenBy(std::function<void(const JobRecord&)> hidden) {
    hidden_.push_back(std::move(hidden));
  }

  // Tells of each name of a job that has gone because it was old: its own, then those that it has
  // taken over. It is set before the first change.
  void ForgottenBy(std::function<void(const JobKey&)> forgotten) {
    forgotten_ = std::move(forgotten);
  }

  // Has `complete` add to each record that is about to be stored what no other class knows of. Each
  // is added before the first change.
  using Complete = std::function<void(JobRecord& record)>;
  void CompleteWith(Complete complete) { completions_.push_back(std::move(complete)); }

  struct Change {
    JobRecord record;  // as it is to be, with the version that it was made of
    std::vector<pictory::JobResult::Part> parts = {};
    bool hidden = false;  // nothing in it is for callers, although they can see the job
    bool ended = false;   // the job had ended before
    // Runs once it is stored, before anybody can see it or change it again; may be empty.
    std::function<void(const JobRecord& record)> stored = nullptr;
  };
  struct Outcome {
    // ABORTED: somebody else was first. ALREADY_EXISTS: the Pictory id is another job's. NOT_FOUND:
    // the job is gone. Anything else: it could not be stored.
    absl::Status status;
    JobRecord record;  // as stored; if ABORTED the present one
    SnapshotPtr
        seen;  // its newest, if it was stored and is not hidden; null if callers cannot see the job
  };
  using Done = std::function<void(Outcome)>;

  // Inserts a job that was not submitted here. ALREADY_EXISTS if its Pictory id has a job.
  void Adopt(JobRecord record, Done done);
  // Inserts the record of a submit, unless its request_id is known; see Submissions::Begin. One
  // that callers can see, because it waits, is shown.
  void Begin(JobRecord record, StoreCallback<BeginResult> done);
  // Stores a change. If its Pictory id is that of an adopted job, the changed job takes that one
  // over: they were one job from the beginning.
  void Update(Change change, Done done);
  // Does as Update; the parts and labels of the job go, and callers do not see it any more.
  void Delete(JobRecord record, Done done);
  // Takes in a visible record as another process has stored it, or that a job does not exist any
  // more.
  void TakeIn(const JobRecord& record);
  void TakeGone(const JobKey& job);
  // Removes what is old; `done` gets how many names of jobs there were. See Jobs::Prune.
  void Prune(const PruneQuery& query, StoreCallback<std::size_t> done);

 private:
  using ChangePtr = std::shared_ptr<Change>;
  // `again`: nobody was found who holds the Pictory id that a first try met.
  void Store(const ChangePtr& change, bool again, Done done);
  void FindHolder(const ChangePtr& change, bool again, Done done);
  void ReadAgain(const ChangePtr& change, const JobRecord& adopted, Done done);
  void TakeOver(const ChangePtr& change, const JobRecord& adopted, Done done);
  void Dismiss(const JobRecord& adopted);
  // `known`: see Ended.
  void Finish(const Change& change, Outcome outcome, const Done& done, bool known = false);
  void Show(Outcome& outcome);
  bool WasShown(const JobRecord& record) const;
  void Hide(const JobRecord& record) const;
  void Tell(const JobRecord& record, const SnapshotPtr& seen, Of of) const;
  void ReadPresent(Outcome outcome, Done done);
  void CompleteRecord(JobRecord& record) const;

  Submissions& submissions_;
  Jobs& jobs_;
  Hub& hub_;
  std::vector<Complete> completions_;
  std::function<void(const JobKey&)> forgotten_;  // may be null
  std::vector<std::function<void(const JobRecord&)>> hidden_;
  struct Listener {
    Observer observer;
    Of of;
  };
  std::vector<Listener> observers_;
  std::vector<Ended> ended_;
};

}  // namespace gateway::jobs
