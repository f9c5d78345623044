// CutProxy stands between a gateway and PostgreSQL and cuts the way at a COMMIT: before the server
// has got it, or after the server has done it and before anybody hears of that. It can also hold
// everything up, as a server does that hangs.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace gateway::postgres {

class CutProxy {
 public:
  enum class When { kNever, kBeforeCommit, kAfterCommit, kWarning, kStrangeError };

  // `socket`: the server's.
  explicit CutProxy(std::string socket);
  ~CutProxy();
  CutProxy(const CutProxy&) = delete;
  CutProxy& operator=(const CutProxy&) = delete;

  // How to reach the database `jobs` through it.
  std::string conninfo() const;
  // Cuts the connections of the next `times` COMMITs after so many that pass. With kWarning it only
  // says that the standby may not have it, with kStrangeError it answers with an error although the
  // COMMIT was done.
  void CutNext(When when, int times = 1, int pass = 0) {
    passing_ = pass;
    times_ = times;
    when_ = when;
  }
  // The same for one COMMIT, and nobody gets through from then on.
  void CutNextAndClose(When when) {
    closes_ = true;
    CutNext(when);
  }
  // How often it has cut.
  int cuts() const { return cuts_; }
  // Cuts all ways, and lets nobody through until told otherwise.
  void SetOpen(bool open);
  // Hands nothing on, and cuts nothing, until told otherwise.
  void SetStopped(bool stopped);

 private:
  void Accept();
  void Serve(int client);
  // Whether this COMMIT is to be cut.
  bool IsNext();
  void NoteCut();

  const std::string socket_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<When> when_{When::kNever};
  std::atomic<int> passing_{0};
  std::atomic<int> times_{0};
  std::atomic<bool> closes_{false};
  std::atomic<bool> stopped_{false};
  std::atomic<int> cuts_{0};
  std::atomic<bool> open_{true};
  std::atomic<bool> ends_{false};
  Mutex mutex_;
  std::vector<int> ways_ GUARDED_BY(mutex_);
  std::vector<std::thread> servers_ GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace gateway::postgres
