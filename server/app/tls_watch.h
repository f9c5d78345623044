// A TlsWatch reads the files of TLS again, so that a new certificate needs no restart.
//
// As SecretWatch does with a secret it reads all of them every few seconds on the thread of the
// timers, and whenever somebody asks, and compares what they say. New ones serve the connections
// that begin from then on; those that are there stay as they are. Files that cannot be used, or do
// not belong together, change nothing, and the log says so once.
//
// Thread-safe.
#pragma once

#include <string>

#include "app/tls_files.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "rpc/tls_keys.h"

namespace gateway::app {

class TlsWatch {
 public:
  // `present` is what the files said at the start, and what `keys` has. What is passed in must
  // outlive the watch.
  TlsWatch(TlsFiles files, TlsRead present, rpc::TlsKeys& keys, const Clock& clock, Timers& timers);
  TlsWatch(const TlsWatch&) = delete;
  TlsWatch& operator=(const TlsWatch&) = delete;

  enum class Found { kSame, kReplaced, kUnusable };
  // Looks at the files now. What is found is logged if it is news.
  Found Look();

  // When the certificate that is in use ends.
  WallTime ends() const;

  // After it the watch looks no more by itself.
  void Stop() { next_.Stop(); }

 private:
  void Again();
  void Note(const std::string& trouble) REQUIRES(mutex_);
  void NoteCertificate() REQUIRES(mutex_);

  const TlsFiles files_;
  rpc::TlsKeys& keys_;
  const Clock& clock_;
  mutable Mutex mutex_;
  TlsRead present_ GUARDED_BY(mutex_);
  std::string trouble_ GUARDED_BY(mutex_);      // why the files cannot be used; empty: they can
  std::string certificate_ GUARDED_BY(mutex_);  // what was said of the certificate's time
  NextCall next_;
};

}  // namespace gateway::app
