#include "app/memory_return.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "obs/log.h"

namespace gateway::app {

bool ReturnRule::Due(std::size_t kept) {
  const std::size_t unused = std::min(kept, std::exchange(last_, kept));
  left_ = std::min(left_, kept);
  return unused > left_ + limits::kMemoryKeptMaxBytes;
}

void ReturnRule::Returned(std::size_t left) { last_ = left_ = left; }

MemoryReturn::MemoryReturn(MemoryReturnOptions options)
    : options_(std::move(options)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "memory-return");
}

MemoryReturn::~MemoryReturn() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void MemoryReturn::Run() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      const auto stopping = [this]() REQUIRES(mutex_) { return stopping_; };
      if (wake_.wait_until(mutex_, std::chrono::steady_clock::now() + options_.interval, stopping))
        return;
    }
    Look();
  }
}

void MemoryReturn::Look() {
  const std::size_t kept = options_.kept();
  if (!rule_.Due(kept)) return;
  const MonoTime begun = std::chrono::steady_clock::now();
  options_.give_back();
  const Duration took = std::chrono::steady_clock::now() - begun;
  const std::size_t left = options_.kept();
  rule_.Returned(left);
  obs::Log(obs::Level::kInfo, "memory_returned",
           {{"mib", static_cast<std::int64_t>((kept - std::min(kept, left)) / limits::kMiB)},
            {"took_ms", static_cast<std::int64_t>(
                            std::chrono::duration_cast<std::chrono::milliseconds>(took).count())}});
}

}  // namespace gateway::app
