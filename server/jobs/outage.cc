#include "jobs/outage.h"

#include <utility>

#include "base/limits.h"

namespace gateway::jobs {

OutageWatch::OutageWatch(Account& account, pictory::PictoryClient& client, const Clock& clock,
                         Timers& timers, std::function<void(bool)> changed)
    : account_(account),
      client_(client),
      clock_(clock),
      changed_(std::move(changed)),
      again_(timers) {
  account_.SetSilent([this] { Suspect(); });
}

OutageWatch::~OutageWatch() { Stop(); }

void OutageWatch::Stop() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
  }
  again_.Stop();
}

void OutageWatch::Suspect() {
  {
    MutexLock lock(mutex_);
    if (stopped_ || probing_ || clock_.Now() < next_) return;
    probing_ = true;
  }
  Probe();
}

void OutageWatch::Probe() {
  {
    MutexLock lock(mutex_);
    if (stopped_) return;
    next_ = clock_.Now() + limits::kOutageProbeInterval;
  }
  account_.Spend(Budget::Share::kPoll);
  client_.Probe([this](const absl::Status& status) { OnProbed(status); });
}

void OutageWatch::OnProbed(const absl::Status& status) {
  // A refusal is an answer.
  const bool rest = absl::IsUnavailable(status);
  const bool changes = account_.SetResting(rest);
  // The end of an outage is told to watchers at once. An answer that ends none is not: while jobs alone
  // cannot be asked about, it would take back every few seconds what the polls say.
  if (changes && !rest) account_.NoteFreeCall(status);
  {
    MutexLock lock(mutex_);
    probing_ = rest;
    // From its end, so that Pictory never sees two closer together; one that took long has waited.
    const MonoTime now = clock_.Now();
    next_ = now < next_ ? now + limits::kOutageProbeInterval : now;
    if (rest) again_.At(next_, [this] { Probe(); });
  }
  if (changes && changed_) changed_(rest);
}

}  // namespace gateway::jobs
