// The second part of Resolver: what webhook calls, and answers that came of a submit, say which job
// an unconfirmed one is. Pictory is asked about it before anything is believed.
#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "base/ids.h"
#include "base/limits.h"
#include "jobs/answered.h"
#include "jobs/guards.h"
#include "jobs/outcome.h"
#include "jobs/resolver.h"

namespace gateway::jobs {
namespace {

using Kind = pictory::JobReply::Kind;

}  // namespace

void Resolver::RecallHints(const JobKey& key) {
  {
    MutexLock lock(mutex_);
    if (!unconfirmed_.contains(key)) return;
  }
  sharing_.FindHints(key, [this, key](absl::StatusOr<std::vector<std::string>> hints) {
    if (!hints.ok()) return RecallLater(key);
    for (std::string& id : *hints) TakeHint(key, std::move(id));
  });
}

// A job that is being decided about here stays until that is done.
// A hint that stays unread may be all that ever says which job it is.
void Resolver::RecallLater(const JobKey& key) {
  MutexLock lock(mutex_);
  if (stopped_) return;
  unread_.insert(key);
  if (recall_ == Timers::kNone) {
    recall_ = timers_.At(clock_.Now() + limits::kHintsReadAgain, [this] { RecallUnread(); });
  }
}

void Resolver::RecallUnread() {
  std::unordered_set<JobKey> unread;
  {
    MutexLock lock(mutex_);
    recall_ = Timers::kNone;
    unread.swap(unread_);
  }
  for (const JobKey& key : unread) RecallHints(key);
}

void Resolver::Recall(std::vector<Hint> hints) {
  MutexLock lock(mutex_);
  for (Hint& hint : hints) NoteEarly(hint.job, std::move(hint.pictory_job_id));
}

void Resolver::OnWebhookCall(const std::string& token, std::vector<std::string> pictory_job_ids,
                             WebhookCallDone done) {
  std::erase_if(pictory_job_ids, [](const std::string& id) { return !IsUpstreamId(id); });
  submissions_.FindToken(token, [this, ids = std::move(pictory_job_ids), done = std::move(done)](
                                    absl::StatusOr<std::optional<JobRecord>> found) {
    const bool known = found.ok() && found->has_value();
    const bool unconfirmed = known && (*found)->submission == SubmissionState::kUnknown;
    if (events_.webhook_called) events_.webhook_called(known, unconfirmed);
    if (!known) return done(found.status());
    const JobRecord& record = **found;
    const JobKey key{record.job.tenant, record.job.job_id};
    if (record.submission == SubmissionState::kAccepted) {
      // Only a poll tells what has become of the job, and it would without a hint too.
      const bool own =
          ids.empty() || std::find(ids.begin(), ids.end(), record.job.pictory_job_id) != ids.end();
      if (own) poller_.Hint(key.tenant, key.id);
      if (own && !shards_.Has(record.job.shard)) return sharing_.Nudge(key, done);
      return done(absl::OkStatus());
    }
    // The job may be unconfirmed in the store already, and not yet here.
    const bool open = unconfirmed || record.submission == SubmissionState::kSending;
    if (!open || ids.empty() || IsOff(Guard::kEarlyWebhookCall)) return done(absl::OkStatus());
    for (const std::string& id : ids) KeepEarly(key, id);
    submissions_.KeepHints(key, ids, done);
  });
}

// Keeps a hint that comes while the answer to the submit is still to come. The answer says more
// than the hint; if it does not come, the hint is what is known.
void Resolver::KeepEarly(const JobKey& key, std::string pictory_job_id) {
  bool is_unconfirmed;
  {
    MutexLock lock(mutex_);
    is_unconfirmed = unconfirmed_.contains(key);  // it has become so while the store was asked
    if (!is_unconfirmed) NoteEarly(key, pictory_job_id);
  }
  if (is_unconfirmed) TakeHint(key, std::move(pictory_job_id));
}

void Resolver::NoteEarly(const JobKey& key, std::string pictory_job_id) {
  const MonoTime now = clock_.Now();
  if (early_.size() >= limits::kEarlyHintsMax) {
    std::erase_if(early_, [now](const auto& entry) {
      return now - entry.second.came > limits::kEarlyHintKept;
    });
  }
  if (early_.size() >= limits::kEarlyHintsMax && !early_.contains(key)) return;
  // All ids are kept, as for an unconfirmed job: a wrong one must not hide the right one.
  EarlyHint& hint = early_[key];
  hint.came = now;
  std::vector<std::string>& ids = hint.pictory_job_ids;
  const bool known = std::find(ids.begin(), ids.end(), pictory_job_id) != ids.end();
  if (!known && ids.size() < limits::kHintsMax) ids.push_back(std::move(pictory_job_id));
}

Resolver::Candidate* Resolver::Find(Unconfirmed& entry, const std::string& pictory_job_id) {
  const auto found =
      std::find_if(entry.hints.begin(), entry.hints.end(),
                   [&](const Candidate& hint) { return hint.pictory_job_id == pictory_job_id; });
  return found == entry.hints.end() ? nullptr : &*found;
}

void Resolver::TakeHint(const JobKey& key, std::string pictory_job_id) {
  {
    MutexLock lock(mutex_);
    const auto found = unconfirmed_.find(key);
    if (found == unconfirmed_.end() || stopped_ || Find(found->second, pictory_job_id) != nullptr)
      return;
    std::vector<Candidate>& hints = found->second.hints;
    if (hints.size() >= limits::kHintsMax) {  // only who knows the token can name so many
      const auto unknown =
          std::find_if(hints.begin(), hints.end(), [](const Candidate& h) { return h.unknown; });
      if (unknown == hints.end()) return;
      hints.erase(unknown);
    }
    hints.push_back({.pictory_job_id = pictory_job_id, .due = clock_.Now()});
  }
  if (IsOff(Guard::kAskBeforeAdopting))
    return OnHintAnswer(key, pictory_job_id, {.kind = Kind::kRunning});
  AskAboutHint(key);
}

// Asks Pictory about the candidate that is due first: one question at a time for each job.
void Resolver::AskAboutHint(const JobKey& key) {
  Upstream::Question question;
  UpstreamPtr upstream;
  std::optional<Upstream::Turn> turn;
  {
    MutexLock lock(mutex_);
    const auto found = unconfirmed_.find(key);
    if (found == unconfirmed_.end() || stopped_) return;
    Unconfirmed& entry = found->second;
    if (entry.hints.empty() || entry.asking) return;
    Candidate& hint =
        *std::min_element(entry.hints.begin(), entry.hints.end(),
                          [](const Candidate& a, const Candidate& b) { return a.due < b.due; });
    const MonoTime now = clock_.Now();
    upstream = upstreams_.Of(entry.record.job.account);
    MonoTime at =
        std::max(hint.due, entry.asked == MonoTime{} ? now : entry.asked + limits::kHintInterval);
    if (at <= now) {
      turn = upstream->TryTake(Purpose::kLook);
      if (!turn.has_value()) {
        at = std::max(upstream->NextAt(Purpose::kLook), now + std::chrono::milliseconds(1));
      }
    }
    const Timers::Id armed = std::exchange(entry.timer, Timers::kNone);
    if (armed != Timers::kNone) timers_.Cancel(armed);
    if (!turn.has_value()) {
      entry.timer = timers_.At(at, [this, key] { AskAboutHint(key); });
      return;
    }
    entry.asking = true;
    entry.asked = now;
    if (!hint.first_asked.has_value()) hint.first_asked = now;
    // The question is only whether Pictory knows the job; the job's polls read the result.
    question = {
        .pictory_job_id = hint.pictory_job_id,
        .kind = entry.record.job.kind,
        .timeout = Doubled(limits::kPollTimeout, hint.failures, limits::kSlowPollTimeoutMax)};
  }
  upstream->GetJob(*std::move(turn), question,
                   [this, key, id = question.pictory_job_id](const pictory::JobReply& reply) {
                     OnHintAnswer(key, id, reply);
                   });
}

void Resolver::OnHintAnswer(const JobKey& key, const std::string& pictory_job_id,
                            const pictory::JobReply& reply) {
  if (KnowsJob(reply.kind)) {
    JobRecord record;
    if (!Claim(key, record)) return AskAgain(key, pictory_job_id, limits::kResolveRetry);
    return StoreResolved(
        key, Adopted(record, pictory_job_id, clock_.WallNow()), "hint",
        [this, key, record, pictory_job_id](const absl::StatusOr<SnapshotPtr>& resolved) {
          if (resolved.ok()) return;
          // A store that is busy says nothing about the hint.
          if (!absl::IsAlreadyExists(resolved.status())) {
            return AskAgain(key, pictory_job_id, limits::kPollErrorFirst);
          }
          if (events_.foreign) events_.foreign(record, pictory_job_id);
          DropHint(key, pictory_job_id);
        });
  }
  Duration delay = limits::kPollErrorFirst;
  bool wrong = false;
  {
    MutexLock lock(mutex_);
    const auto found = unconfirmed_.find(key);
    if (found == unconfirmed_.end()) return;
    Candidate* const hint = Find(found->second, pictory_job_id);
    if (hint != nullptr) {
      hint->unknown = !pictory::SaidNothing(reply.kind);
      if (reply.kind == Kind::kNotFound) {
        // Right after Pictory has accepted a job, it may not know the job yet.
        wrong = clock_.Now() - *hint->first_asked >= limits::kNotFoundGrace;
      } else {
        delay = Doubled(delay, hint->failures++, limits::kPollErrorMax);
      }
    }
    delay = std::max(delay, reply.retry_after);
  }
  wrong ? DropHint(key, pictory_job_id) : AskAgain(key, pictory_job_id, delay);
}

void Resolver::AskAgain(const JobKey& key, const std::string& pictory_job_id, Duration delay) {
  {
    MutexLock lock(mutex_);
    const auto found = unconfirmed_.find(key);
    if (found == unconfirmed_.end()) return;
    found->second.asking = false;
    if (Candidate* const hint = Find(found->second, pictory_job_id))
      hint->due = clock_.Now() + delay;
  }
  AskAboutHint(key);
}

void Resolver::DropHint(const JobKey& key, const std::string& pictory_job_id) {
  {
    MutexLock lock(mutex_);
    const auto found = unconfirmed_.find(key);
    if (found == unconfirmed_.end()) return;
    found->second.asking = false;
    std::erase_if(found->second.hints,
                  [&](const Candidate& hint) { return hint.pictory_job_id == pictory_job_id; });
  }
  AskAboutHint(key);
}

}  // namespace gateway::jobs
