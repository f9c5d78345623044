#include "simulation/sim_shared_store.h"

#include <memory>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::simulation {
namespace {

using jobs::JobRecord;
using namespace std::chrono_literals;

absl::Status Away() { return errors::StoreAway(limits::kStoreRetryAfter); }

}  // namespace

SimSharedStore::SimSharedStore(SimDatabase& database, int gateway, ProcessClock& clock,
                               std::mt19937_64& random, const WayTrouble& trouble)
    : database_(database), gateway_(gateway), clock_(clock), random_(random), trouble_(trouble) {
  database_.Listen(gateway_, [this] {
    if (following_.has_value()) TellNews(Between(1us, trouble_.feed_delay));
  });
}

bool SimSharedStore::Chance(double probability) {
  return probability > 0 && static_cast<double>(random_() >> 11) * 0x1.0p-53 < probability;
}

Duration SimSharedStore::Between(Duration least, Duration most) {
  const auto spread = static_cast<std::uint64_t>((most - least).count());
  return least + Duration(static_cast<Duration::rep>(random_() % (spread + 1)));
}

void SimSharedStore::Crash() {
  queue_.clear();
  committing_ = false;
  following_.reset();
  telling_ = false;
  leaves_ = false;
  first_read_ = true;
  heard_until_ = MonoTime::min();
}

// Writes.

void SimSharedStore::Post(Write write, Refuse refuse) {
  if (auto then = std::exchange(next_write_, nullptr)) then();
  queue_.push_back({std::move(write), std::move(refuse), clock_.Now()});
  if (!committing_) CommitLater(Chance(0.01) ? Between(20ms, 500ms) : Between(300us, 4ms));
}

void SimSharedStore::CommitLater(Duration delay) {
  committing_ = true;
  clock_.In(delay, [this] { Commit(); });
}

// What is committed here and not answered is what a kill leaves in the dark. No other group is
// committed before the answer.
void SimSharedStore::Commit() {
  std::vector<std::function<void()>> answers;
  const bool lost = Chance(trouble_.answer_lost);
  const bool done = database_.reachable(gateway_) && !(lost && Chance(0.5));
  if (done) {
    database_.Join(gateway_);
    std::deque<Pending> group;
    group.swap(queue_);
    for (Pending& pending : group) {
      std::function<void()> answer = pending.write();
      if (lost && database_.bugs().guesses_lost_answers) {
        answer = [refuse = std::move(pending.refuse)] { refuse(Away()); };
      }
      answers.push_back(std::move(answer));
    }
  }
  // What has waited for long enough is refused, and nothing has come of it.
  while (!queue_.empty() && clock_.Now() - queue_.front().since >= limits::kStoreAwayWait) {
    answers.push_back([refuse = std::move(queue_.front().refuse)] { refuse(Away()); });
    queue_.pop_front();
  }
  clock_.In(lost ? Between(100ms, 8s) : Between(50us, 2ms),
            [this, answers = std::move(answers), done] {
              for (const auto& answer : answers) answer();
              committing_ = false;
              if (!queue_.empty()) CommitLater(done ? Between(300us, 4ms) : Between(100ms, 2s));
            });
}

template <class T, class Ask>
void SimSharedStore::PostFor(Ask ask, Callback<T> done) {
  Post(
      [ask = std::move(ask), done]() mutable {
        auto result = std::make_shared<absl::StatusOr<T>>(ask());
        return std::function<void()>([done, result] { done(std::move(*result)); });
      },
      [done](const absl::Status& why) { done(why); });
}

void SimSharedStore::PostOf(std::function<absl::Status()> change, Done done) {
  Post([change = std::move(change),
        done] { return std::function<void()>([done, result = change()] { done(result); }); },
       [done](const absl::Status& why) { done(why); });
}

void SimSharedStore::Begin(JobRecord record, Callback<jobs::BeginResult> done) {
  PostFor<jobs::BeginResult>(
      [this, record = std::move(record)] { return database_.Begin(gateway_, record, limits_of_); },
      std::move(done));
}

void SimSharedStore::Update(JobRecord record, std::vector<pictory::JobResult::Part> parts,
                            Done done) {
  PostOf([this, record = std::move(record),
          parts = std::move(parts)] { return database_.Update(record, parts, limits_of_); },
         std::move(done));
}

void SimSharedStore::Adopt(JobRecord record, Done done) {
  PostOf([this, record = std::move(record)] { return database_.Adopt(record); }, std::move(done));
}

