#include "jobs/owed_answers.h"

#include <algorithm>
#include <utility>

#include "jobs/guards.h"

namespace gateway::jobs {

struct OwedAnswers::Entry {
  enum class Stage {
    kRunning,
    kAnswered,  // or would be, if there were anybody to answer
    kVoid,      // it has cost nothing, and callers are being told so
  };

  JobKey request;
  std::string fingerprint;
  std::string job_id;  // "" until answered
  Stage stage = Stage::kRunning;
  MonoTime begun{};
  MonoTime answered{};  // the last time
  std::int32_t claims = 0;
  int open = 0;  // calls that are to carry the answer, and have not ended
  bool arrived = false;  // with one of them, since the last claim
  bool named = false;    // since the last answer
};

const char* RuleName(AnswerRule rule) {
  switch (rule) {
    case AnswerRule::kOwn: return "own";
    case AnswerRule::kRetry: return "retry";
    case AnswerRule::kJoined: return "joined";
    case AnswerRule::kUndelivered: return "undelivered";
    case AnswerRule::kUnsettled: return "unsettled";
  }
  return "own";
}

void OwedAnswers::Recover(std::vector<OwedJob> owed) {
  const MonoTime now = clock_.Now();
  MutexLock lock(mutex_);
  for (OwedJob& job : owed) {
    const EntryPtr entry = FindOrMake({job.tenant, job.request_id}, job.fingerprint);
    entry->stage = Entry::Stage::kAnswered;
    entry->answered = now;
    entry->claims = job.claims;
    Name(*entry, job.job_id);
  }
}

OwedAnswers::Verdict OwedAnswers::Ask(const std::string& tenant, const std::string& fingerprint,
                                      const std::string& request_id, bool certain) {
  Verdict verdict{.rule = AnswerRule::kRetry, .request_id = request_id, .claim = {}, .call = {}};
  MutexLock lock(mutex_);
  if (entries_.size() >= sweep_at_) Sweep(clock_.Now());
  EntryPtr entry;
  if (certain) {
    entry = FindOrMake({tenant, request_id}, fingerprint);
  } else {
    const Equal equal = FindEqual({tenant, fingerprint});
    if (equal.running != nullptr) {
      verdict.rule = AnswerRule::kJoined;
      entry = equal.running;
    } else if (equal.owed != nullptr) {
      entry = equal.owed;
      verdict.rule = entry->arrived ? AnswerRule::kUnsettled : AnswerRule::kUndelivered;
      verdict.claim = Claim{{tenant, entry->job_id}, entry->claims};
      entry->arrived = false;
    } else if (equal.on_its_way != nullptr) {
      verdict.rule = AnswerRule::kJoined;
      entry = equal.on_its_way;
    } else {
      if (entries_.size() >= limits::kOwedAnswersMax) return verdict;
      verdict.rule = AnswerRule::kOwn;
      entry = FindOrMake({tenant, request_id}, fingerprint);
      entry->stage = Entry::Stage::kRunning;
    }
  }
  verdict.request_id = entry->request.id;
  ++entry->open;
  verdict.call = std::make_shared<Call>(*this, std::move(entry));
  return verdict;
}

OwedAnswers::Equal OwedAnswers::FindEqual(const JobKeyView& content) const {
  Equal equal;
  const auto found = by_content_.find(content);
  if (found == by_content_.end() || IsOff(Guard::kOwedAnswers)) return equal;
  const MonoTime now = clock_.Now();
  for (const EntryPtr& entry : found->second) {
    if (entry->stage == Entry::Stage::kVoid || IsOver(*entry, now)) continue;
    EntryPtr& place = entry->stage == Entry::Stage::kRunning ? equal.running
                      : entry->open == 0                     ? equal.owed
                                                             : equal.on_its_way;
    if (place == nullptr) place = entry;
  }
  return equal;
}

void OwedAnswers::Claimed(const JobKey& request) {
  MutexLock lock(mutex_);
  if (const EntryPtr entry = Find(request)) ++entry->claims;
}

void OwedAnswers::Lost(const JobKey& request) {
  MutexLock lock(mutex_);
  if (const EntryPtr entry = Find(request)) Forget(*entry);
}

void OwedAnswers::Begun(const JobKey& request, const std::string& fingerprint) {
  MutexLock lock(mutex_);
  FindOrMake(request, fingerprint)->stage = Entry::Stage::kRunning;
}

void OwedAnswers::Answered(const JobKey& request, const std::string& job_id) {
  const MonoTime now = clock_.Now();
  MutexLock lock(mutex_);
  const EntryPtr entry = Find(request);
  if (entry == nullptr) return;
  entry->stage = Entry::Stage::kAnswered;
  entry->answered = now;
  entry->named = false;
  Name(*entry, job_id);
}

void OwedAnswers::Dropped(const JobKey& request) {
  MutexLock lock(mutex_);
  const EntryPtr entry = Find(request);
  if (entry == nullptr) return;
  // What was answered before could not be answered again; it is owed as before.
  entry->stage = entry->job_id.empty() ? Entry::Stage::kVoid : Entry::Stage::kAnswered;
  if (IsOver(*entry, clock_.Now())) Forget(*entry);
}

void OwedAnswers::Named(const JobKeyView& job) {
  MutexLock lock(mutex_);
  const auto found = by_job_.find(job);
  if (found == by_job_.end()) return;
  const EntryPtr entry = found->second;
  entry->named = true;
  if (IsOver(*entry, clock_.Now())) Forget(*entry);
}

void OwedAnswers::Note(JobRecord& record) {
  if (!record.minted_request_id || record.delivery == Delivery::kArrived) return;
  MutexLock lock(mutex_);
  const auto found = by_job_.find(JobKeyView{record.job.tenant, record.job.job_id});
  if (found == by_job_.end() || IsOver(*found->second, clock_.Now())) {
    record.delivery = Delivery::kArrived;
  }
}

std::vector<JobKey> OwedAnswers::Unsettled() {
  std::vector<JobKey> jobs;
  MutexLock lock(mutex_);
  Sweep(clock_.Now());
  for (const auto& [job, entry] : by_job_) jobs.push_back(job);
  return jobs;
}

std::size_t OwedAnswers::size() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

OwedAnswers::EntryPtr OwedAnswers::Find(const JobKey& request) const {
  const auto found = entries_.find(request);
  return found == entries_.end() ? nullptr : found->second;
}

OwedAnswers::EntryPtr OwedAnswers::FindOrMake(const JobKey& request, const std::string& fingerprint) {
  EntryPtr& entry = entries_[request];
  if (entry == nullptr) {
    entry = std::make_shared<Entry>();
    entry->request = request;
    entry->fingerprint = fingerprint;
    entry->begun = clock_.Now();
    by_content_[{request.tenant, fingerprint}].push_back(entry);
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
}

void OwedAnswers::Sweep(MonoTime now) {
  std::vector<EntryPtr> over;
  for (const auto& [request, entry] : entries_) {
    if (IsOver(*entry, now)) over.push_back(entry);
  }
  for (const EntryPtr& entry : over) Forget(*entry);
  sweep_at_ = std::min(std::max(limits::kOwedSweepFirst, 2 * entries_.size()), limits::kOwedAnswersMax);
}

// Nothing is owed to anybody any more.
bool OwedAnswers::IsOver(const Entry& entry, MonoTime now) const {
  if (entry.open > 0 || entry.stage == Entry::Stage::kRunning) return false;
  if (entry.stage == Entry::Stage::kVoid) return true;
  if (!entry.arrived) return now >= entry.answered + limits::kOwedWindow;
  return entry.named || now >= std::min(entry.answered + settle_, entry.begun + limits::kOwedWindow);
}

void OwedAnswers::End(Entry& entry, bool arrived) {
  const MonoTime now = clock_.Now();
  MutexLock lock(mutex_);
  --entry.open;
  if (arrived) {
    entry.arrived = true;
    entry.answered = now;
  }
  if (IsOver(entry, now)) Forget(entry);
}

}  // namespace gateway::jobs
