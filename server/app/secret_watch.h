// A SecretWatch reads the file of a secret again, so that a new key needs no restart.
//
// A look reads the whole file and compares what it says, so that it does not matter how it was
// replaced: written over, renamed, or by a link to another directory, as Kubernetes does. Looks are
// taken every few seconds on the thread of the timers, and whenever somebody asks. A file that
// cannot be used changes nothing, and the log says so once. A pipe is read at the start only.
//
// Thread-safe.
#pragma once

#include <functional>
#include <string>

#include "app/secret_file.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "base/secret.h"

namespace gateway::app {

class SecretWatch {
 public:
  // `present` is what the file said at the start. `replaced` is called with each new secret, under
  // no lock. What is passed in must outlive the watch.
  SecretWatch(SecretOrigin file, Secret present, std::function<void(Secret)> replaced,
              const Clock& clock, Timers& timers);
  SecretWatch(const SecretWatch&) = delete;
  SecretWatch& operator=(const SecretWatch&) = delete;

  enum class Found { kSame, kReplaced, kUnusable };
  // Looks at the file now. What is found is logged if it is news.
  Found Look();

  // After it the watch looks no more by itself.
  void Stop() { next_.Stop(); }

 private:
  void Again();
  void Note(const std::string& trouble) REQUIRES(mutex_);

  const SecretOrigin file_;
  const std::function<void(Secret)> replaced_;
  const Clock& clock_;
  Mutex mutex_;
  Secret present_ GUARDED_BY(mutex_);
  std::string trouble_ GUARDED_BY(mutex_);  // why the file cannot be used; empty: it can
  NextCall next_;
};

}  // namespace gateway::app
