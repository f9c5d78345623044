// A Notifier tells receivers of the tenants' own, by HTTP, that jobs have ended. It never holds up
// what else becomes of a job.
//
// What is to be told stands in the job's record (jobs/notification.h), so a restart takes it up
// again: each notification is delivered at least once, whenever the process ends, and each time
// with the same id. Nothing that happens here changes a job for its callers.
//
// Of the processes that share a store the one that has the job's shard (jobs/shards.h) tells of it.
// One to which a shard comes waits until the try of another must be over and noted, so a
// notification goes out twice only if a process was killed, or cut off from its store, in between.
//
// Thread-safe; no call blocks. What is passed to the constructor must outlive it and, after Stop(),
// the calls in flight.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "base/random.h"
#include "base/secret.h"
#include "http/transport.h"
#include "jobs/ledger.h"
#include "jobs/shards.h"
#include "jobs/store.h"
#include "notify/destination.h"
#include "notify/queue.h"
#include "notify/tries.h"

namespace gateway::notify {

// What a Notifier has done by others.
struct NotifierHands {
  // The tenant's rules, as they are now.
  std::function<tenants::NotifyRules(const std::string& tenant)> rules;
  // Reads the keys that these rules name; blocks.
  std::function<absl::StatusOr<std::vector<Secret>>(const tenants::NotifyRules& rules)> keys;
  // Runs work that may block.
  std::function<void(std::function<void()> work)> run;
};

// For logs; each may be empty.
struct NotifierEvents {
  // A try has ended, and this is what became of the notification. `detail` is for the log alone.
  std::function<void(const jobs::Job& job, const jobs::v1::Notification& notification,
                     const std::string& host, const std::string& detail)>
      tried{};
};

class Notifier {
 public:
  // With `loopback` receivers may be on this machine, without TLS: for the sandbox.
  Notifier(bool loopback, NotifierHands hands, http::HttpTransport& transport,
           const jobs::Shards& shards, jobs::Ledger& ledger, jobs::Jobs& jobs, const Clock& clock,
           Timers& timers, Random& random, NotifierEvents events);
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Begins; until then nothing is sent.
  void Start();
  // Plans the notification of a record that is about to be stored, if its tenant wants one.
  void Plan(jobs::JobRecord& record);
  // An observer of the ledger, for what this process changes.
  void OnChange(const jobs::JobRecord& record);
  // The same for what another process has changed, and for what was found in the store.
  void OnFound(const jobs::JobRecord& record);
  // Takes up a job that was to be told when a process ended, or lost its shard.
  void Follow(const jobs::ShardJob& job);
  // Tells no more of jobs whose shard has gone.
  void DropLost();
  // See ReplayNotification in the API.
  void Replay(const std::string& tenant, const std::string& job,
              std::function<void(absl::StatusOr<jobs::v1::Notification>)> done);
  // Begins nothing after this.
  void Stop();

  std::size_t waiting() const;
  struct Counts {
    std::atomic<std::uint64_t> delivered{0};
    std::atomic<std::uint64_t> retried{0};   // tries that will be repeated
    std::atomic<std::uint64_t> given_up{0};  // notifications
  };
  const Counts& counts() const { return counts_; }

 private:
  // One try on its way.
  struct Turn {
    jobs::JobKey key;
    jobs::JobRecord record;
    Destination to;
    Try tried;
    std::string detail;  // of what went wrong, for the log
  };
  using TurnPtr = std::shared_ptr<Turn>;

  bool Wants(const jobs::JobRecord& record) const;
  bool IsDue(const jobs::JobRecord& record) const;
  bool MaySend(const Turn& turn);
  bool HasRoom(const std::string& tenant) const;
  void Pump();
  void Begin(const jobs::JobKey& key);
  void Take(const jobs::JobKey& key, jobs::JobRecord record);
  void Send(const TurnPtr& turn, const tenants::NotifyRules& rules);
  void Store(const TurnPtr& turn, jobs::JobRecord record);
  void Tell(const Turn& turn, const jobs::v1::Notification& notification);
  void Renew(jobs::JobRecord record,
             std::function<void(absl::StatusOr<jobs::v1::Notification>)> done);
  void Add(const jobs::ShardJob& job, MonoTime due);
  void Finish(const jobs::JobKey& key, std::optional<Duration> pause);

  const bool loopback_;
  const NotifierHands hands_;
  http::HttpTransport& transport_;
  const jobs::Shards& shards_;
  jobs::Ledger& ledger_;
  jobs::Jobs& jobs_;
  const Clock& clock_;
  Random& random_;
  const NotifierEvents events_;
  Counts counts_;

  mutable Mutex mutex_;
  Queue queue_ GUARDED_BY(mutex_);
  bool started_ GUARDED_BY(mutex_) = false;
  bool pumping_ GUARDED_BY(mutex_) = false;  // somebody begins what is due,
  bool again_ GUARDED_BY(mutex_) = false;    // and has to look once more
  bool stopped_ GUARDED_BY(mutex_) = false;
  NextCall next_;
};

}  // namespace gateway::notify
