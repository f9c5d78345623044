#include "jobs/adopter.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "jobs/advance.h"
#include "jobs/answered.h"
#include "jobs/outcome.h"

namespace gateway::jobs {

using Kind = pictory::JobReply::Kind;

namespace {

absl::Status TooManyLooks() {
  return errors::TooMany("questions to Pictory about unknown jobs", limits::kLooksInFlightMax,
                         limits::kRetryAfterMin);
}

}  // namespace

Adopter::Adopter(bool sandbox, Upstream& upstream, Ledger& ledger, Jobs& jobs, Hub& hub,
                 const Clock& clock, Random& random)
    : sandbox_(sandbox),
      upstream_(upstream),
      ledger_(ledger),
      jobs_(jobs),
      hub_(hub),
      clock_(clock),
      random_(random),
      looks_at_(clock.Now()) {}

void Adopter::Load(const std::string& tenant, const std::string& name, Hub::LoadDone done) {
  hub_.Load(tenant, name,
            [this, key = JobKey{tenant, name},
             done = std::move(done)](absl::StatusOr<SnapshotPtr> found) mutable {
              const bool ours = !absl::IsNotFound(found.status()) || IsMintedJobId(key.id);
              if (ours || !IsUpstreamId(key.id)) return done(std::move(found));
              absl::Status refused;
              {
                MutexLock lock(mutex_);
                const auto asking = asking_.find(key);
                if (asking != asking_.end()) return asking->second.push_back(std::move(done));
                const MonoTime now = clock_.Now();
                if (IsUnknown(key.id, now)) {
                  refused = found.status();
                } else if (asking_.size() >= limits::kLooksInFlightMax) {
                  refused = TooManyLooks();
                } else {
                  asking_[key].push_back(std::move(done));
                }
              }
              if (!refused.ok()) return done(std::move(refused));
              Ask(key);
            });
}

bool Adopter::IsUnknown(const std::string& name, MonoTime now) {
  while (!forgets_.empty() && forgets_.front().first <= now) {
    unknown_.erase(forgets_.front().second);
    forgets_.pop_front();
  }
  return unknown_.contains(name);
}

bool Adopter::TakeLook(MonoTime now) {
  const double seconds = std::chrono::duration<double>(now - looks_at_).count();
  const double more = seconds * upstream_.requests_per_second() * limits::kLooksShare;
  looks_ = std::min(limits::kLooksBurst, looks_ + more);
  looks_at_ = now;
  if (looks_ < 1) return false;
  --looks_;
  return true;
}

// Asks the store whether the job has an owner. A job that was deleted here, or that is another
// tenant's, has one, and nobody can adopt it.
void Adopter::Ask(const JobKey& key) {
  jobs_.FindOwner(
      kDefaultAccount, key.id,
      [this, key](const absl::StatusOr<std::optional<std::string>>& owner) {
        if (!owner.ok()) return Finish(key, owner.status());
        if (!owner->has_value()) return Look(key);
        if (**owner != key.tenant) return Finish(key, errors::JobNotFound(key.id));
        // It became this tenant's a moment ago, or was deleted.
        hub_.Load(key.tenant, key.id,
                  [this, key](const absl::StatusOr<SnapshotPtr>& found) { Finish(key, found); });
      });
}

void Adopter::Look(const JobKey& key) {
  bool may;
  {
    MutexLock lock(mutex_);
    may = TakeLook(clock_.Now());
  }
  if (!may) return Finish(key, TooManyLooks());
  std::optional<Upstream::Turn> turn = upstream_.TryTake(Purpose::kLook);
  if (!turn.has_value()) return Finish(key, upstream_.Refusal(Purpose::kLook));
  upstream_.GetJob(*std::move(turn), {.pictory_job_id = key.id},
                   [this, key](const pictory::JobReply& reply) { OnReply(key, reply); });
}

void Adopter::OnReply(const JobKey& key, const pictory::JobReply& reply) {
  if (reply.kind == Kind::kNotFound || reply.refused) {
    {
      MutexLock lock(mutex_);
      if (unknown_.size() >= limits::kUnknownIdsMax) {
        unknown_.erase(forgets_.front().second);
        forgets_.pop_front();
      }
      if (unknown_.insert(key.id).second) {
        forgets_.emplace_back(clock_.Now() + limits::kUnknownIdKept, key.id);
      }
    }
    return Finish(key, errors::JobNotFound(key.id));
  }
  if (!KnowsJob(reply.kind)) return Finish(key, WhyUnanswered(reply));
  const WallTime now = clock_.WallNow();
  JobRecord record = FoundAtPictory(key.id, now);
  record.job.tenant = key.tenant;
  record.job.job_id = MintJobId(now, random_);
  record.job.sandbox = sandbox_;
  ledger_.Adopt(std::move(record), [this, key, reply](Ledger::Outcome outcome) {
    OnAdopted(key, reply, std::move(outcome));
  });
}

// Stores what Pictory has said of the job, like the reply to a poll.
void Adopter::OnAdopted(const JobKey& key, const pictory::JobReply& reply,
                        Ledger::Outcome outcome) {
  if (absl::IsAlreadyExists(outcome.status)) {
    // The answer to the job's own submit has come meanwhile, or the job was adopted through another
    // gateway.
    return hub_.Load(key.tenant, key.id,
                     [this, key](const absl::StatusOr<SnapshotPtr>& found) { Finish(key, found); });
  }
  if (!outcome.status.ok()) return Finish(key, outcome.status);
  const SnapshotPtr adopted = outcome.seen;
  Advanced advanced = Advance(outcome.record, reply, clock_.WallNow());
  if (!advanced.store) return Finish(key, adopted);
  Ledger::Change change{.parts = PartsToStore(advanced.record, reply), .hidden = !advanced.visible};
  change.record = std::move(advanced.record);
  // If this cannot be stored, the next poll brings it again.
  ledger_.Update(std::move(change), [this, key, adopted](const Ledger::Outcome& stored) {
    Finish(key, stored.seen != nullptr ? stored.seen : adopted);
  });
}

void Adopter::Finish(const JobKey& key, const absl::StatusOr<SnapshotPtr>& answer) {
  std::vector<Hub::LoadDone> waiting;
  {
    MutexLock lock(mutex_);
    const auto asking = asking_.find(key);
    waiting = std::move(asking->second);
    asking_.erase(asking);
  }
  for (const Hub::LoadDone& done : waiting) done(answer);
}

}  // namespace gateway::jobs
