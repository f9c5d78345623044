#include "jobs/late_writes.h"

#include <utility>

#include "base/backoff.h"
#include "base/errors.h"
#include "base/limits.h"

namespace gateway::jobs {
namespace {

bool MayBeStoredLater(const absl::Status& stored) {
  switch (stored.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kNotFound:
      return false;
    default:
      return errors::Reason(stored) != errors::kStoreFailed;
  }
}

}  // namespace

LateWrites::~LateWrites() {
  for (const auto& [id, late] : late_) timers_.Cancel(late.timer);
}

bool LateWrites::Keep(const absl::Status& stored, Tries& tries, std::function<void()> again) {
  if (!MayBeStoredLater(stored)) return false;
  Duration delay = Doubled(limits::kLateWriteFirst, tries.failures++, limits::kLateWriteMax);
  MutexLock lock(mutex_);
  if (ended_) {
    if (tries.at_end++ >= limits::kLateWritesAtEnd) return false;
    delay = limits::kLateWriteAtEnd;
  }
  const int id = ++last_id_;
  late_[id] = {.timer = timers_.At(clock_.Now() + delay, [this, id] { Try(id); }),
               .again = std::move(again)};
  return true;
}

void LateWrites::Try(int id) {
  std::function<void()> again;
  {
    MutexLock lock(mutex_);
    const auto found = late_.find(id);
    if (found == late_.end()) return;
    again = std::move(found->second.again);
    late_.erase(found);
  }
  again();
}

void LateWrites::End() {
  std::map<int, Late> late;
  {
    MutexLock lock(mutex_);
    ended_ = true;
    late.swap(late_);
    for (const auto& [id, one] : late) timers_.Cancel(one.timer);
  }
  for (const auto& [id, one] : late) one.again();
}

}  // namespace gateway::jobs
