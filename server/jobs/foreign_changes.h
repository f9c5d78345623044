// ForeignChanges brings in what other processes change in the same store: it reads the store's
// feed, and has the ledger show the jobs that somebody here looks after, watches or has lately
// asked for.
//
// What this process changes itself the ledger has told already; it is known by its version and not
// read again. If the feed has been forgotten up to a later place, everything is read anew.
//
// Thread-safe. Its work runs on the threads of the timers and of the store. What is passed to the
// constructor must outlive it and, after Stop(), the calls in flight.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "jobs/hub.h"
#include "jobs/job_key.h"
#include "jobs/ledger.h"
#include "jobs/shards.h"
#include "jobs/store.h"

namespace gateway::jobs {

class ForeignChanges {
 public:
  // What else there is to do; called on a thread of the store.
  struct Events {
    std::function<void()> begun;   // the feed is followed from now on: called once
    std::function<void()> missed;  // changes of jobs that are in no memory here may be missed
    // Somebody says that a job has news, or has hinted at what it is at Pictory.
    std::function<void(const JobKey&)> hinted;
    // With each reading: who has stopped the submits of all processes (FeedPage); empty: nobody.
    std::function<void(const std::string& by)> stopped;
    // With each reading, too: FeedPage::sharers.
    std::function<void(int sharers)> shared;
  };

  ForeignChanges(const Shards& shards, Feed& feed, Jobs& jobs, Ledger& ledger, Hub& hub,
                 const Clock& clock, Timers& timers, Events events);
  ForeignChanges(const ForeignChanges&) = delete;
  ForeignChanges& operator=(const ForeignChanges&) = delete;

  void Start();
  // Waits until the feed was read for the first time, at most so long; returns whether it was. Not
  // to be called twice.
  bool AwaitFirst(Duration most);
  void Stop();

  // To be called by the ledger for each change of this process, hidden ones too.
  void OnOwnChange(const JobRecord& record) EXCLUDES(mutex_);

  // How many changes of others were brought in.
  std::uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  void FindEnd();
  void Arm();
  void Read();
  void OnPage(absl::StatusOr<FeedPage> page);
  // Whether the job has to be read because of this entry.
  bool IsNews(const FeedEntry& entry) EXCLUDES(mutex_);
  // Reads the next of the jobs that have changed, and goes on behind the page after the last.
  void Look();
  // `held`: those of them that were in memory before the store was asked.
  void OnFound(const std::vector<JobKey>& asked, const std::unordered_set<JobKey>& held,
               absl::StatusOr<std::vector<JobRecord>> found);

  const Shards& shards_;
  Feed& feed_;
  Jobs& jobs_;
  Ledger& ledger_;
  Hub& hub_;
  const Clock& clock_;
  const Events events_;
  NextCall next_;
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<bool> stopped_{false};

  // One reading is under way at a time, and these are its own.
  std::string position_;
  bool begun_ = false;
  bool read_ = false;
  std::promise<void> first_read_;
  std::string page_position_;
  bool page_full_ = false;
  std::vector<JobKey> looks_;
  std::size_t next_look_ = 0;

  Mutex mutex_;
  // The versions of this process's changes that the feed has not brought yet.
  std::unordered_map<JobKey, std::int64_t> own_ GUARDED_BY(mutex_);
};

}  // namespace gateway::jobs
