// Connections, and what the listener does when there is no file for one.
#include "rpc/acceptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>

#include "base/limits.h"
#include "base/mutex.h"

namespace gateway::rpc {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr int kUnansweredMs = 20'000;

ListenSockets MustOpen(const std::string& address) {
  auto opened = OpenListenSockets(address, kUnansweredMs);
  EXPECT_TRUE(opened.ok()) << opened.status();
  return opened.ok() ? *std::move(opened) : ListenSockets{};
}

std::vector<ListenSockets> One(ListenSockets sockets) {
  std::vector<ListenSockets> listeners;
  listeners.push_back(std::move(sockets));
  return listeners;
}

OwnedFd Socket(int family = AF_INET) {
  OwnedFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{.tv_sec = 20, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return fd;
}

// As it would come from another machine: all of 127.0.0.0/8 is this one.
void ComeFrom(const OwnedFd& fd, const char* from) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, from, &address.sin_addr);
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

bool Connect(const OwnedFd& fd, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// The other side has closed it.
bool Closed(const OwnedFd& fd) {
  char byte = 0;
  const ssize_t got = recv(fd.get(), &byte, 1, 0);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

// Keeps what is accepted.
class Taker {
 public:
  std::function<void(std::size_t, int)> Take() {
    return [this](std::size_t listener, int fd) {
      MutexLock lock(mutex_);
      taken_.emplace_back(listener, OwnedFd(fd));
      changed_.notify_all();
    };
  }
  bool Await(std::size_t count) {
    MutexLock lock(mutex_);
    const auto there = [this, count]() REQUIRES(mutex_) { return taken_.size() >= count; };
    return changed_.wait_for(mutex_, seconds(20), there);
  }
  std::size_t listener(std::size_t i) {
    MutexLock lock(mutex_);
    return taken_[i].first;
  }
  int fd(std::size_t i) {
    MutexLock lock(mutex_);
    return taken_[i].second.get();
  }
  void Forget() {
    MutexLock lock(mutex_);
    taken_.clear();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::pair<std::size_t, OwnedFd>> taken_ GUARDED_BY(mutex_);
};

TEST(AcceptorTest, ConnectionsOfAllListenersAreHandedOnUntilItStops) {
  const std::string path = ::testing::TempDir() + "/acceptor-test.sock";
  std::vector<ListenSockets> listeners;
  listeners.push_back(MustOpen("127.0.0.1:0"));
  listeners.push_back(MustOpen("unix:" + path));
  const int port = listeners[0].port;
  EXPECT_EQ(listeners[1].port, 0);
  Taker taker;
  Acceptor acceptor(std::move(listeners), 1'000'000, taker.Take());
  acceptor.Start();
  EXPECT_THAT(acceptor.dial_addresses(),
              ::testing::ElementsAre("127.0.0.1:" + std::to_string(port), "unix:" + path));
  const OwnedFd tcp = Socket();
  ASSERT_TRUE(Connect(tcp, port));
  ASSERT_TRUE(taker.Await(1));
  const OwnedFd local = Socket(AF_UNIX);
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  std::memcpy(place.sun_path, path.data(), path.size());
  ASSERT_EQ(connect(local.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
  ASSERT_TRUE(taker.Await(2));
  EXPECT_EQ(taker.listener(0), 0u);
  EXPECT_EQ(taker.listener(1), 1u);
  EXPECT_EQ(acceptor.accepted(), 2u);
  // As the library's own listener sets it.
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    getsockopt(taker.fd(0), level, name, &value, &length);
    return value;
  };
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), kUnansweredMs);
  EXPECT_NE(fcntl(taker.fd(0), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(taker.fd(0), F_GETFD) & FD_CLOEXEC, 0);
  acceptor.Stop();
  const OwnedFd late = Socket();
  EXPECT_FALSE(Connect(late, port));
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

// The number the first connection gets: the two lowest free ones are for the acceptor's own files.
int ThirdFreeFile() {
  std::array<OwnedFd, 3> files;
  for (OwnedFd& file : files) file = OwnedFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  return files.back().get();
}

TEST(AcceptorTest, BeyondThePartOfTheFilesThatConnectionsMayTakeTheyAreClosedAtOnce) {
  ListenSockets sockets = MustOpen("127.0.0.1:0");
  const int port = sockets.port;
  Taker taker;
  const OwnedFd first = Socket();
  const OwnedFd beyond = Socket();
  const OwnedFd later = Socket();
  Acceptor acceptor(One(std::move(sockets)), ThirdFreeFile() + 1, taker.Take());
  acceptor.Start();
  ASSERT_TRUE(Connect(first, port));
  ASSERT_TRUE(taker.Await(1));
  ASSERT_TRUE(Connect(beyond, port));
  EXPECT_TRUE(Closed(beyond));
  EXPECT_EQ(acceptor.refused(), 1u);
  EXPECT_EQ(acceptor.accepted(), 1u);
  taker.Forget();
  ASSERT_TRUE(Connect(later, port));
  EXPECT_TRUE(taker.Await(1));
  EXPECT_EQ(acceptor.refused(), 1u);
}

// Some 50 places: of a lone address 40, because then it has four for each that is left.
TEST(AcceptorTest, OneAddressLeavesPlacesForOthersUntilItsConnectionsHaveEnded) {
  ListenSockets sockets = MustOpen("127.0.0.1:0");
  const int port = sockets.port;
  Taker taker;
  std::vector<OwnedFd> greedy;
  for (int i = 0; i < 50; ++i) ComeFrom(greedy.emplace_back(Socket()), "127.0.0.2");
  std::vector<OwnedFd> others;
  for (const char* from : {"127.0.0.3", "127.0.0.4", "127.0.0.5"}) {
    ComeFrom(others.emplace_back(Socket()), from);
  }
  Acceptor acceptor(One(std::move(sockets)), ThirdFreeFile() + 50, taker.Take());
  acceptor.Start();
  for (const OwnedFd& one : greedy) ASSERT_TRUE(Connect(one, port));
  for (int i = 40; i < 50; ++i) EXPECT_TRUE(Closed(greedy[i])) << i;
  ASSERT_TRUE(taker.Await(40));
  EXPECT_EQ(acceptor.accepted(), 40u);
  EXPECT_EQ(acceptor.refused(), 10u);
  EXPECT_EQ(acceptor.refused_of_address(), 10u);
  for (const OwnedFd& other : others) ASSERT_TRUE(Connect(other, port));
  ASSERT_TRUE(taker.Await(43));
  // Nobody tells the acceptor of it.
  taker.Forget();
  greedy.clear();
  for (int i = 0; i < 30; ++i) {
    ComeFrom(greedy.emplace_back(Socket()), "127.0.0.2");
    ASSERT_TRUE(Connect(greedy.back(), port));
  }
  EXPECT_TRUE(taker.Await(30));
  EXPECT_EQ(acceptor.refused(), 10u);
}

TEST(AcceptorTest, ManyGreedyAddressesLeaveAPlaceForOneMore) {
  ListenSockets sockets = MustOpen("127.0.0.1:0");
  const int port = sockets.port;
  Taker taker;
  std::vector<OwnedFd> greedy;
  for (int i = 0; i < 300; ++i) {
    ComeFrom(greedy.emplace_back(Socket()), ("127.0.1." + std::to_string(1 + i % 10)).c_str());
  }
  const OwnedFd other = Socket();
  Acceptor acceptor(One(std::move(sockets)), ThirdFreeFile() + 100, taker.Take());
  acceptor.Start();
  for (const OwnedFd& one : greedy) ASSERT_TRUE(Connect(one, port));
  EXPECT_TRUE(Closed(greedy.back()));
  const std::uint64_t before = acceptor.accepted();
  EXPECT_GT(before, 90u);
  EXPECT_EQ(acceptor.refused(), 300 - before);
  EXPECT_EQ(acceptor.refused_of_address(), 300 - before);
  ASSERT_TRUE(Connect(other, port));
  EXPECT_TRUE(taker.Await(before + 1));
}

// Callers by gRPC and over HTTP share a part of the files, and neither takes the other's.
TEST(AcceptorTest, ConnectionsOfAllKindsLeaveFilesForTheRest) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  for (const rlim_t files : {1'024, 4'096, 65'536, 1'048'576}) {
    if (files > before.rlim_max) continue;
    const rlimit now{.rlim_cur = files, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
    const int all = ConnectionFilesMax(), http = HttpConnectionsMax();
    EXPECT_LE(static_cast<rlim_t>(all), files * 80 / 100);
    EXPECT_LE(static_cast<rlim_t>(http), files * 20 / 100);
    EXPECT_LE(static_cast<std::size_t>(http), limits::kFaceConnectionsMax);
    EXPECT_GT(http, 100);
    EXPECT_GT(all - http, 2 * http) << "most callers come by gRPC";
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

// Takes all files of the process, until it goes.
class NoFilesLeft {
 public:
  NoFilesLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 256;
    setrlimit(RLIMIT_NOFILE, &few);
    for (;;) {
      OwnedFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (fd.get() < 0) break;
      files_.push_back(std::move(fd));
    }
  }
  ~NoFilesLeft() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
  std::vector<OwnedFd> files_;
};

TEST(AcceptorTest, WithoutFilesItRefusesAndAcceptsAgainWhenThereAreSome) {
  ListenSockets sockets = MustOpen("127.0.0.1:0");
  const int port = sockets.port;
  Taker taker;
  Acceptor acceptor(One(std::move(sockets)), 1'000'000, taker.Take());
  acceptor.Start();
  std::vector<OwnedFd> strangers;
  for (int i = 0; i < 20; ++i) strangers.push_back(Socket());
  const OwnedFd later = Socket();
  {
    const NoFilesLeft none;
    for (const OwnedFd& stranger : strangers) {
      ASSERT_TRUE(Connect(stranger, port));
      EXPECT_TRUE(Closed(stranger));
    }
  }
  EXPECT_EQ(acceptor.refused(), strangers.size());
  EXPECT_EQ(acceptor.accepted(), 0u);
  ASSERT_TRUE(Connect(later, port));
  EXPECT_TRUE(taker.Await(1));
}

TEST(ListenSocketsTest, EveryInterfaceIsBothFamilies) {
  for (const char* address : {"0.0.0.0:0", "[::]:0"}) {
    ListenSockets sockets = MustOpen(address);
    const int port = sockets.port;
    ASSERT_NE(port, 0);
    Taker taker;
    Acceptor acceptor(One(std::move(sockets)), 1'000'000, taker.Take());
    acceptor.Start();
    EXPECT_THAT(acceptor.dial_addresses(),
                ::testing::ElementsAre("127.0.0.1:" + std::to_string(port)));
    const OwnedFd v4 = Socket();
    ASSERT_TRUE(Connect(v4, port)) << address;
    ASSERT_TRUE(taker.Await(1)) << address;
    const OwnedFd v6 = Socket(AF_INET6);
    sockaddr_in6 loopback{};
    loopback.sin6_family = AF_INET6;
    loopback.sin6_addr = in6addr_loopback;
    loopback.sin6_port = htons(static_cast<std::uint16_t>(port));
    if (v6.get() < 0 ||
        connect(v6.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) != 0) {
      ASSERT_NE(errno, ECONNREFUSED) << address;
      continue;  // a machine without IPv6
    }
    EXPECT_TRUE(taker.Await(2)) << address;
  }
}

TEST(ListenSocketsTest, ASocketOfALivingProcessIsNotTakenAway) {
  const std::string address = "unix:" + ::testing::TempDir() + "/listen-test.sock";
  {
    const ListenSockets living = MustOpen(address);
    const auto second = OpenListenSockets(address, kUnansweredMs);
    ASSERT_FALSE(second.ok());
    EXPECT_THAT(std::string(second.status().message()), HasSubstr("Address already in use"));
  }
  EXPECT_FALSE(OpenListenSockets("unix:", kUnansweredMs).ok());
  EXPECT_FALSE(OpenListenSockets("unix:" + std::string(200, 'a'), kUnansweredMs).ok());
}

TEST(ListenSocketsTest, WhatAKilledProcessLeftIsReplacedAndNothingElse) {
  const std::string path = ::testing::TempDir() + "/listen-left.sock";
  const std::string address = "unix:" + path;
  unlink(path.c_str());
  {
    const ListenSockets first = MustOpen(address);
    ASSERT_EQ(link(path.c_str(), (path + ".kept").c_str()), 0);
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0) << "it goes with its owner";
  ASSERT_EQ(rename((path + ".kept").c_str(), path.c_str()), 0);
  {
    const ListenSockets again = MustOpen(address);
    struct stat made{};
    ASSERT_EQ(stat(path.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 07777, 0660u);
    // Another process has taken the path meanwhile.
    ASSERT_EQ(unlink(path.c_str()), 0);
    std::ofstream(path) << "mine";
  }
  EXPECT_EQ(access(path.c_str(), F_OK), 0) << "it takes nothing with it that is not its own";
  const auto refused = OpenListenSockets(address, kUnansweredMs);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("no socket"));
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  unlink(path.c_str());
}

TEST(ListenSocketsTest, AListenerWithAFullQueueIsAlive) {
  const std::string path = ::testing::TempDir() + "/listen-full.sock";
  unlink(path.c_str());
  const OwnedFd busy(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  std::memcpy(place.sun_path, path.data(), path.size());
  const auto* at = reinterpret_cast<const sockaddr*>(&place);
  ASSERT_EQ(bind(busy.get(), at, sizeof place), 0);
  ASSERT_EQ(listen(busy.get(), 0), 0);
  std::vector<OwnedFd> waiting;
  do {
    waiting.emplace_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  } while (connect(waiting.back().get(), at, sizeof place) == 0);
  ASSERT_EQ(errno, EAGAIN);
  const auto refused = OpenListenSockets("unix:" + path, kUnansweredMs);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("a process listens there"));
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  unlink(path.c_str());
}

}  // namespace
}  // namespace gateway::rpc
