// AddressConnections counts the connections of each address, so that none of them takes all places.
//
// Where places become few, an address with many connections gets no more: it may have four times as
// many as there are places left. So a lone one, such as a proxy in front of all callers, may take
// four fifths of all places, two of them four ninths each, and however many there are, they leave
// places for an address that has none yet.
//
// The library does not tell when it closes a connection. So each is kept with its file's number and
// the cookie of its socket, which the system gives to no other. Where the number has another cookie
// or none, the connection has ended. A number that comes again is seen at once. The others are
// looked at only before somebody is refused, and no more than a tenth of the time.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"

namespace gateway::rpc {

// Whether an address that has `held` connections may have one more where `left` places are free.
// Pure.
bool MayHaveOneMore(std::size_t held, std::size_t left);

class AddressConnections {
 public:
  // `files_max`: how many files may be open, those that are no connections included.
  explicit AddressConnections(int files_max) : files_max_(files_max) {}

  // Counts a connection from `address` that has just got the number `fd`, the lowest that was free.
  // False: the connection may not stay, and is not counted.
  bool Admit(int fd, const std::string& address, MonoTime now);

  // The connections of the address that are not known to have ended.
  std::size_t held(const std::string& address) const;
  // How often all were looked at.
  std::uint64_t looks() const { return looks_; }

 private:
  using Counts = std::unordered_map<std::string, std::size_t>;
  struct One {
    std::uint64_t cookie = 0;
    Counts::value_type* count = nullptr;  // null: there is none
  };

  bool May(int fd, const std::string& address) const;
  void Forget(One& one);
  void LookAtAll(MonoTime now);

  const int files_max_;
  std::vector<One> by_fd_;
  std::size_t known_ = 0;
  Counts counts_;
  MonoTime next_look_{};
  std::uint64_t looks_ = 0;
};

}  // namespace gateway::rpc
