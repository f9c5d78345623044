#include "rpc/address_connections.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "rpc/listen_sockets.h"

namespace gateway::rpc {
namespace {

using std::chrono::seconds;

const MonoTime kStart{};

// Its number is the lowest free one of those that nobody else in the process uses, so that the
// sockets here follow each other without gaps, whatever the library has left open.
OwnedFd AnySocket() {
  constexpr int kFirst = 500;
  const OwnedFd made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return OwnedFd(fcntl(made.get(), F_DUPFD_CLOEXEC, kFirst));
}

TEST(AddressConnectionsTest, AnAddressHasFourForEachPlaceThatIsLeft) {
  EXPECT_TRUE(MayHaveOneMore(0, 1));
  EXPECT_TRUE(MayHaveOneMore(3, 1));
  EXPECT_FALSE(MayHaveOneMore(4, 1));
  EXPECT_TRUE(MayHaveOneMore(399, 100));
  EXPECT_FALSE(MayHaveOneMore(400, 100));
  EXPECT_FALSE(MayHaveOneMore(0, 0));
}

// As many as the table lets one address have, of sockets that stay open.
std::vector<OwnedFd> Fill(AddressConnections& table, const std::string& address) {
  std::vector<OwnedFd> held;
  for (;;) {
    OwnedFd fd = AnySocket();
    if (!table.Admit(fd.get(), address, kStart)) return held;
    held.push_back(std::move(fd));
  }
}

TEST(AddressConnectionsTest, WhatHasEndedCountsNoMore) {
  AddressConnections table(AnySocket().get() + 50);
  std::vector<OwnedFd> held = Fill(table, "a");
  EXPECT_EQ(held.size(), 40u);
  EXPECT_EQ(table.held("a"), 40u);
  // The numbers of those that were closed are taken by others, except for the last.
  held.erase(held.begin() + 30, held.end());
  std::vector<OwnedFd> others;
  for (int i = 0; i < 5; ++i) others.push_back(AnySocket());  // unknown to the table
  for (int i = 0; i < 4; ++i) {
    others.push_back(AnySocket());
    EXPECT_TRUE(table.Admit(others.back().get(), "b", kStart));
  }
  EXPECT_EQ(table.held("a"), 36u);  // it has seen four numbers again
  EXPECT_EQ(table.held("b"), 4u);
  const OwnedFd more = AnySocket();
  EXPECT_TRUE(table.Admit(more.get(), "a", kStart + seconds(1)));
  EXPECT_LE(table.held("a"), 37u);
  EXPECT_GE(table.held("a"), 31u);
}

TEST(AddressConnectionsTest, ItLooksBeforeItRefuses) {
  AddressConnections table(AnySocket().get() + 50);
  std::vector<OwnedFd> held = Fill(table, "a");
  held.clear();
  // All its numbers are in use again, by files that the table does not know.
  std::vector<OwnedFd> fillers;
  for (int i = 0; i < 40; ++i) fillers.push_back(AnySocket());
  const OwnedFd next = AnySocket();
  EXPECT_TRUE(table.Admit(next.get(), "a", kStart + seconds(1)));
  EXPECT_EQ(table.held("a"), 1u);
}

TEST(AddressConnectionsTest, AFloodDoesNotMakeItLookAllTheTime) {
  AddressConnections table(AnySocket().get() + 50);
  const std::vector<OwnedFd> held = Fill(table, "a");
  const std::uint64_t before = table.looks();
  const OwnedFd more = AnySocket();
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(table.Admit(more.get(), "a", kStart));
  EXPECT_LE(table.looks(), before + 1);
  EXPECT_FALSE(table.Admit(more.get(), "a", kStart + seconds(1)));
  EXPECT_GT(table.looks(), before);
}

}  // namespace
}  // namespace gateway::rpc