void SimSharedStore::TakeOver(JobRecord record, std::int64_t adopted_version,
                              Callback<std::string> done) {
  PostFor<std::string>([this, record = std::move(record),
                        adopted_version] { return database_.TakeOver(record, adopted_version); },
                       std::move(done));
}

void SimSharedStore::Delete(JobRecord record, Done done) {
  PostOf([this, record = std::move(record)] { return database_.Delete(record); }, std::move(done));
}

void SimSharedStore::Prune(jobs::PruneQuery query, Callback<std::vector<jobs::JobKey>> done) {
  using Keys = std::vector<jobs::JobKey>;
  PostFor<Keys>([this, query]() -> absl::StatusOr<Keys> { return database_.Prune(query); },
                std::move(done));
}

void SimSharedStore::KeepHints(jobs::JobKey job, std::vector<std::string> pictory_job_ids,
                               Done done) {
  PostOf(
      [this, job = std::move(job), ids = std::move(pictory_job_ids)] {
        absl::Status kept;
        database_.rows().KeepHints(job, ids,
                                   [&kept](const absl::Status& status) { kept = status; });
        database_.Hint(job);
        return kept;
      },
      std::move(done));
}

void SimSharedStore::Nudge(jobs::JobKey job, Done done) {
  PostOf(
      [this, job = std::move(job)] {
        database_.Hint(job);
        return absl::OkStatus();
      },
      std::move(done));
}

void SimSharedStore::SetStopped(bool stopped, Done done) {
  PostOf(
      [this, stopped] {
        database_.SetStopped(gateway_, stopped);
        return absl::OkStatus();
      },
      std::move(done));
}

void SimSharedStore::Claim(jobs::OwedAnswers::Claim claim, Callback<bool> done) {
  PostFor<bool>(
      [this, claim] {
        absl::StatusOr<bool> result = absl::UnknownError("");
        database_.rows().Claim(claim, [&result](auto claimed) { result = std::move(claimed); });
        return result;
      },
      std::move(done));
}

void SimSharedStore::NoteAsked(std::string account, jobs::Asked asked, Done done) {
  PostOf(
      [this, account = std::move(account), asked] {
        database_.NoteAsked(account, asked);
        return absl::OkStatus();
      },
      std::move(done));
}

// Every submit of such a day has a request_id, so no answer is owed.
void SimSharedStore::EndEpoch(std::vector<jobs::OwedJob>, Done done) { done(absl::OkStatus()); }

// Leases.

void SimSharedStore::Renew(Callback<jobs::Holding> done) {
  if (!database_.reachable(gateway_)) {
    return clock_.In(Between(1ms, 3s), [done] { done(Away()); });
  }
  auto holding =
      std::make_shared<jobs::Holding>(database_.Renew(gateway_, clock_.BootNow(), leaves_));
  const bool lost = Chance(trouble_.answer_lost);
  clock_.In(lost ? Between(1s, 3s) : Between(1ms, 100ms),
            [done, lost, holding] { lost ? done(Away()) : done(std::move(*holding)); });
}

absl::StatusOr<jobs::Recovered> SimSharedStore::Recover(WallTime now) {
  return database_.Recover(gateway_, now);
}

absl::Status SimSharedStore::ReadUnfinished(const std::function<void(JobRecord)>& take) {
  return database_.rows().ReadUnfinished(take);
}

// The feed.

void SimSharedStore::FindFeedEnd(Callback<std::string> done) {
  Read<std::string>(
      [this](jobs::Store&, const auto& found) {
        heard_until_ = clock_.Now();
        found(database_.FeedEnd());
      },
      std::move(done));
}

MonoTime SimSharedStore::heard_until() const {
  const bool follows =
      following_.has_value() && !telling_ && !clock_.stopped() && database_.reachable(gateway_);
  return follows ? clock_.Now() : heard_until_;
}

void SimSharedStore::ReadFeed(std::string position, int limit, Callback<jobs::FeedPage> done) {
  following_ = {std::move(position), limit, std::move(done)};
  telling_ = false;
  if (std::exchange(first_read_, false) || database_.HasNews(following_->position)) {
    TellNews(Between(50us, 5ms));
  }
}

void SimSharedStore::TellNews(Duration delay) {
  if (std::exchange(telling_, true)) return;
  clock_.In(delay, [this] {
    Following reader = *std::exchange(following_, std::nullopt);
    telling_ = false;
    if (!database_.reachable(gateway_)) return reader.done(Away());
    absl::StatusOr<jobs::FeedPage> page = database_.ReadFeed(reader.position, reader.limit);
    if (page.ok()) heard_until_ = clock_.Now();
    reader.done(std::move(page));
  });
}

// Reads.

