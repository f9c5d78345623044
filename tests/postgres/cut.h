// CutProxy stands between a gateway and PostgreSQL and cuts the way at a COMMIT: before the server
// has got it, or after the server has done it and before anybody hears of that.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace gateway::postgres {

class CutProxy {
 public:
  enum class When { kNever, kBeforeCommit, kAfterCommit, kWarning };

  // `socket`: the server's.
  explicit CutProxy(std::string socket);
  ~CutProxy();
  CutProxy(const CutProxy&) = delete;
  CutProxy& operator=(const CutProxy&) = delete;

  // How to reach the database `jobs` through it.
  std::string conninfo() const;
  // Cuts the connection of the COMMIT after the next `skip` ones; with kWarning it only says that
  // the standby may not have it.
  void CutNext(When when, int skip = 0) {
    skip_ = skip;
    when_ = when;
  }
  // How often it has cut.
  int cuts() const { return cuts_; }
  // Cuts all ways, and lets nobody through until told otherwise.
  void SetOpen(bool open);

 private:
  void Accept();
  void Serve(int client);

  const std::string socket_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<When> when_{When::kNever};
  std::atomic<int> skip_{0};
  std::atomic<int> cuts_{0};
  std::atomic<bool> open_{true};
  std::atomic<bool> ends_{false};
  Mutex mutex_;
  std::vector<int> ways_ GUARDED_BY(mutex_);
  std::vector<std::thread> servers_ GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace gateway::postgres
