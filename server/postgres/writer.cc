#include "postgres/writer.h"

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
std::vector<jobs::JobKey> NamesOf(const Change& change) {
  const jobs::Job& job = change.record.job;
  std::vector<jobs::JobKey> names{{job.tenant, "job " + job.job_id}};
  if (!job.request_id.empty()) names.push_back({job.tenant, "request " + job.request_id});
  return names;
}

}  // namespace

Writer::Writer(Options options, Session first)
    : options_(std::move(options)),
      session_(std::move(first)),
      next_renewal_(MonoNow() + limits::kStoreLeaseRenewal),
      writer_(session_->writer()),
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
    if (!closing_) closing_since_ = MonoNow();
    closing_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
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
      Settle(group);
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
  std::set<jobs::JobKey> names;
  std::size_t bytes = 0;
  while (!queue_.empty() && group.size() < options_.group_max &&
         bytes < limits::kStoreGroupMaxBytes) {
    Pending& next = queue_.front();
    const bool goes_with_others = next.write.change != nullptr || !next.status.ok();
    if (!goes_with_others && !group.empty()) break;
    if (next.write.change != nullptr) {
      bool taken = false;
      const std::vector<jobs::JobKey> own = NamesOf(*next.write.change);
      for (const jobs::JobKey& name : own) taken |= names.contains(name);
      if (taken) break;
      names.insert(own.begin(), own.end());
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

void Writer::Settle(Group& group) {
  bool one_by_one = false;
  int conflicts = 0;
  int breaks = 0;
  while (failed_.ok()) {
    try {
      bool committed = false;
      const bool doubted = doubt_.has_value();
      if (!session_.has_value()) {
        if (!Connect(committed)) {
          if (GivesUp(group)) {
            for (Pending& pending : group) pending.status = Away();
            return;
          }
          RefuseLate();
          Pause();
          continue;
        }
        if (doubted && committed) return;  // with what Transact has found
      }
      if (MonoNow() >= next_renewal_) Renew();
      if (!session_.has_value()) continue;
      Transact(group, one_by_one);
      return;
    } catch (const Error& error) {
      if (doubt_.has_value() || error.NeedsConnection()) {
        // One connection breaks; what breaks each is this group.
        if (++breaks > 1) ++failures_;
        Drop(Describe(error));
        if (breaks > limits::kStoreConflictsMax && !doubt_.has_value()) {
          for (Pending& pending : group) pending.status = Away();
          return;
        }
        if (breaks > 1) Pause();
      } else {
        session_->connection().Rollback();
        if (error.ShouldRunAgain() && conflicts++ < limits::kStoreConflictsMax) {
          std::this_thread::sleep_for(limits::kStoreConflictPause * conflicts /
                                      limits::kStoreConflictsMax);
        } else if (!one_by_one) {
          one_by_one = true;
        } else {
          for (Pending& pending : group) pending.status = ToStatus(error);
          return;
        }
      }
    } catch (const std::exception& error) {
      Fail(error);
    }
  }
  for (Pending& pending : group) pending.status = failed_;
}

void Writer::Transact(Group& group, bool one_by_one) {
  session_->Begin();
  Writes writes(session_->connection());
  Apply(group, one_by_one, writes);
  if (group.size() == 1 && !group.front().status.ok()) {  // what it has done is undone
    session_->connection().Rollback();
    return;
  }
  session_->Note(writes.changed());
  doubt_ = session_->doubt();
  const MonoTime begun = MonoNow();
  try {
    if (!session_->Commit()) {
      throw Error("40003", "committed, but the standby may not have it");
    }
  } catch (const Error& error) {
    if (!error.LeavesCommitUnknown()) doubt_.reset();
    throw;
  }
  doubt_.reset();
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
  connection.Script("SAVEPOINT one_write");
  try {
    if (pending.write.change != nullptr) {
      writes.Apply(*pending.write.change);
      pending.status = pending.write.change->status;
    } else {
      pending.status = pending.write.apply(writes);
    }
  } catch (const Error& error) {
    if (error.NeedsConnection() || error.ShouldRunAgain()) throw;
    pending.status = ToStatus(error);
  }
  if (pending.status.ok()) {
    connection.Script("RELEASE SAVEPOINT one_write");
  } else {
    connection.Script("ROLLBACK TO SAVEPOINT one_write; RELEASE SAVEPOINT one_write");
    writes.Forget(changes);
  }
}

void Writer::Renew() {
  next_renewal_ = MonoNow() + limits::kStoreLeaseRenewal;
  try {
    bool ignored = false;
    if (!session_.has_value()) {
      Connect(ignored);
    } else {
      session_->Renew(options_.identity);
    }
  } catch (const Error& error) {
    if (error.NeedsConnection()) Drop(Describe(error));
  } catch (const std::exception& error) {
    Fail(error);
  }
  if (!session_.has_value()) next_renewal_ = MonoNow() + limits::kStoreReconnectMax;
}

bool Writer::Connect(bool& committed) {
  try {
    auto connection = Connection::Open(options_.conninfo, limits::kStoreReplyMax);
    if (absl::Status fit = CheckServer(*connection); !fit.ok()) {
      throw Error("", std::string(fit.message()));
    }
    session_.emplace(std::move(connection), options_.identity, options_.feed_max, doubt_,
                     committed);
  } catch (const Error& error) {
    ++failures_;
    Drop(Describe(error));
    return false;
  }
  doubt_.reset();
  failures_ = 0;
  next_renewal_ = MonoNow() + limits::kStoreLeaseRenewal;
  writer_.store(session_->writer(), std::memory_order_relaxed);
  {
    MutexLock lock(mutex_);
    away_ = false;
  }
  if (std::exchange(told_away_, false) && options_.on_back) options_.on_back();
  return true;
}

// A connection that breaks is no news if the next one comes at once.
void Writer::Drop(const std::string& why) {
  session_.reset();
  writer_.store(0, std::memory_order_relaxed);
  if (failures_ == 0) return;
  {
    MutexLock lock(mutex_);
    away_ = true;
  }
  if (!std::exchange(told_away_, true) && options_.on_away) options_.on_away(why);
}

void Writer::Pause() {
  const MonoTime until =
      MonoNow() + Doubled(limits::kStoreReconnectFirst, failures_, limits::kStoreReconnectMax);
  MutexLock lock(mutex_);
  const bool was_closing = closing_;
  while (closing_ == was_closing && wake_.wait_until(mutex_, until) != std::cv_status::timeout) {
  }
}

// Whether the group is answered without PostgreSQL. One that may be stored waits for the truth, but
// not beyond the end of the program.
bool Writer::GivesUp(const Group& group) {
  const MonoTime now = MonoNow();
  MutexLock lock(mutex_);
  if (closing_ && now - closing_since_ >= limits::kStoreCloseMax) return true;
  return !doubt_.has_value() && now - group.front().posted >= options_.away_wait;
}

void Writer::RefuseLate() {
  Group late;
  {
    MutexLock lock(mutex_);
    const MonoTime now = MonoNow();
    while (!queue_.empty() && now - queue_.front().posted >= options_.away_wait) {
      Pending& next = queue_.front();
      if (next.status.ok()) {
        --admitted_;
        next.status = Away();
      }
      late.push_back(std::move(next));
      queue_.pop_front();
    }
  }
  Answer(late);
}

void Writer::Fail(const std::exception& why) {
  session_.reset();
  failed_ = errors::StoreFailed(why.what());
}

}  // namespace gateway::postgres
