// Follower tells streams which jobs have changed, whoever changed them. There is one in a process.
//
// What this process changes it hears of from the ledger, at once. What another process changes in
// the same store it hears of from the store's feed, which it reads while anybody follows. The feed
// also gives the positions from which a stream can be resumed: one is told once every change before
// it was told.
//
// Each change is matched once against the readers' filters, by indexes of ids and labels. A record
// of another process is read once for all readers, and shown in the hub. What is told is a name
// only: a reader takes the job from the hub, so that no reader ever sees a job go back. A position
// is told soon to those who were told of a change, and seldom to all others.
//
// Each tenant has a line of its own of what its readers have to be told, and the tenants take
// turns. A line has a bound: beyond it the readers of that tenant are lost, and of no other.
//
// Thread-safe. Readers are told on the broadcaster's thread, in slices, under no lock. All that is
// passed to the constructor must outlive it; the store must call nothing back once it is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/work_thread.h"
#include "jobs/hub.h"
#include "jobs/store.h"
#include "watch/job_filter.h"

namespace gateway::watch {

// A job that has changed.
struct JobChange {
  std::string job_id;
  bool gone = false;  // deleted, forgotten, or taken over by another
};
using JobChangePtr = std::shared_ptr<const JobChange>;
using FeedPositionPtr = std::shared_ptr<const std::string>;

class FeedReader {
 public:
  virtual ~FeedReader() = default;
  // A job that the filter is about has changed.
  virtual void OnChange(const JobChangePtr& change) = 0;
  // Every change up to this position was told, but for those from before the reader's beginning.
  virtual void OnPosition(const FeedPositionPtr& position) = 0;
  // Something may have been missed. The reader follows no more.
  virtual void OnLost() = 0;
};

class Follower {
 public:
  struct Core;

  // A reader follows until this object is destroyed; a call to it may still be under way then.
  class Following {
   public:
    Following() = default;
    Following(Following&& other) noexcept { *this = std::move(other); }
    Following& operator=(Following&& other) noexcept;
    ~Following() { Reset(); }
    void Reset();

   private:
    friend class Follower;
    std::weak_ptr<Core> core_;
    std::uint64_t id_ = 0;
  };

  Follower(jobs::Feed& feed, jobs::Hub& hub, const Clock& clock, Timers& timers,
           WorkThread& broadcaster);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // To be called by the ledger: for each change that callers see, and for each that they do not.
  void OnChange(const jobs::JobRecord& record, const jobs::SnapshotPtr& seen);
  void OnHiddenChange(const jobs::JobRecord& record);

  // Tells the reader of all that changes after `begun` was called, and does not keep it alive.
  // `begun` gets an error if the store cannot be read. It runs on any thread, inside the call too.
  Following Follow(JobFilterPtr filter, std::weak_ptr<FeedReader> reader,
                   std::function<void(absl::Status)> begun);

  // Nothing is read any more.
  void Stop();

  std::size_t readers() const;

 private:
  const std::shared_ptr<Core> core_;
};

}  // namespace gateway::watch
