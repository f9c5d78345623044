#include "jobs/outage.h"

#include <utility>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::jobs {

OutageWatch::OutageWatch(Account& account, pictory::PictoryClient& client, const Clock& clock,
                         Timers& timers, std::function<void(const absl::Status&)> changed,
                         std::function<std::shared_ptr<const void>()> owner)
    : account_(account),
      client_(client),
      clock_(clock),
      changed_(std::move(changed)),
      owner_(std::move(owner)),
      again_(timers) {
  account_.SetSuspected([this] { Suspect(); });
  client_.SetCredentialsRefused([this] { Suspect(); });
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

void OutageWatch::AskNow() {
  {
    MutexLock lock(mutex_);
    if (stopped_) return;
    if (asking_) {
      ask_again_ = true;
      return;
    }
    probing_ = true;
  }
  Probe();
}

void OutageWatch::Probe() {
  {
    MutexLock lock(mutex_);
    if (stopped_ || asking_ || !probing_) return;
    asking_ = true;
    next_ = clock_.Now() + limits::kOutageProbeInterval;
  }
  account_.Spend(Budget::Share::kPoll);
  account_.CountRead();
  client_.Probe([this, owner = owner_ ? owner_() : nullptr](const absl::Status& status) {
    OnProbed(status);
  });
}

bool OutageWatch::AsksOnceMore() {
  if (account_.credentials_refused()) return false;
  MutexLock lock(mutex_);
  if (first_refusal_.has_value() || ask_again_) return false;
  first_refusal_ = account_.spoken();
  asking_ = false;
  const MonoTime at = clock_.Now() + limits::kCredentialsConfirmAfter;
  next_ = at;
  again_.At(at, [this] { Probe(); });
  return true;
}

void OutageWatch::OnProbed(const absl::Status& status) {
  // Any other refusal counts as an answer.
  bool refused = errors::Reason(status) == errors::kUpstreamCredentials;
  if (refused && AsksOnceMore()) return;
  {
    MutexLock lock(mutex_);
    // What Pictory has said since the first refusal outweighs the second.
    if (first_refusal_.has_value() && *first_refusal_ != account_.spoken()) refused = false;
    first_refusal_.reset();
  }
  const bool rest = refused || absl::IsUnavailable(status);
  const absl::Status why = rest ? status : absl::OkStatus();
  const bool changes = account_.SetResting(why);
  // The end of an outage is told to watchers at once. An answer that ends no outage is not: while
  // only jobs cannot be asked about, it would take back every few seconds what the polls say.
  if (changes && !rest) account_.NoteFreeCall(status);
  {
    MutexLock lock(mutex_);
    asking_ = false;
    probing_ = rest;
    // The interval counts from the end of a probe, so that Pictory never sees two closer together;
    // a probe that took long has waited already.
    const MonoTime now = clock_.Now();
    next_ = now < next_ ? now + limits::kOutageProbeInterval : now;
    if (std::exchange(ask_again_, false)) {
      probing_ = true;
      next_ = now;
      again_.At(now, [this] { Probe(); });
    } else if (rest) {
      again_.At(refused ? now + limits::kCredentialsProbeInterval : next_, [this] { Probe(); });
    }
  }
  if (changes && changed_) changed_(why);
}

}  // namespace gateway::jobs
