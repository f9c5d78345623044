#include "jobs/owed_answers.h"
#include "base/limits.h"

#include <algorithm>
#include <utility>

namespace gateway::jobs {
struct OwedAnswers::Entry {
  enum class Stage {
    kRunning,
    kAnswered,  // or would be, if there were anybody to answer
    kVoid,      // it has cost nothing, and callers are being told so
  };
  enum class Fate {
    kLost,     // no call with the answer has ended well, since it was last given
    kUnknown,  // the process that gave it is no more
    kArrived,  // a call with it has ended well
  };

  JobKey request;
  std::string fingerprint;
  std::string job_id;  // "" until answered
  Stage stage = Stage::kRunning;
  Fate fate = Fate::kLost;
  Fate before = Fate::kLost;  // the answer was given again
  MonoTime answered{};        // the last time
  MonoTime arriving_since{};  // the first of the times, one after the other, that it arrived
  bool named = false;         // since it was last given
  bool must_claim = true;     // the store may know of others who take it
  std::int32_t claims = 0;
  int open = 0;  // calls that are to carry the answer, and have not ended

  bool running() const { return stage == Stage::kRunning && job_id.empty(); }
  void GiveAgain() {
    before = std::exchange(fate, Fate::kLost);
    named = false;
  }
};

const char* RuleName(AnswerRule rule) {
  switch (rule) {
    case AnswerRule::kOwn:
      return "own";
    case AnswerRule::kRetry:
      return "retry";
    case AnswerRule::kJoined:
      return "joined";
    case AnswerRule::kUndelivered:
      return "undelivered";
    case AnswerRule::kSeemsArrived:
      return "unsettled";
  }
  return "own";
}

void OwedAnswers::Recover(std::vector<OwedJob> owed) {
  const MonoTime now = clock_.Now();
  MutexLock lock(mutex_);
  for (const OwedJob& job : owed) {
    const EntryPtr entry = FindOrMake({job.tenant, job.request_id}, job.fingerprint);
    entry->stage = Entry::Stage::kAnswered;
    entry->fate = job.delivery == Delivery::kLost           ? Entry::Fate::kLost
                  : job.delivery == Delivery::kSeemsArrived ? Entry::Fate::kArrived
                                                            : Entry::Fate::kUnknown;
    entry->answered = entry->arriving_since = now;
    entry->claims = job.claims;
    Name(*entry, job.job_id);
  }
}

OwedAnswers::Verdict OwedAnswers::Ask(const std::string& tenant, const std::string& fingerprint,
                                      const std::string& request_id, Id id) {
  Verdict verdict{.rule = AnswerRule::kOwn, .request_id = request_id, .claim = {}, .call = {}};
  const MonoTime now = clock_.Now();
  MutexLock lock(mutex_);
  if (entries_.size() >= sweep_at_ && now >= next_sweep_) Sweep(now);
  const bool known = id == Id::kRepeated || id == Id::kWaiting;
  const Equal equal = known ? Equal{} : FindEqual({tenant, fingerprint}, now);
  EntryPtr entry = equal.running != nullptr ? equal.running
                   : equal.owed != nullptr  ? equal.owed
                                            : equal.on_its_way;
  if (equal.running == nullptr && equal.owed != nullptr) {
    verdict.rule =
        entry->fate == Entry::Fate::kArrived ? AnswerRule::kSeemsArrived : AnswerRule::kUndelivered;
    if (entry->must_claim) verdict.claim = Claim{{tenant, entry->job_id}, entry->claims};
    entry->GiveAgain();
  } else if (entry != nullptr) {
    verdict.rule = AnswerRule::kJoined;
  } else {
    if (id != Id::kMinted) verdict.rule = AnswerRule::kRetry;
    if (id == Id::kWaiting || id == Id::kRunsElsewhere) verdict.rule = AnswerRule::kJoined;
    if (id == Id::kOwedElsewhere) verdict.rule = AnswerRule::kUndelivered;
    entry = TakeUp({tenant, request_id}, fingerprint, id, now);
    if (entry == nullptr) return verdict;
  }
  verdict.request_id = entry->request.id;
  ++entry->open;
  verdict.call = std::make_shared<Call>(*this, std::move(entry));
  return verdict;
}

// Gives the entry that a submit runs under. The answer of an earlier call (an `id` that is not
// kMinted) needs no claim: the store may have noted that it has arrived, how often it was claimed
// is not known here, and nobody else has to be kept from it.
OwedAnswers::EntryPtr OwedAnswers::TakeUp(const JobKey& request, const std::string& fingerprint,
                                          Id id, MonoTime now) {
  if (const EntryPtr known = Find(request)) {
    if (!IsOver(*known, now)) {
      if (known->open == 0) known->GiveAgain();
      return known;
    }
    Forget(*known);
  }
  if (entries_.size() >= limits::kOwedAnswersMax) return nullptr;
  const EntryPtr made = FindOrMake(request, fingerprint);
  made->must_claim = id == Id::kMinted;
  return made;
}

OwedAnswers::Equal OwedAnswers::FindEqual(const JobKeyView& content, MonoTime now) const {
  Equal equal;
  const auto found = by_content_.find(content);
  if (found == by_content_.end()) return equal;
  for (const EntryPtr& entry : found->second) {
    const bool arrived = entry->named && entry->open > 0;  // its call need only end
    if (entry->stage == Entry::Stage::kVoid || arrived || IsOver(*entry, now)) continue;
    const bool free = entry->stage == Entry::Stage::kAnswered && entry->open == 0;
    EntryPtr& place = entry->running() ? equal.running : free ? equal.owed : equal.on_its_way;
    if (place == nullptr) place = entry;
  }
  return equal;
}

void OwedAnswers::Wanted(const std::string& tenant, const std::string& fingerprint) {
  const MonoTime now = clock_.Now();
  MutexLock lock(mutex_);
  const auto found = by_content_.find(JobKeyView{tenant, fingerprint});
  if (found == by_content_.end()) return;
  for (const EntryPtr& entry : found->second) {
    if (entry->stage == Entry::Stage::kAnswered && !IsOver(*entry, now)) entry->answered = now;
  }
}

void OwedAnswers::Claimed(const JobKey& request) {
  MutexLock lock(mutex_);
  if (const EntryPtr entry = Find(request)) ++entry->claims;
}

void OwedAnswers::Lost(const JobKey& request) {
  MutexLock lock(mutex_);
  if (const EntryPtr entry = Find(request)) Forget(*entry);
}

void OwedAnswers::NotClaimed(const JobKey& request) {
  MutexLock lock(mutex_);
  const EntryPtr entry = Find(request);
  if (entry == nullptr) return;
  if (entry->fate == Entry::Fate::kLost) entry->fate = entry->before;
  // Somebody wants this answer still, and will ask again.
  entry->answered = clock_.Now();
}

void OwedAnswers::Begun(const JobKey& request, const std::string& fingerprint, bool minted) {
  MutexLock lock(mutex_);
  const EntryPtr entry = minted ? FindOrMake(request, fingerprint) : Find(request);
  if (entry != nullptr) entry->stage = Entry::Stage::kRunning;
}

void OwedAnswers::Answered(const JobKey& request, const std::string& job_id) {
  const MonoTime now = clock_.Now();
  MutexLock lock(mutex_);
  const EntryPtr entry = Find(request);
  if (entry == nullptr) return;
  entry->stage = Entry::Stage::kAnswered;
  entry->answered = now;
  Name(*entry, job_id);
}

void OwedAnswers::Dropped(const JobKey& request) {
  MutexLock lock(mutex_);
  const EntryPtr entry = Find(request);
  if (entry == nullptr) return;
  // An answer that was given before could not be given again; it is owed as before, and wanted.
  entry->stage = entry->job_id.empty() ? Entry::Stage::kVoid : Entry::Stage::kAnswered;
  entry->answered = clock_.Now();
  if (IsOver(*entry, clock_.Now())) Forget(*entry);
}

void OwedAnswers::Named(const JobKeyView& job) {
  if (size() == 0) return;
  MutexLock lock(mutex_);
  const auto found = by_job_.find(job);
  if (found == by_job_.end()) return;
  const EntryPtr entry = found->second;
  entry->named = true;
  if (IsOver(*entry, clock_.Now())) Forget(*entry);
}

void OwedAnswers::Note(JobRecord& record, bool maybe_taken_over) {
  if (!record.minted_request_id || record.delivery == Delivery::kArrived) return;
  MutexLock lock(mutex_);
  const auto found = by_job_.find(JobKeyView{record.job.tenant, record.job.job_id});
  if (found == by_job_.end() ? !maybe_taken_over : IsOver(*found->second, clock_.Now())) {
    record.delivery = Delivery::kArrived;
  }
}

std::vector<OwedJob> OwedAnswers::StillOwed() {
  std::vector<OwedJob> jobs;
  MutexLock lock(mutex_);
  Sweep(clock_.Now());
  for (const auto& [job, entry] : by_job_) {
    const Delivery delivery =
        entry->fate == Entry::Fate::kArrived ? Delivery::kSeemsArrived : Delivery::kLost;
    jobs.push_back(
        {job.tenant, entry->fingerprint, entry->request.id, job.id, entry->claims, delivery});
  }
  return jobs;
}

OwedAnswers::EntryPtr OwedAnswers::Find(const JobKey& request) const {
  const auto found = entries_.find(request);
  return found == entries_.end() ? nullptr : found->second;
}

OwedAnswers::EntryPtr OwedAnswers::FindOrMake(const JobKey& request,
                                              const std::string& fingerprint) {
  EntryPtr& entry = entries_[request];
  if (entry == nullptr) {
    entry = std::make_shared<Entry>();
    entry->request = request;
    entry->fingerprint = fingerprint;
    by_content_[{request.tenant, fingerprint}].push_back(entry);
    size_ = entries_.size();
  }
  return entry;
}

void OwedAnswers::Name(Entry& entry, const std::string& job_id) {
  entry.job_id = job_id;
  by_job_[{entry.request.tenant, job_id}] = entries_.at(entry.request);
}

void OwedAnswers::Forget(Entry& entry) {
  const auto found = entries_.find(entry.request);
  if (found == entries_.end() || found->second.get() != &entry) return;
  const EntryPtr kept = found->second;  // `entry` may be owned by what is removed here
  entries_.erase(found);
  by_job_.erase({entry.request.tenant, entry.job_id});
  const auto equal = by_content_.find(JobKeyView{entry.request.tenant, entry.fingerprint});
  std::erase(equal->second, kept);
  if (equal->second.empty()) by_content_.erase(equal);
  size_ = entries_.size();
}

void OwedAnswers::Sweep(MonoTime now) {
  std::vector<EntryPtr> over;
  for (const auto& [request, entry] : entries_) {
    if (IsOver(*entry, now)) over.push_back(entry);
  }
  for (const EntryPtr& entry : over) Forget(*entry);
  sweep_at_ =
      std::min(std::max(limits::kOwedSweepFirst, 2 * entries_.size()), limits::kOwedAnswersMax);
  next_sweep_ = now + limits::kOwedSweepInterval;
}

// Whether nothing is owed of the entry any more.
bool OwedAnswers::IsOver(const Entry& entry, MonoTime now) const {
  if (entry.open > 0 || entry.stage == Entry::Stage::kRunning) return false;
  if (entry.stage == Entry::Stage::kVoid) return true;
  switch (entry.fate) {
    case Entry::Fate::kLost:
      return now >= entry.answered + limits::kOwedWindow;
    case Entry::Fate::kUnknown:
      return entry.named || now >= entry.answered + limits::kOwedWindow;
    case Entry::Fate::kArrived:
      return entry.named || now >= std::min(entry.answered + arrived_after_,
                                            entry.arriving_since + limits::kOwedWindow);
  }
  return true;
}

void OwedAnswers::End(Entry& entry, bool arrived) {
  const MonoTime now = clock_.Now();
  MutexLock lock(mutex_);
  --entry.open;
  if (arrived) {
    if (entry.fate != Entry::Fate::kArrived && entry.before != Entry::Fate::kArrived) {
      entry.arriving_since = now;
    }
    entry.fate = Entry::Fate::kArrived;
    entry.answered = now;
  }
  if (IsOver(entry, now)) Forget(entry);
}

}  // namespace gateway::jobs
