// A ReadLine lets reads of archived files wait for the threads that do them. There is one line a
// tenant, and the lines are served in turn, so that a tenant with many readers delays one with a
// single reader by one read. How many wait is bounded, in all and of one tenant.
//
// Thread-safe; no call blocks.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/mutex.h"

namespace gateway::archive {

struct ReadLineOptions {
  int readers = limits::kArchiveReaders;
  std::size_t max = limits::kArchiveReadsMax;
  std::size_t tenant_max = limits::kArchiveReadsOfTenantMax;
};

class ReadLine {
 public:
  using Read = std::function<void()>;
  // `run` runs the work on the thread of this reader, 0 to `readers` - 1.
  using Run = std::function<void(int reader, std::function<void()> work)>;

  ReadLine(ReadLineOptions options, Run run);
  ReadLine(const ReadLine&) = delete;
  ReadLine& operator=(const ReadLine&) = delete;

  // Lets a read of this tenant wait for its turn. Returns 0, or the bound that is reached: then it
  // was not taken.
  std::size_t Add(const std::string& tenant, Read read);

  std::size_t waiting() const;

 private:
  void Pump();
  Read TakeNext() REQUIRES(mutex_);

  const ReadLineOptions options_;
  const Run run_;
  mutable Mutex mutex_;
  std::map<std::string, std::deque<Read>> lines_ GUARDED_BY(mutex_);  // by tenant; none is empty
  std::string last_ GUARDED_BY(mutex_);                               // the tenant served last
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;
  std::vector<int> idle_ GUARDED_BY(mutex_);
};

}  // namespace gateway::archive
