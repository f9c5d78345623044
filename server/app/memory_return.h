// MemoryReturn gives memory back to the system after a flood.
//
// The allocator returns to the system only what lies at the end of its heaps, so one small block
// that lives on can hold tens of MiB below it for as long as the process runs. To give all of it
// back takes time and locks, so that is done rarely, on a thread of its own, and only if much
// memory was not used for a while.
#pragma once

#include <cstddef>
#include <functional>
#include <thread>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/mutex.h"

namespace gateway::app {

// A ReturnRule tells when memory is worth giving back. Not thread-safe.
class ReturnRule {
 public:
  // `kept` is how much the allocator keeps now. True if it kept that at the last look too, so that
  // nobody is about to use it, and if it is much more than was left when memory was last given
  // back.
  bool Due(std::size_t kept);
  // Notes how much could not be given back.
  void Returned(std::size_t left);

 private:
  std::size_t last_ = 0;
  std::size_t left_ = 0;
};

struct MemoryReturnOptions {
  Duration interval = limits::kMemoryLookInterval;
  std::function<std::size_t()> kept = KeptBytes;
  std::function<void()> give_back = ReturnFreeMemory;
};

class MemoryReturn {
 public:
  // A MemoryReturn looks until it is destroyed; its destructor waits for a look under way.
  explicit MemoryReturn(MemoryReturnOptions options = {});
  ~MemoryReturn();
  MemoryReturn(const MemoryReturn&) = delete;
  MemoryReturn& operator=(const MemoryReturn&) = delete;

 private:
  void Run();
  void Look();

  const MemoryReturnOptions options_;
  ReturnRule rule_;  // of the thread
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gateway::app
