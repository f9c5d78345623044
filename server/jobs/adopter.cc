#include "jobs/adopter.h"

#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "jobs/advance.h"
#include "jobs/answered.h"
#include "jobs/outcome.h"

namespace gateway::jobs {

using Kind = pictory::JobReply::Kind;

Adopter::Adopter(bool sandbox, const Shards& shards, Upstreams& upstreams, Ledger& ledger,
                 Jobs& jobs, Hub& hub, const Clock& clock, Random& random)
    : sandbox_(sandbox),
      shards_(shards),
      upstreams_(upstreams),
      ledger_(ledger),
      jobs_(jobs),
      hub_(hub),
      clock_(clock),
      random_(random) {}

void Adopter::Load(const Owner& owner, const std::string& name, Hub::LoadDone done) {
  hub_.Load(
      owner.tenant, name,
      [this, asking = Asking{{owner.tenant, name}, owner.account, owner.OneOfSeveral()},
       adopts = owner.adopts, done = std::move(done)](absl::StatusOr<SnapshotPtr> found) mutable {
        const JobKey& key = asking.key;
        const bool ours = !absl::IsNotFound(found.status()) || IsMintedJobId(key.id);
        if (ours || !adopts || !IsUpstreamId(key.id)) return done(std::move(found));
        absl::Status refused;
        {
          MutexLock lock(mutex_);
          const auto asked = asking_.find(asking);
          if (asked != asking_.end()) return asked->second.push_back(std::move(done));
          const MonoTime now = clock_.Now();
          if (IsUnknown({asking.account, key.id}, now)) {
            refused = found.status();
          } else if (asking_.size() >= limits::kLooksInFlightMax) {
            refused = errors::TooMany("questions to Pictory about unknown jobs",
                                      limits::kLooksInFlightMax, limits::kRetryAfterMin);
          } else {
            asking_[asking].push_back(std::exchange(done, nullptr));
          }
        }
        if (!refused.ok()) return done(std::move(refused));
        Ask(asking);
      });
}

bool Adopter::IsUnknown(const AtPictory& name, MonoTime now) {
  while (!forgets_.empty() && forgets_.front().first <= now) {
    unknown_.erase(forgets_.front().second);
    forgets_.pop_front();
  }
  return unknown_.contains(name);
}

// Asks the store whether the job has an owner. A job that was deleted here, or that is another
// tenant's, has one, and nobody can adopt it.
void Adopter::Ask(const Asking& asking) {
  jobs_.FindOwner(asking.account, asking.key.id,
                  [this, asking](const absl::StatusOr<std::optional<std::string>>& owner) {
                    const JobKey& key = asking.key;
                    if (!owner.ok()) return Finish(asking, owner.status());
                    if (!owner->has_value()) return Look(asking);
                    if (**owner != key.tenant) return Finish(asking, errors::JobNotFound(key.id));
                    // It became this tenant's a moment ago, or was deleted.
                    hub_.Load(key.tenant, key.id,
                              [this, asking](const absl::StatusOr<SnapshotPtr>& found) {
                                Finish(asking, found);
                              });
                  });
}

void Adopter::Look(const Asking& asking) {
  const UpstreamPtr upstream = upstreams_.Of(asking.account);
  absl::StatusOr<Upstream::Turn> turn = upstream->TakeLook(asking.one_of_several);
  if (!turn.ok()) return Finish(asking, turn.status());
  upstream->GetJob(*std::move(turn), {.pictory_job_id = asking.key.id},
                   [this, asking](const pictory::JobReply& reply) { OnReply(asking, reply); });
}

void Adopter::OnReply(const Asking& asking, const pictory::JobReply& reply) {
  const JobKey& key = asking.key;
  if (reply.kind == Kind::kNotFound || reply.refused) {
    {
      MutexLock lock(mutex_);
      if (unknown_.size() >= limits::kUnknownIdsMax) {
        unknown_.erase(forgets_.front().second);
        forgets_.pop_front();
      }
      AtPictory name{asking.account, key.id};
      if (unknown_.insert(name).second) {
        forgets_.emplace_back(clock_.Now() + limits::kUnknownIdKept, std::move(name));
      }
    }
    return Finish(asking, errors::JobNotFound(key.id));
  }
  if (!KnowsJob(reply.kind)) return Finish(asking, WhyUnanswered(reply));
  const WallTime now = clock_.WallNow();
  JobRecord record = FoundAtPictory(key.id, now);
  record.job.tenant = key.tenant;
  record.job.account = asking.account;
  record.job.job_id = MintJobId(now, random_);
  record.job.sandbox = sandbox_;
  record.job.shard = shards_.Pick(random_);
  ledger_.Adopt(std::move(record), [this, asking, reply](Ledger::Outcome outcome) {
    OnAdopted(asking, reply, std::move(outcome));
  });
}

// Stores what Pictory has said of the job, like the reply to a poll.
void Adopter::OnAdopted(const Asking& asking, const pictory::JobReply& reply,
                        Ledger::Outcome outcome) {
  if (absl::IsAlreadyExists(outcome.status)) {
    // The answer to the job's own submit has come meanwhile, or the job was adopted through another
    // gateway.
    return hub_.Load(
        asking.key.tenant, asking.key.id,
        [this, asking](const absl::StatusOr<SnapshotPtr>& found) { Finish(asking, found); });
  }
  if (!outcome.status.ok()) return Finish(asking, outcome.status);
  const SnapshotPtr adopted = outcome.seen;
  Advanced advanced = Advance(outcome.record, reply, clock_.WallNow());
  if (!advanced.store) return Finish(asking, adopted);
  Ledger::Change change{.parts = PartsToStore(advanced.record, reply), .hidden = !advanced.visible};
  change.record = std::move(advanced.record);
  // If this cannot be stored, the next poll brings it again.
  ledger_.Update(std::move(change), [this, asking, adopted](const Ledger::Outcome& stored) {
    Finish(asking, stored.seen != nullptr ? stored.seen : adopted);
  });
}

void Adopter::Finish(const Asking& asking, const absl::StatusOr<SnapshotPtr>& answer) {
  std::vector<Hub::LoadDone> waiting;
  {
    MutexLock lock(mutex_);
    const auto asked = asking_.find(asking);
    waiting = std::move(asked->second);
    asking_.erase(asked);
  }
  for (const Hub::LoadDone& done : waiting) done(answer);
}

}  // namespace gateway::jobs
