// An Acceptor accepts connections on a thread of its own and hands them on.
//
// The library's listener gives up for ever when the system has no file for a connection. An
// Acceptor refuses such a connection and goes on, and it leaves a part of the files to the rest of
// the program. No address can take all the rest: an address gets no more while it has more than
// four connections for each place that is left (rpc/address_connections.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "obs/line_limit.h"
#include "rpc/address_connections.h"
#include "rpc/listen_sockets.h"

namespace gateway::rpc {

// How many files may be open before connections are refused: a part of the process' limit.
int ConnectionFilesMax();
// How many connections callers over HTTP may have. They are a part of those files.
int HttpConnectionsMax();

class Acceptor {
 public:
  // `take(listener, fd)` owns the connection and must not block; `listener` is an index of
  // `listeners`. The system gives a connection the lowest free number; from `files_max` on it is
  // closed at once.
  Acceptor(std::vector<ListenSockets> listeners, int files_max,
           std::function<void(std::size_t listener, int fd)> take);
  ~Acceptor();  // stops
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  void Start();
  // Closes the sockets. Nothing is handed on after it returns. It must not be called from `take`.
  void Stop();

  // Connections so far. Those refused are not among the accepted.
  std::uint64_t accepted() const { return accepted_.load(std::memory_order_relaxed); }
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  // Of the refused, those whose address had too many.
  std::uint64_t refused_of_address() const {
    return refused_of_address_.load(std::memory_order_relaxed);
  }
  // The addresses at which this process reaches the sockets. They do not change.
  const std::vector<std::string>& dial_addresses() const { return dial_addresses_; }

 private:
  struct Socket {
    std::size_t listener;
    int fd;
  };

  void Run();
  bool AcceptSome(const Socket& socket);
  int RefuseOne(const Socket& socket, const char* why);
  void CountRefused(const char* why);
  void CountRefusedOf(const std::string& address);
  void Warn(const char* why);

  std::vector<ListenSockets> listeners_;
  const int files_max_;
  const std::function<void(std::size_t, int)> take_;
  std::vector<std::string> dial_addresses_;
  std::vector<Socket> sockets_;
  OwnedFd wake_;     // an eventfd, readable once it should stop
  OwnedFd reserve_;  // given up for a moment to refuse a connection for which there is no file
  AddressConnections connections_;  // on the thread only
  obs::LineLimit lines_;
  obs::LineLimit address_lines_;
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> refused_of_address_{0};
  std::thread thread_;
};

}  // namespace gateway::rpc
