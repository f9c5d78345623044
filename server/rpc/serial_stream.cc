#include "rpc/serial_stream.h"

#include <utility>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::rpc {

void SerialStream::OnWriteDone(bool ok) {
  {
    MutexLock lock(mutex_);
    writing_ = false;
    if (!ok) cancelled_ = true;
  }
  Advance();
}

void SerialStream::OnCancel() {
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
  }
  Advance();
}

void SerialStream::End(absl::Status status) {
  {
    MutexLock lock(mutex_);
    if (!ending_.has_value()) ending_ = std::move(status);
  }
  Advance();
}

std::optional<MonoTime> SerialStream::OnTick(MonoTime now) {
  {
    MutexLock lock(mutex_);
    if (finished_) return std::nullopt;
    if (!writing_ || stuck_ || now - write_began_ < limits::kWriteStuckAfter) {
      return now + limits::kHeartbeatInterval;
    }
    stuck_ = true;
    cancelling_ = true;
  }
  sink_.TryCancel();
  {
    MutexLock lock(mutex_);
    cancelling_ = false;
  }
  Advance();
  return now + limits::kHeartbeatInterval;
}

void SerialStream::Advance() {
  const MonoTime now = clock_.Now();
  Step step;
  {
    MutexLock lock(mutex_);
    if (finished_ || writing_ || cancelling_) return;
    if (cancelled_) {
      step.finish = errors::Cancelled();
    } else {
      step = Next(ending_);
    }
    finished_ = step.finish.has_value();
    if (step.write != nullptr) {
      writing_ = true;
      write_began_ = now;
    }
  }
  if (step.finish.has_value()) return sink_.Finish(*std::move(step.finish));
  if (step.write != nullptr) return sink_.Write(std::move(step.write));
  if (step.run) step.run();
}

}  // namespace gateway::rpc
