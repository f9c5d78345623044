// JobsStream is one WatchJobs: it lists the jobs that fit a filter, reads what has changed since
// that list began or since the place where an earlier stream ended, and then tells of each change
// as it comes.
//
//   resolve the ids → list → catch up from the store's feed → live, by the Follower
//
// Of a job it knows only that it has changed; what is told is the hub's newest of it, at the moment
// when the reader takes it. So a slow reader gets the newest of each job, in whatever phase, and no
// job goes back. If more jobs wait than a bound, they are dropped, and the stream catches up from
// the last position that it has told.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/limits.h"
#include "jobs/estimates.h"
#include "jobs/hub.h"
#include "jobs/snapshot.h"
#include "jobs/store.h"
#include "watch/follower.h"
#include "watch/job_filter.h"
#include "watch/resume_token.h"
#include "watch/stream.h"

namespace gateway::watch {

struct JobsStreamOptions {
  JobFilter filter;                // its job_ids are empty; the stream takes it out
  std::vector<std::string> names;  // the jobs of a filter by ids, by either id; taken out too
  std::string filter_hash;
  std::optional<ResumeToken> resume;
  std::string account;  // of whose jobs heartbeats say whether they may lag
  // Makes the message of a job that SUCCEEDED, on any thread; null: the BASIC view.
  std::function<void(jobs::SnapshotPtr, std::function<void(absl::StatusOr<jobs::Frame>)>)>
      load_full{};
  // As in WatchOptions.
  std::function<bool(const std::string& account)> degraded{};
  std::function<bool()> store_away{};
  // A caller has shown that it knows the job; may be null.
  std::function<void(const jobs::JobKeyView& job)> named{};
  Duration heartbeat = limits::kHeartbeatInterval;
  Duration stuck = limits::kWriteStuckAfter;
  Duration max_life = Duration::max();
};

// What the stream reads. All of it must outlive the stream.
struct JobsStreamGround {
  jobs::Jobs& jobs;
  jobs::Feed& feed;
  jobs::Hub& hub;
  Follower& follower;
  const Clock& clock;
  jobs::Estimates* estimates = nullptr;  // null: jobs are told without
};

class JobsStream final : public FeedReader, public Stream {
 public:
  JobsStream(JobsStreamOptions options, JobsStreamGround ground, StreamSink& sink);

  // Called once, when it is held by a shared_ptr.
  void Begin();

  void OnChange(const JobChangePtr& change) override;
  void OnPosition(const FeedPositionPtr& position) override;
  void OnLost() override;

 private:
  enum class Phase : std::uint8_t { kIdle, kResolving, kPlacing, kListing, kCatchingUp, kLive };
  // A job to be looked at.
  struct Look {
    std::string job_id;
    bool gone = false;
  };
  // Positions up to which all is told once so many changes are told.
  struct Mark {
    std::uint64_t after = 0;
    FeedPositionPtr position;
  };

  Step Next(const std::optional<absl::Status>& ending) override REQUIRES(mutex_);
  void OnQuietTick(MonoTime now) override REQUIRES(mutex_);
  MonoTime NextTick(MonoTime now) const override REQUIRES(mutex_);
  Duration FirstWait() const override { return options_.heartbeat; }
  absl::Status Outlived() const override;
  void OnFinish() override;

  // What comes next in each phase, if nothing is ready to be written.
  Step Go() REQUIRES(mutex_);
  Step Resolve() REQUIRES(mutex_);
  Step FindPlace() REQUIRES(mutex_);
  Step List() REQUIRES(mutex_);
  Step CatchUp() REQUIRES(mutex_);
  Step BeginToFollow() REQUIRES(mutex_);
  Step LookAtNext() REQUIRES(mutex_);
  Step LookAt(Look look) REQUIRES(mutex_);
  Step LoadFull() REQUIRES(mutex_);
  // Asks a question, to which one Answer comes.
  Step Ask(std::function<void()> question) REQUIRES(mutex_);

