#include "postgres/writer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/backoff.h"
#include "base/errors.h"
#include "base/limits.h"
#include "postgres/schema.h"

namespace gateway::postgres {
namespace {

MonoTime MonoNow() { return std::chrono::steady_clock::now(); }

absl::Status Away() { return errors::StoreAway(limits::kStoreRetryAfter); }

// What two writes of one group must not share.
using Names = std::set<jobs::JobKey>;
Names NamesOf(const Writer::Write& write) {
  if (write.change == nullptr) {
    if (write.job.id.empty()) return {};
    return {{write.job.tenant, "job " + write.job.id}};
  }
  const jobs::Job& job = write.change->record.job;
  Names names{{job.tenant, "job " + job.job_id}};
  if (!job.request_id.empty()) names.insert({job.tenant, "request " + job.request_id});
  return names;
}

bool Share(const Names& some, const Names& others) {
  return std::any_of(some.begin(), some.end(),
                     [&](const jobs::JobKey& name) { return others.contains(name); });
}

}  // namespace

Writer::Writer(Options options, Session first)
    : options_(std::move(options)),
      session_(std::move(first)),
      next_renewal_(MonoNow() + options_.identity.times.renewal),
      thread_([this] { Run(); }) {}

Writer::~Writer() { Close(); }

void Writer::Post(Write write) {
  absl::Status refused = errors::Draining(limits::kStoreRetryAfter);
  {
    MutexLock lock(mutex_);
    const bool submits = write.change != nullptr && write.change->kind == Change::Kind::kBegin;
    if (!closed_ && submits && away_) {
      refused = Away();
    } else if (!closed_) {
      absl::Status status;
      if (admitted_ >= options_.queue_max) {
        status = errors::TooMany("writes of the job store",
                                 static_cast<std::int64_t>(options_.queue_max),
                                 limits::kStoreRetryAfter);
        write.change = nullptr;  // and with it what it holds; only the answer waits for its turn
        write.apply = nullptr;
      } else {
        ++admitted_;
      }
      queue_.push_back({std::move(write), MonoNow(), std::move(status)});
      wake_.notify_one();
      return;
    }
  }
  write.done(std::move(refused));
}

void Writer::Close() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

bool Writer::away() const {
  MutexLock lock(mutex_);
  return away_;
}

std::size_t Writer::queued() const {
  MutexLock lock(mutex_);
  return admitted_;
}

void Writer::Run() {
  for (Group group; NextGroup(group); group.clear()) {
    const bool was_well = failed_.ok();
    if (group.empty()) {
      Renew();
    } else {
      Finish(group);
    }
    Answer(group);
    if (was_well && !failed_.ok() && options_.on_fatal) options_.on_fatal(failed_);
  }
  if (!session_.has_value()) return;
  try {
    session_->End(options_.identity);
  } catch (const Error&) {
    // The lease runs out by itself.
  }
}

void Writer::Answer(Group& group) {
  for (Pending& pending : group) {
    pending.write.apply = nullptr;
    pending.write.done(std::move(pending.status));
  }
}

bool Writer::NextGroup(Group& group) {
  MutexLock lock(mutex_);
  while (queue_.empty() && !closing_) {
    if (!failed_.ok()) {
      wake_.wait(mutex_);
    } else if (wake_.wait_until(mutex_, next_renewal_) == std::cv_status::timeout) {
      break;
    }
  }
  Names names;
  std::size_t bytes = 0;
  while (!queue_.empty() && group.size() < options_.group_max &&
         bytes < limits::kStoreGroupMaxBytes) {
    Pending& next = queue_.front();
    const bool goes_with_others = next.write.change != nullptr || !next.status.ok();
    if (!goes_with_others && !group.empty()) break;
    if (next.write.change != nullptr) {
      Names own = NamesOf(next.write);
      if (Share(own, names)) break;
      names.merge(own);
    }
    if (next.status.ok()) --admitted_;
    bytes += next.write.bytes;
    group.push_back(std::move(next));
    queue_.pop_front();
    if (!goes_with_others) break;
  }
  closed_ = group.empty() && closing_ && queue_.empty();
  return !closed_;
}

void Writer::Finish(Group& group) {
  const auto give = [&group](const absl::Status& status) {
    for (Pending& pending : group) pending.status = status;
  };
  Doubt doubt;  // about this group, and given up with it
  bool one_by_one = false;
  int conflicts = 0;
  int breaks = 0;
  while (failed_.ok()) {
    try {
      if (options_.end->Passed()) return give(Away());
      if (!session_.has_value()) {
        if (!Connect(doubt)) {
          if (GivesUp(group, doubt)) return give(Away());
          if (doubt.has_value()) RefuseLate(group);
          Pause();
          continue;
        }
        doubt.reset();
        if (session_->doubted_is_done()) return;  // with what Transact has found
      }
      if (MonoNow() >= next_renewal_) Renew();
      if (!session_.has_value()) continue;
      Transact(group, one_by_one, doubt);
      return;
    } catch (const Error& error) {
      if (error.NeedsConnection()) {
        // One connection breaks; what breaks each is this group.
        if (++breaks > 1) ++failures_;
        Drop(Describe(error));
        if (breaks > limits::kStoreConflictsMax && !doubt.has_value()) return give(Away());
        if (breaks > 1) Pause();
        continue;
      }
      session_->connection().Rollback();
      if (error.ShouldRunAgain() && !error.IsLocked() && conflicts++ < limits::kStoreConflictsMax) {
        std::this_thread::sleep_for(limits::kStoreConflictPause * conflicts /
                                    limits::kStoreConflictsMax);
      } else if (!one_by_one) {
        one_by_one = true;
      } else {
        return give(Refused(error));
      }
    } catch (const std::exception& error) {
      Fail(error);
    }
  }
  give(failed_);
}

void Writer::Transact(Group& group, bool one_by_one, Doubt& doubt) {
  session_->Begin();
  Writes writes(session_->connection(), session_->begun(), session_->mark().writer,
                *options_.limits_of);
  Apply(group, one_by_one, writes);
  // What they have done is undone; and a crowd that is refused costs no flush.
  const auto failed = [](const Pending& pending) { return !pending.status.ok(); };
  if (std::all_of(group.begin(), group.end(), failed)) {
    session_->connection().Rollback();
    return;
  }
  session_->Note(writes.changed());
  const MonoTime begun = MonoNow();
  try {
    session_->Commit();
  } catch (const Error& error) {
    if (error.LeavesCommitUnknown()) doubt = session_->mark().batch;
    throw;
  }
  options_.told->Set(session_->mark());
  commit_time_.fetch_add((MonoNow() - begun).count(), std::memory_order_relaxed);
  commits_.fetch_add(1, std::memory_order_relaxed);
}

void Writer::Apply(Group& group, bool one_by_one, Writes& writes) {
  std::vector<Change*> changes;
  for (Pending& pending : group) {
    const bool refused_at_the_door = !pending.write.change && !pending.write.apply;
    if (refused_at_the_door) continue;
    if (one_by_one) {
      ApplyOne(pending, writes);
    } else if (pending.write.change != nullptr) {
      changes.push_back(pending.write.change.get());
    } else {
      pending.status = pending.write.apply(writes);
    }
  }
  if (changes.empty()) return;
  writes.ApplyAll(changes);
  for (Pending& pending : group) {
    if (pending.write.change != nullptr) pending.status = pending.write.change->status;
  }
}

void Writer::ApplyOne(Pending& pending, Writes& writes) {
  Connection& connection = session_->connection();
  const std::size_t changes = writes.changed().size();
  bool locked = false;
  connection.Script("SAVEPOINT one_write");
  try {
    if (pending.write.change != nullptr) {
      writes.Apply(*pending.write.change);
      pending.status = pending.write.change->status;
    } else {
      pending.status = pending.write.apply(writes);
    }
  } catch (const Error& error) {
    locked = error.IsLocked();
    if (error.NeedsConnection() || (error.ShouldRunAgain() && !locked)) throw;
    pending.status = Refused(error);
  }
  if (pending.status.ok()) {
    connection.Script("RELEASE SAVEPOINT one_write");
  } else {
    connection.Script("ROLLBACK TO SAVEPOINT one_write; RELEASE SAVEPOINT one_write");
    writes.Forget(changes);
  }
  // Who has locked one row may have locked many, and other jobs wait behind this group.
  if (locked) connection.Script("SET LOCAL lock_timeout = '100ms'");
}

// A name that is taken is the caller's affair; all else is the operator's, too.
absl::Status Writer::Refused(const Error& error) {
  absl::Status status = ToStatus(error);
  if (!absl::IsAlreadyExists(status)) options_.on_refused(error);
  return status;
}

void Writer::Renew() {
  next_renewal_ = MonoNow() + options_.identity.times.renewal;
  try {
    if (!session_.has_value()) {
      Connect(std::nullopt);
    } else {
      RenewLeaseAlone(session_->connection(), options_.identity);
    }
  } catch (const Error& error) {
    if (error.NeedsConnection()) {
      Drop(Describe(error));
    } else {
      session_->connection().Rollback();
      options_.on_refused(error);
    }
  } catch (const std::exception& error) {
    Fail(error);
  }
  if (!session_.has_value()) next_renewal_ = MonoNow() + limits::kStoreReconnectMax;
}

bool Writer::Connect(const Doubt& doubt) {
  try {
    auto connection = Connection::Open(options_.conninfo, limits::kStoreReplyMax);
    connection->set_end(options_.end);
    if (absl::Status fit = CheckServer(*connection); !fit.ok()) {
      throw Error("", std::string(fit.message()));
    }
    session_.emplace(std::move(connection), options_.identity, options_.feed_max,
                     Session::Past{.told = options_.told->Get(), .doubted = doubt});
  } catch (const Error& error) {
    ++failures_;
    Drop(Describe(error));
    return false;
  }
  options_.told->Set(session_->mark());
  failures_ = 0;
  next_renewal_ = MonoNow() + options_.identity.times.renewal;
  {
    MutexLock lock(mutex_);
    away_ = false;
  }
  if (!std::exchange(told_away_, {}).empty() && options_.on_back) options_.on_back();
  return true;
}

// A connection that breaks is no news if the next one comes at once. What keeps the server away may
// be another thing later: a restart, then a password that is wrong.
void Writer::Drop(std::string why) {
  session_.reset();
  if (failures_ == 0) return;
  {
    MutexLock lock(mutex_);
    away_ = true;
  }
  if (told_away_.size() >= limits::kStoreAwayReasonsMax) return;
  const auto [told, is_new] = told_away_.insert(std::move(why));
  if (is_new && options_.on_away) options_.on_away(*told);
}

void Writer::Pause() {
  const MonoTime soon =
      MonoNow() + Doubled(limits::kStoreReconnectFirst, failures_, limits::kStoreReconnectMax);
  const MonoTime until = std::min(soon, options_.end->at());
  MutexLock lock(mutex_);
  const bool was_closing = closing_;
  while (closing_ == was_closing && wake_.wait_until(mutex_, until) != std::cv_status::timeout) {
  }
}

// Whether the group is answered without PostgreSQL. One that may be stored waits for the truth.
bool Writer::GivesUp(const Group& group, const Doubt& doubt) const {
  return !doubt.has_value() && MonoNow() - group.front().posted >= options_.away_wait;
}

// Refuses writes that have waited for too long behind a group unknown; not those that follow a
// write of the same job which has no answer yet.
void Writer::RefuseLate(const Group& group) {
  Names unanswered;
  for (const Pending& pending : group) unanswered.merge(NamesOf(pending.write));
  Group late;
  {
    MutexLock lock(mutex_);
    const MonoTime before = MonoNow() - options_.away_wait;
    std::deque<Pending> kept;
    for (Pending& next : queue_) {
      Names own = NamesOf(next.write);
      if (next.posted > before || Share(own, unanswered)) {
        unanswered.merge(own);
        kept.push_back(std::move(next));
        continue;
      }
      if (next.status.ok()) {
        --admitted_;
        next.status = Away();
      }
      late.push_back(std::move(next));
    }
    queue_.swap(kept);
  }
  Answer(late);
}

void Writer::Fail(const std::exception& why) {
  session_.reset();
  failed_ = errors::StoreFailed(why.what());
  MutexLock lock(mutex_);
  away_ = false;  // to come again later does not help
}

}  // namespace gateway::postgres
