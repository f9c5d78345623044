#include "rpc/intake.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "base/errors.h"
#include "base/memory.h"
#include "rpc/later.h"
#include "rpc/status.h"

namespace gateway::rpc {

Intake::Intake(IntakeLimits limits, std::function<void(std::function<void()>)> aside,
               const Admission& admission, const Clock& clock, Timers& timers, Random& random)
    : limits_(std::move(limits)),
      held_max_bytes_(limits_.memory_bytes == 0
                          ? limits::kLargeRequestsMaxBytes
                          : std::clamp(limits_.memory_bytes / limits::kLargeRequestsShare,
                                       limits::kRequestMaxBytes, limits::kLargeRequestsMaxBytes)),
      alone_max_bytes_(std::min(limits_.memory_bytes / limits::kLargeRequestAloneShare,
                                limits::kLargeRequestAloneMaxBytes)),
      aside_(std::move(aside)),
      admission_(admission),
      clock_(clock),
      timers_(timers),
      random_(random) {}

void Intake::Begin(std::shared_ptr<Arrival> arrival) {
  Arrival& entry = *arrival;
  Arrivals place;
  place.push_back(std::move(arrival));
  Arrivals refused;
  entry.begun_ = clock_.Now();
  begun_.fetch_add(1, std::memory_order_relaxed);
  {
    MutexLock lock(mutex_);
    if (arriving_.size() >= limits_.arriving) refused = TakeSome();
    arriving_.splice(arriving_.end(), place);
    entry.place_ = std::prev(arriving_.end());
    entry.awaited_ = true;
    Arm(limits::kArrivalCheckSoon);
  }
  for (const auto& one : refused) {
    one->Refuse(ToGrpc(errors::TooMany(
        "unfinished requests", static_cast<std::int64_t>(limits_.arriving), Later(random_))));
  }
}

bool Intake::End(Arrival& arrival) {
  Arrivals ended;  // freed without the lock
  MutexLock lock(mutex_);
  if (!std::exchange(arrival.awaited_, false)) return false;
  ended.splice(ended.end(), arriving_, arrival.place_);
  return true;
}

std::size_t Intake::arriving() const {
  MutexLock lock(mutex_);
  return arriving_.size();
}

void Intake::Drain() {
  MutexLock lock(mutex_);
  Arm(limits::kArrivalCheckInterval);
}

std::shared_ptr<void> Intake::Hold(std::size_t bytes, std::size_t own) {
  const std::size_t before = held_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  const bool room =
      before + bytes <= held_max_bytes_ || (before == own && before + bytes <= alone_max_bytes_);
  std::shared_ptr<void> held(this, [self = shared_from_this(), bytes](void*) {
    self->held_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  });
  return room ? held : nullptr;
}

absl::Status Intake::HoldRefusal() const {
  return errors::TooMany("MiB of large requests",
                         static_cast<std::int64_t>(held_max_bytes_ / limits::kMiB), Later(random_));
}

// Sets one timer while any request is on its way, and none for an idle server.
void Intake::Arm(Duration wait) {
  if (armed_ || arriving_.empty()) return;
  armed_ = true;
  timers_.At(clock_.Now() + wait, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->OnTick();
  });
}

void Intake::OnTick() {
  const MonoTime now = clock_.Now();
  const std::size_t used = Used();
  bool returns = false;
  bool refuses = false;
  {
    MutexLock lock(mutex_);
    armed_ = false;
    Arm(NextLook(used, limits_.memory_bytes));
    if (arriving_.empty()) return;
    returns = used > MemoryShortFrom(limits_.memory_bytes) && now >= next_return_;
    // What the refused have left is used by the others, or given back. Until then only growth shows
    // that there are still too many.
    refuses = used > MemoryScarceFrom(limits_.memory_bytes) &&
              (used > refused_at_used_ + limits::kMemoryGrowth || now >= next_refusal_);
    if (refuses) {
      refused_at_used_ = used;
      next_refusal_ = now + limits::kArrivalCheckInterval;
    }
  }
  RefuseLate(now);
  if (refuses) RefuseLargest(now, limits::kArrivalCheckSoon);
  if (!returns || giving_back_.exchange(true)) return;
  aside_([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    ReturnFreeMemory();
    {
      MutexLock lock(self->mutex_);
      self->next_return_ = self->clock_.Now() + limits::kArrivalCheckInterval;
    }
    self->giving_back_.store(false);
    if (self->Used() <= MemoryShortFrom(self->limits_.memory_bytes)) return;
    self->RefuseLargest(self->clock_.Now(), limits::kArrivalCheckInterval);
  });
}