template <class T, class Ask>
void SimSharedStore::Read(Ask ask, Callback<T> done) {
  auto result = std::make_shared<absl::StatusOr<T>>(Away());
  const bool reachable = database_.reachable(gateway_);
  if (reachable) {
    ask(database_.rows(), [result](absl::StatusOr<T> found) { *result = std::move(found); });
  }
  const bool slow = !reachable || Chance(trouble_.slow_read);
  clock_.In(slow ? Between(10ms, 3s) : Between(100us, 3ms),
            [result, done = std::move(done)] { done(std::move(*result)); });
}

void SimSharedStore::ReadShards(std::vector<std::int32_t> shards,
                                std::function<void(JobRecord)> take, Done done) {
  using Records = std::vector<JobRecord>;
  Read<Records>(
      [shards = std::move(shards)](jobs::Store& rows, const auto& read) {
        Records records;
        rows.ReadShards(
            shards, [&records](JobRecord record) { records.push_back(std::move(record)); },
            [](const absl::Status&) {});
        read(std::move(records));
      },
      [take = std::move(take), done = std::move(done)](const absl::StatusOr<Records>& records) {
        if (!records.ok()) return done(records.status());
        for (const JobRecord& record : *records) take(record);
        done(absl::OkStatus());
      });
}

void SimSharedStore::FindRequest(std::string tenant, std::string request_id,
                                 Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      [tenant, request_id](jobs::Store& rows, auto found) {
        rows.FindRequest(tenant, request_id, found);
      },
      std::move(done));
}

void SimSharedStore::FindSpent(std::optional<std::string> tenant,
                               Callback<std::vector<jobs::SpentTotal>> done) {
  Read<std::vector<jobs::SpentTotal>>(
      [this, tenant](jobs::Store&, auto found) { found(database_.FindSpent(tenant)); },
      std::move(done));
}

void SimSharedStore::FindToken(std::string token, Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      [token](jobs::Store& rows, auto found) { rows.FindToken(token, found); }, std::move(done));
}

void SimSharedStore::FindWithoutRequestId(std::string tenant, std::string fingerprint,
                                          jobs::RetryEvidence evidence, WallTime since,
                                          Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      [tenant, fingerprint, evidence, since](jobs::Store& rows, auto found) {
        rows.FindWithoutRequestId(tenant, fingerprint, evidence, since, found);
      },
      std::move(done));
}

void SimSharedStore::FindEqual(jobs::EqualQuery query, Callback<std::vector<JobRecord>> done) {
  Read<std::vector<JobRecord>>(
      [this, query](jobs::Store&, auto found) { database_.rows().FindEqual(query, found); },
      std::move(done));
}

void SimSharedStore::FindHints(jobs::JobKey job, Callback<std::vector<std::string>> done) {
  if (database_.bugs().own_hints) return done(std::vector<std::string>{});
  Read<std::vector<std::string>>(
      [this, job](jobs::Store&, auto found) { database_.rows().FindHints(job, found); },
      std::move(done));
}

void SimSharedStore::Find(std::string tenant, std::string name,
                          Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      [tenant, name](jobs::Store& rows, auto found) { rows.Find(tenant, name, found); },
      std::move(done));
}

void SimSharedStore::FindMany(std::vector<jobs::JobKey> keys,
                              Callback<std::vector<JobRecord>> done) {
  Read<std::vector<JobRecord>>(
      [keys](jobs::Store& rows, auto found) { rows.FindMany(keys, found); }, std::move(done));
}

void SimSharedStore::FindOwner(std::string account, std::string pictory_job_id,
                               Callback<std::optional<std::string>> done) {
  Read<std::optional<std::string>>(
      [account, pictory_job_id](jobs::Store& rows, auto found) {
        rows.FindOwner(account, pictory_job_id, found);
      },
      std::move(done));
}

void SimSharedStore::List(std::string tenant, jobs::ListQuery query,
                          Callback<std::vector<JobRecord>> done) {
  Read<std::vector<JobRecord>>(
      [tenant, query](jobs::Store& rows, auto found) { rows.List(tenant, query, found); },
      std::move(done));
}

void SimSharedStore::ReadPart(std::string tenant, std::string job_id, jobs::v1::ResultPart part,
                              std::int64_t offset, std::int64_t max_bytes,
                              Callback<jobs::PartChunk> done) {
  Read<jobs::PartChunk>(
      [tenant, job_id, part, offset, max_bytes](jobs::Store& rows, auto found) {
        rows.ReadPart(tenant, job_id, part, offset, max_bytes, found);
      },
      std::move(done));
}

}  // namespace gateway::simulation
