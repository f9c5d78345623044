#include "app/self_watch.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "obs/log.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

MonoTime Now() { return std::chrono::steady_clock::now(); }

const char* Words(SelfCallVerdict verdict) {
  switch (verdict) {
    case SelfCallVerdict::kServing:
      return "";
    case SelfCallVerdict::kNotServing:
      return "starting or draining";
    case SelfCallVerdict::kUnproven:
      return "the process was stopped or starved";
    case SelfCallVerdict::kFull:
      return "as many connections are open as the file limit allows";
    case SelfCallVerdict::kSlow:
      return "too busy to answer a call of its own in time";
    case SelfCallVerdict::kMissed:
      return "the gateway does not answer its own call";
  }
  return "";
}

std::string Text(SelfCallVerdict verdict, const std::string& detail) {
  return detail.empty() ? Words(verdict) : std::string(Words(verdict)) + " (" + detail + ")";
}

}  // namespace

SelfCallVerdict Judge(const Unanswered& call) {
  if (call.late > limits::kSelfCallLate || call.took > call.timeout + limits::kSelfCallLate) {
    return SelfCallVerdict::kUnproven;
  }
  if (call.after.refused > call.before.refused) return SelfCallVerdict::kFull;
  const bool accepts = call.after.accepted > call.before.accepted;
  const bool serves = call.after.calls > call.before.calls;
  return accepts && serves ? SelfCallVerdict::kSlow : SelfCallVerdict::kMissed;
}

SelfWatch::SelfWatch(SelfWatchOptions options, std::vector<std::string> addresses, SelfDial dial,
                     std::function<ServerProgress()> progress, std::function<void()> unreachable)
    : options_(options),
      addresses_(std::move(addresses)),
      dial_(std::move(dial)),
      progress_(std::move(progress)),
      unreachable_(std::move(unreachable)) {}

SelfWatch::~SelfWatch() {
  Stop();
  if (thread_.joinable()) thread_.join();
}

void SelfWatch::Start() {
  Round(Duration::zero());
  thread_ = std::thread([this, due = Now() + options_.interval] { Run(due); });
  pthread_setname_np(thread_.native_handle(), "self-call");
}

void SelfWatch::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

void SelfWatch::Run(MonoTime due) {
  for (;;) {
    {
      MutexLock lock(mutex_);
      const auto stopping = [this]() REQUIRES(mutex_) { return stopping_; };
      if (wake_.wait_until(mutex_, due, stopping)) return;
    }
    Round(Now() - due);
    due = Now() + options_.interval;
  }
}

// Calls all addresses once; the worst answer counts.
void SelfWatch::Round(Duration late) {
  Found worst;
  for (const std::string& address : addresses_) {
    Found found = Ask(address, late);
    late = Duration::zero();
    if (found.verdict > worst.verdict) worst = std::move(found);
  }
  {
    MutexLock lock(mutex_);
    if (stopping_) return;
    found_at_ = Now();
    if (worst.verdict == SelfCallVerdict::kUnproven) return;  // what was known is known still
    found_ = worst;
  }
  misses_ = worst.verdict == SelfCallVerdict::kMissed ? misses_ + 1 : 0;
  if (worst.verdict > SelfCallVerdict::kNotServing) {
    Log(Level::kWarn, "self_call",
        {{"reason", Text(worst.verdict, worst.detail)}, {"misses", misses_}});
  }
  if (misses_ == options_.misses_max) unreachable_();
}

SelfWatch::Found SelfWatch::Ask(const std::string& address, Duration late) {
  Unanswered call{.late = late, .timeout = options_.timeout, .before = progress_()};
  const MonoTime begun = Now();
  const absl::StatusOr<bool> serving = dial_(address, options_.timeout);
  if (serving.ok())
    return {*serving ? SelfCallVerdict::kServing : SelfCallVerdict::kNotServing, ""};
  call.took = Now() - begun;
  call.after = progress_();
  return {Judge(call), std::string(serving.status().message())};
}

bool SelfWatch::Overdue() const {
  const Duration round = options_.timeout * static_cast<int>(addresses_.size());
  return Now() - found_at_ > options_.interval + round + 2 * limits::kSelfCallLate;
}

std::string SelfWatch::NotLive() const {
  MutexLock lock(mutex_);
  // A drain ends by itself, or by its watchdog.
  if (!stopping_ && Overdue()) return "no call of the gateway to itself has ended in time";
  if (found_.verdict != SelfCallVerdict::kMissed) return "";
  return Text(found_.verdict, found_.detail);
}

std::string SelfWatch::NotReady() const {
  MutexLock lock(mutex_);
  if (stopping_) return Words(SelfCallVerdict::kNotServing);
  if (Overdue()) return "no call of the gateway to itself has ended in time";
  return Text(found_.verdict, found_.detail);
}

}  // namespace gateway::app
