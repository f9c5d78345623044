// Gives memory back after a flood.
//
// The allocator returns to the system only what lies at the end of its heaps, so one small block
// that lives on can hold tens of MiB below it for as long as the process runs. To ask for all of it
// takes time and locks, so it is asked for rarely, on a thread of its own, and only if much of it
// was not used for a while.
#pragma once

#include <cstddef>
#include <functional>
#include <thread>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/mutex.h"

namespace gateway::app {

// When memory is worth giving back. Not thread-safe.
class ReturnRule {
 public:
  // `kept` is what the allocator keeps now. True: it was at the last look too, so nobody is about
  // to use it, and there is much more of it than giving it back left the last time.
  bool Due(std::size_t kept);
  // So much of it could not be given back.
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
  // Looks until it is destroyed, which waits for a look under way.
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