  void OnResolved(const std::string& name, const absl::StatusOr<jobs::SnapshotPtr>& found);
  void OnPlaced(absl::StatusOr<std::string> end);
  void OnListed(const absl::StatusOr<std::vector<jobs::JobRecord>>& page);
  void OnFeed(const absl::StatusOr<jobs::FeedPage>& page);
  void OnFollowing(std::uint64_t number, const absl::Status& begun);
  void OnFound(const std::string& job_id, const absl::StatusOr<jobs::SnapshotPtr>& found);
  void OnFull(const absl::StatusOr<jobs::Frame>& frame);
  // Takes an answer with `take`, under the lock, and goes on.
  template <class Take>
  void Answer(const Take& take);

  void StartList(bool restarted) REQUIRES(mutex_);
  void CompleteList() REQUIRES(mutex_);
  void TellJob(const jobs::SnapshotPtr& job) REQUIRES(mutex_);
  void TellLeft(const jobs::SnapshotPtr& job) REQUIRES(mutex_);
  void TellGone(const std::string& job_id) REQUIRES(mutex_);
  // Makes it the last of the messages to be written.
  void Queue(std::string message, jobs::Frame held = nullptr) REQUIRES(mutex_);
  // The message and the token. `held` is kept as long as the result.
  jobs::Frame WithToken(std::string message, jobs::Frame held) const REQUIRES(mutex_);
  // A job was looked at. To be called before it is told, because the message says how far all is
  // told.
  void Looked() REQUIRES(mutex_);
  void FallBehind() REQUIRES(mutex_);
  bool degraded(const std::string& account) const {
    return options_.degraded && options_.degraded(account);
  }
  bool store_away() const { return options_.store_away && options_.store_away(); }
  std::shared_ptr<JobsStream> Self() {
    return std::static_pointer_cast<JobsStream>(shared_from_this());
  }

  const std::string tenant_;
  const std::shared_ptr<JobFilter> filter_;            // not changed once the names are resolved
  std::vector<std::string> names_ GUARDED_BY(mutex_);  // until then
  const JobsStreamOptions options_;
  const JobsStreamGround ground_;

  Phase phase_ GUARDED_BY(mutex_) = Phase::kIdle;
  bool asked_ GUARDED_BY(mutex_) = false;             // a question is under way
  std::deque<jobs::Frame> ready_ GUARDED_BY(mutex_);  // to be written, in this order
  bool heartbeat_due_ GUARDED_BY(mutex_) = false;
  bool told_ GUARDED_BY(mutex_) = false;  // anything at all

  std::size_t resolved_ GUARDED_BY(mutex_) = 0;          // of the names
  std::vector<std::string> missing_ GUARDED_BY(mutex_);  // of them
  // Some of them may be Pictory's of jobs that an earlier stream has told by ids that are gone.
  bool other_ids_ GUARDED_BY(mutex_) = false;

  // Where another stream could go on. In the catching up it is also where the feed is read next,
  // once `looks_` is empty.
  ResumeToken place_ GUARDED_BY(mutex_);
  std::string page_end_ GUARDED_BY(mutex_);  // behind `looks_`; empty: there is no page
  bool caught_up_ GUARDED_BY(mutex_) = false;
  int list_limit_ GUARDED_BY(mutex_) = limits::kWatchJobsListPage;

  std::deque<Look> looks_ GUARDED_BY(mutex_);  // of the list of ids, or of a page of the feed
  jobs::SnapshotPtr full_ GUARDED_BY(mutex_);  // to be told in the FULL view

  // The Follower's changes.
  Follower::Following following_ GUARDED_BY(mutex_);
  bool hears_ GUARDED_BY(mutex_) = false;  // it is to be told of changes
  std::uint64_t tries_ GUARDED_BY(mutex_) = 0;
  std::deque<JobChangePtr> queue_ GUARDED_BY(mutex_);
  std::unordered_set<std::string_view> queued_ GUARDED_BY(mutex_);  // their job ids
  std::uint64_t taken_ GUARDED_BY(mutex_) = 0;                      // from the queue, and told
  bool taking_ GUARDED_BY(mutex_) = false;                          // one that is being looked at
  std::optional<Mark> mark_ GUARDED_BY(mutex_);
  std::optional<Mark> next_mark_ GUARDED_BY(mutex_);
};

}  // namespace gateway::watch
