// Mutex is std::mutex with clang's thread-safety annotations.
//
// It is not absl::Mutex, because the packaged Abseil is not built for the thread sanitizer, which
// then reports correctly locked code as racing. The thread sanitizer understands std::mutex.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define GATEWAY_ATTRIBUTE(x) __attribute__((x))
#else
#define GATEWAY_ATTRIBUTE(x)
#endif

// Some Abseil headers define the same names to the same effect; whoever comes first, these hold.
#undef GUARDED_BY
#undef REQUIRES
#undef EXCLUDES
#define GUARDED_BY(x) GATEWAY_ATTRIBUTE(guarded_by(x))
#define REQUIRES(...) GATEWAY_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) GATEWAY_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace gateway {

class GATEWAY_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() GATEWAY_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() GATEWAY_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  bool try_lock() GATEWAY_ATTRIBUTE(try_acquire_capability(true)) { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

class GATEWAY_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) GATEWAY_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() GATEWAY_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits on a Mutex that the caller holds through a MutexLock.
using CondVar = std::condition_variable_any;

}  // namespace gateway