void Intake::RefuseLate(MonoTime now) {
  const Duration patience =
      admission_.draining() ? Duration(limits::kDrainArrivalMax) : limits_.arrival;
  Arrivals late;
  {
    MutexLock lock(mutex_);
    while (!arriving_.empty() && arriving_.front()->begun_ + patience <= now) TakeFirst(late);
  }
  for (const auto& one : late) {
    one->Refuse(admission_.draining() ? ToGrpc(admission_.DrainStatus())
                                      : one->Late(limits_.arrival));
  }
}

void Intake::RefuseLargest(MonoTime now, Duration age) {
  Arrivals large;
  {
    MutexLock lock(mutex_);
    large = TakeLargest(now, age);
  }
  for (const auto& one : large) one->Refuse(ToGrpc(errors::MemoryShort(Later(random_))));
}

void Intake::TakeFirst(Arrivals& into) {
  arriving_.front()->awaited_ = false;
  into.splice(into.end(), arriving_, arriving_.begin());
}

// Takes the requests to refuse. A request that arrives at once is not among them, however much
// others have on their way.
Intake::Arrivals Intake::TakeLargest(MonoTime now, Duration age) {
  std::vector<Arrivals::iterator> slow;
  std::vector<std::string> peers;
  for (auto it = arriving_.begin(); it != arriving_.end(); ++it) {
    if ((*it)->begun_ + age > now) break;
    slow.push_back(it);
    peers.push_back((*it)->Peer());
  }
  Arrivals large;
  Take(slow, ChooseRefused(peers, (peers.size() + 1) / 2), large);
  return large;
}

// To look at all requests takes a while, so several give way at once, and the next ones find room.
Intake::Arrivals Intake::TakeSome() {
  std::vector<Arrivals::iterator> all;
  std::vector<std::string> peers;
  for (auto it = arriving_.begin(); it != arriving_.end(); ++it) {
    all.push_back(it);
    peers.push_back((*it)->Peer());
  }
  Arrivals some;
  Take(all, ChooseRefused(peers, std::min(limits::kArrivingGiveWay, (peers.size() + 1) / 2)), some);
  return some;
}

void Intake::Take(std::vector<Arrivals::iterator>& found, const std::vector<std::size_t>& chosen,
                  Arrivals& into) {
  for (const std::size_t i : chosen) {
    (*found[i])->awaited_ = false;
    into.splice(into.end(), arriving_, found[i]);
  }
}

// Where there is no limit nothing is looked up, and nothing is ever short.
std::size_t Intake::Used() const {
  if (limits_.memory_bytes == 0) return 0;
  return limits_.used ? limits_.used() : ResidentBytes();
}

grpc::Status Intake::Arrival::Late(Duration limit) const {
  return ToGrpc(errors::RequestLate(limit));
}

std::size_t MemoryShortFrom(std::size_t limit) {
  const std::size_t least = limit - std::min(limit / 2, limits::kMemoryShortHeadroom);
  return std::min(limit / 100 * limits::kMemoryShortPercent, least);
}

std::size_t MemoryScarceFrom(std::size_t limit) {
  return limit - (limit - MemoryShortFrom(limit)) / 3 * 2;
}

Duration NextLook(std::size_t used, std::size_t limit) {
  if (limit == 0) return limits::kArrivalCheckInterval;
  const std::size_t shortage = MemoryShortFrom(limit);
  const bool soon = used > shortage - std::min(shortage, limits::kMemoryShortHeadroom);
  return soon ? limits::kArrivalCheckSoon : limits::kArrivalCheckInterval;
}

std::vector<std::size_t> ChooseRefused(const std::vector<std::string>& peers, std::size_t count) {
  std::unordered_map<std::string, std::size_t> of_peer;
  for (const std::string& peer : peers) ++of_peer[peer];
  std::vector<std::size_t> order(peers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const std::size_t of_a = of_peer[peers[a]];
    const std::size_t of_b = of_peer[peers[b]];
    return of_a != of_b ? of_a > of_b : a < b;
  });
  order.resize(std::min(count, order.size()));
  return order;
}

}  // namespace gateway::rpc
