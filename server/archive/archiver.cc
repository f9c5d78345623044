#include "archive/archiver.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "archive/detail.h"
#include "archive/fetch_rules.h"
#include "base/errors.h"
#include "base/ids.h"
#include "jobs/archive_plan.h"

namespace gateway::archive {

namespace v1 = jobs::v1;
using jobs::JobKey;
using jobs::JobRecord;

namespace {

// What a change of an archive is for callers.
enum class News { kNone, kHidden, kSeen };

// Writes what was found out about some files into the archive. That the same trouble goes on is
// told to callers with the next one.
News Note(const std::vector<v1::ArchivedFile>& found, v1::Archive& archive) {
  News news = News::kNone;
  for (const v1::ArchivedFile& now : found) {
    for (v1::ArchivedFile& file : *archive.mutable_files()) {
      if (file.field() != now.field() || file.state() != v1::ARCHIVE_STATE_PENDING) continue;
      const bool seen = file.state() != now.state() || file.problem() != now.problem() ||
                        file.refusals() != now.refusals();
      const bool hidden = file.tried_seconds() != now.tried_seconds();
      news = std::max(news, seen ? News::kSeen : hidden ? News::kHidden : News::kNone);
      file = now;
    }
  }
  return news;
}

// Takes the jobs whose files have been brought from those that were taken over.
News NoteBrought(const std::set<std::string>& brought, v1::Archive& archive) {
  auto& left = *archive.mutable_taken_over();
  const int before = left.size();
  left.erase(std::remove_if(left.begin(), left.end(),
                            [&](const std::string& id) { return brought.contains(id); }),
             left.end());
  return left.size() == before ? News::kNone : News::kSeen;
}

}  // namespace

Archiver::Archiver(ArchiverOptions options, ArchiverHands hands, const jobs::Shards& shards,
                   jobs::Ledger& ledger, jobs::Jobs& jobs, const Clock& clock, Timers& timers,
                   Random& random, ArchiverEvents events)
    : options_(options),
      hands_(std::move(hands)),
      shards_(shards),
      ledger_(ledger),
      jobs_(jobs),
      clock_(clock),
      random_(random),
      events_(std::move(events)),
      next_(timers) {
  for (int place = 0; place < options_.places; ++place) idle_.push_back(place);
}

void Archiver::Start() {
  {
    MutexLock lock(mutex_);
    started_ = true;
  }
  Pump();
}

void Archiver::Follow(const jobs::ShardJob& of) {
  {
    MutexLock lock(mutex_);
    if (stopped_ || !shards_.Has(of.shard)) return;
    const auto [at, added] = entries_.try_emplace(of.job);
    at->second.shard = of.shard;
    at->second.lost = false;  // it has come back while it was in its place
    if (!added) return;
    at->second.due = clock_.Now();
    due_.emplace(at->second.due, of.job);
  }
  Pump();
}

void Archiver::DropLost() {
  MutexLock lock(mutex_);
  for (auto next = entries_.begin(); next != entries_.end();) {
    const auto at = next++;
    Entry& entry = at->second;
    if (shards_.Has(entry.shard)) continue;
    if (entry.busy) {
      entry.lost = true;
      *entry.stop = true;
    } else {
      due_.erase({entry.due, at->first});
      entries_.erase(at);
    }
  }
}

void Archiver::OnChange(const JobRecord& record) {
  if (jobs::IsArchiving(record)) {
    Follow({.job = {record.job.tenant, record.job.job_id}, .shard = record.job.shard});
  }
}

void Archiver::Stop() {
  next_.Stop();
  MutexLock lock(mutex_);
  stopped_ = true;
  for (auto& [key, entry] : entries_) {
    if (entry.busy) *entry.stop = true;
  }
}

std::size_t Archiver::waiting() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

// Fills the places that are free with jobs that are due.
void Archiver::Pump() {
  std::vector<TurnPtr> turns;
  {
    MutexLock lock(mutex_);
    const MonoTime now = clock_.Now();
    while (started_ && !stopped_ && !idle_.empty() && !due_.empty() && due_.begin()->first <= now) {
      const JobKey key = due_.begin()->second;
      due_.erase(due_.begin());
      Entry& entry = entries_.at(key);
      entry.busy = true;
      entry.stop = std::make_shared<std::atomic<bool>>(false);
      turns.push_back(std::make_shared<Turn>(Turn{.key = key,
                                                  .place = idle_.back(),
                                                  .stop = entry.stop,
                                                  .links = entry.links,
                                                  .failed = entry.failed}));
      idle_.pop_back();
    }
    if (started_ && !stopped_ && !idle_.empty() && !due_.empty()) {
      next_.At(due_.begin()->first, [this] { Pump(); });
    }
  }
  for (const TurnPtr& turn : turns) Begin(turn);
}

void Archiver::Begin(const TurnPtr& turn) {
  jobs_.Find(
      turn->key.tenant, turn->key.id, [this, turn](absl::StatusOr<std::optional<JobRecord>> found) {
        if (!found.ok()) return End(turn, /*again=*/true);
        // It was deleted while there was no archive; what stands under its name is nobody's.
        if (!found->has_value()) Remove(turn->key, nullptr);
        const bool there = found->has_value() && (*found)->job.job_id == turn->key.id;
        if (!there || !jobs::IsArchiving(**found)) return End(turn, /*again=*/false);
        hands_.run(turn->place, [this, turn, record = **std::move(found)] { Work(turn, record); });
      });
}

void Archiver::Work(const TurnPtr& turn, const JobRecord& record) {
  const v1::Archive archive = jobs::ArchiveOf(record.job);
  if (!Bring(*turn, archive)) return Store(turn, record);
  const bool may_ask =
      turn->links.empty() && std::all_of(archive.files().begin(), archive.files().end(),
                                         [](const auto& file) { return file.refusals() == 0; });
  std::vector<Refused> refused;
  for (const v1::ArchivedFile& file : archive.files()) {
    if (file.state() != v1::ARCHIVE_STATE_PENDING || *turn->stop) continue;
    const absl::StatusOr<WholeFile> kept = Keep(*turn, record.job, file);
    if (may_ask && absl::IsPermissionDenied(kept.status())) {
      refused.push_back({.file = file, .why = kept.status()});
    } else {
      NoteKept(*turn, record.job, file, kept);
    }
  }
  refused.empty() || *turn->stop ? Store(turn, record) : Ask(turn, record, std::move(refused));
}

// Brings files from the names of jobs that this one has taken over under its own. Returns whether
// all of them are there, so that none is fetched a second time.
bool Archiver::Bring(Turn& turn, const v1::Archive& archive) {
  for (const std::string& other : archive.taken_over()) {
    const JobKey from{turn.key.tenant, other};
    {
      MutexLock lock(mutex_);
      if (*turn.stop || entries_.contains(from)) return false;  // it has a file open
    }
    if (!hands_.move(from, turn.key).ok()) return false;
    turn.brought.insert(other);
  }
  return true;
}

// Asks Pictory for new links, and goes on in the same place.
void Archiver::Ask(const TurnPtr& turn, const JobRecord& record, std::vector<Refused> refused) {
  hands_.ask(record.job,
             [this, turn, record, refused = std::move(refused)](jobs::FreshLinks fresh) {
               hands_.run(turn->place, [this, turn, record, refused, fresh = std::move(fresh)] {
                 WorkAgain(turn, record, refused, fresh);
               });
             });
}

// Pictory is not asked a second time, so the refusal counts whatever the new links bring; but where
// it could not be asked, nothing counts, and both are tried again later.
void Archiver::WorkAgain(const TurnPtr& turn, const JobRecord& record,
                         const std::vector<Refused>& refused, jobs::FreshLinks fresh) {
  turn->links = std::move(fresh.result_wire);
  for (const Refused& each : refused) {
    if (!fresh.asked) {
      NoteKept(*turn, record.job, each.file,
               absl::UnavailableError(absl::StrCat(
                   each.why.message(), ", and Pictory could not be asked for a new link yet")));
      continue;
    }
    const bool another = !turn->links.empty() &&
                         LinkOf(*turn, record.job, each.file) != jobs::UrlOf(record.job, each.file);
    v1::ArchivedFile file = each.file;
    const auto kept = another ? Keep(*turn, record.job, each.file) : each.why;
    // What the new link would have brought is not known, so Pictory may be asked once more.
    if (absl::IsCancelled(kept.status())) continue;
    if (another) file.set_refusals(file.refusals() + 1);
    NoteKept(*turn, record.job, file, kept);
  }
  Store(turn, record);
}

std::string Archiver::LinkOf(const Turn& turn, const jobs::Job& job, const v1::ArchivedFile& file) {
  if (turn.links.empty()) return jobs::UrlOf(job, file);
  jobs::Job fresh;
  fresh.result_wire = turn.links;
  std::string link = jobs::UrlOf(fresh, file);
  return link.empty() ? jobs::UrlOf(job, file) : link;
}

absl::StatusOr<WholeFile> Archiver::Keep(const Turn& turn, const jobs::Job& job,
                                         const v1::ArchivedFile& file) {
  return hands_.keep(turn.key, file.name(), LinkOf(turn, job, file), *turn.stop);
}

// Counts an attempt that failed. Time counts from one such attempt to the next in this process, if
// our own disk was not to blame for either.
void Archiver::NoteFailure(Turn& turn, v1::ArchivedFile& file, const absl::Status& why) {
  file.set_problem(errors::Clean(std::string(why.message())));
  if (IsRefusal(why)) file.set_refusals(file.refusals() + 1);
  if (IsOfTheDisk(why)) {
    turn.failed.erase(file.field());
    return;
  }
  const MonoTime now = clock_.Now();
  const auto [last, first] = turn.failed.try_emplace(file.field(), now);
  const auto tried = std::chrono::duration_cast<std::chrono::seconds>(now - last->second);
  file.set_tried_seconds(file.tried_seconds() + tried.count());
  last->second += tried;
}

// Adds what is known of a file after an attempt.
void Archiver::NoteKept(Turn& turn, const jobs::Job& job, v1::ArchivedFile file,
                        const absl::StatusOr<WholeFile>& kept) {
  const std::string problem_before = file.problem();
  if (kept.ok()) {
    file.set_state(v1::ARCHIVE_STATE_ARCHIVED);
    file.set_name(kept->name);
    file.set_bytes(kept->bytes);
    file.set_sha256(kept->sha256);
    file.clear_problem();
    ++counts_.archived;
    counts_.bytes += static_cast<std::uint64_t>(kept->bytes);
  } else if (!absl::IsCancelled(kept.status())) {
    NoteFailure(turn, file, kept.status());
    if (IsGivenUp(kept.status(), file.refusals(), std::chrono::seconds(file.tried_seconds()))) {
      file.set_state(v1::ARCHIVE_STATE_FAILED);
      hands_.drop(turn.key, file.name());
      ++counts_.failed;
    } else {
      ++counts_.retried;
    }
    if (file.problem() != problem_before && events_.troubled) {
      events_.troubled(job, file, kept.status());
    }
  }
  turn.news.push_back(std::move(file));
}

// If somebody else has changed the record meanwhile, the news are for the changed one.
void Archiver::Store(const TurnPtr& turn, JobRecord record) {
  v1::Archive archive = jobs::ArchiveOf(record.job);
  const News news = std::max(Note(turn->news, archive), NoteBrought(turn->brought, archive));
  if (news == News::kNone) return End(turn, jobs::IsArchiving(record));
  jobs::SetArchive(archive, record.job);
  const bool hidden = news == News::kHidden;
  if (!hidden) {
    ++record.job.revision;
    record.job.update_time = clock_.WallNow();
  }
  ledger_.Update({.record = std::move(record), .hidden = hidden, .ended = true},
                 [this, turn, archive](const jobs::Ledger::Outcome& stored) {
                   if (absl::IsAborted(stored.status)) return Store(turn, stored.record);
                   if (!stored.status.ok()) return End(turn, !absl::IsNotFound(stored.status));
                   const bool again = jobs::IsArchiving(stored.record);
                   if (!again && events_.ended) events_.ended(stored.record.job, archive);
                   End(turn, again);
                 });
}

void Archiver::End(const TurnPtr& turn, bool again) {
  std::vector<std::function<void(absl::Status)>> removals;
  bool removed = false;
  {
    MutexLock lock(mutex_);
    idle_.push_back(turn->place);
    const auto at = entries_.find(turn->key);
    Entry& entry = at->second;
    removed = entry.removed;
    removals = std::move(entry.removals);
    if (removed || entry.dismissed || entry.lost || !again) {
      entries_.erase(at);
    } else {
      entry.busy = false;
      entry.links = std::move(turn->links);
      entry.failed = std::move(turn->failed);
      ++entry.failures;
      entry.due = clock_.Now() + RetryDelay(entry.failures, random_.Uniform());
      due_.emplace(entry.due, turn->key);
    }
  }
  if (removed) RemoveNow(turn->key, std::move(removals));
  Pump();
}

void Archiver::Dismiss(const JobKey& job) {
  MutexLock lock(mutex_);
  const auto at = entries_.find(job);
  if (at == entries_.end()) return;
  if (at->second.busy) {
    at->second.dismissed = true;
    *at->second.stop = true;
  } else {
    due_.erase({at->second.due, job});
    entries_.erase(at);
  }
}

void Archiver::Remove(const JobKey& job, std::function<void(absl::Status)> done) {
  std::vector<std::function<void(absl::Status)>> removals;
  if (done) removals.push_back(std::move(done));
  {
    MutexLock lock(mutex_);
    const auto at = entries_.find(job);
    if (at != entries_.end() && at->second.busy) {
      at->second.removed = true;
      *at->second.stop = true;
      std::move(removals.begin(), removals.end(), std::back_inserter(at->second.removals));
      return;
    }
    if (at != entries_.end()) {
      due_.erase({at->second.due, job});
      entries_.erase(at);
    }
  }
  RemoveNow(job, std::move(removals));
}

void Archiver::RemoveNow(const JobKey& job, std::vector<std::function<void(absl::Status)>> done) {
  hands_.run(options_.places, [this, job, done = std::move(done)] {
    const absl::Status removed = hands_.remove(job);
    for (const auto& each : done) each(removed);
  });
}

void Archiver::Sweep(std::vector<JobKey> found, WallTime before) {
  const std::string floor = JobIdFloor(before);
  std::erase_if(found,
                [&floor](const JobKey& key) { return !IsMintedJobId(key.id) || key.id >= floor; });
  SweepNext(std::make_shared<std::vector<JobKey>>(std::move(found)));
}

void Archiver::SweepNext(const std::shared_ptr<std::vector<JobKey>>& left) {
  {
    MutexLock lock(mutex_);
    if (stopped_ || left->empty()) return;
  }
  const JobKey key = left->back();
  left->pop_back();
  jobs_.Find(key.tenant, key.id,
             [this, key, left](const absl::StatusOr<std::optional<JobRecord>>& record) {
               if (record.ok() && !record->has_value()) Remove(key, nullptr);
               SweepNext(left);
             });
}

}  // namespace gateway::archive
