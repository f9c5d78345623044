// The part of http::Server that decides which peer is let in, and which connection gives way.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/errc.hpp>

#include "base/limits.h"
#include "http/server_core.h"
#include "http/server_head.h"

namespace gateway::http {
namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

bool OutOfFiles(const ErrorCode& error) {
  return error == boost::system::errc::too_many_files_open ||
         error == boost::system::errc::too_many_files_open_in_system;
}

}  // namespace

bool GivesWayBefore(const Standing& one, const Standing& other) {
  return one.phase != other.phase ? one.phase < other.phase : one.since < other.since;
}

void SpareFile::Hold() {
  if (fd_ < 0) fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool SpareFile::Release() {
  if (fd_ < 0) return false;
  ::close(fd_);
  fd_ = -1;
  return true;
}

void SendAndEnd(ServerSocket& socket, std::string_view bytes) {
  const ssize_t sent =
      ::send(socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  (void)sent;
  ErrorCode error;
  socket.shutdown(tcp::socket::shutdown_send, error);
}

void ServerCore::SendBusy(ServerSocket& socket, const ServerPeer& peer) const {
  ServerResponse busy = RefusalOf(503, "all connections are taken", peer);
  const bool said = std::any_of(busy.headers.begin(), busy.headers.end(),
                                [](const Header& header) { return header.name == "Retry-After"; });
  if (!said) busy.headers.push_back({"Retry-After", "1"});
  // The answer is small enough for the send buffer; a peer whose buffer is full learns it by the
  // close.
  SendAndEnd(socket, WholeAnswer(busy));
}

asio::awaitable<void> ServerCore::Accept(Acceptor& acceptor) {
  ErrorCode bound;
  const bool unix_listener = acceptor.local_endpoint(bound).protocol().family() == AF_UNIX;
  int failures = 0;
  for (;;) {
    // Without a free descriptor accepting fails even if no peer waits. So it is tried only when one
    // does; else a peer would have to give way to nobody.
    ErrorCode error;
    co_await acceptor.async_wait(tcp::acceptor::wait_read,
                                 asio::redirect_error(asio::use_awaitable, error));
    if (stopping || !acceptor.is_open()) co_return;
    ServerSocket socket(context);
    if (!error) acceptor.accept(socket, error);
    if (error == asio::error::would_block) continue;
    if (error) {
      // The peer that waits to be accepted would make the next attempt fail at once: without a free
      // descriptor or a pause this loop would spin.
      const bool freed = OutOfFiles(error) && (spare.Release() || MakeRoom());
      if (freed && ++failures <= limits::kAcceptFailuresMax) continue;
      accept_pause.expires_after(limits::kAcceptPause);
      co_await accept_pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      if (stopping || !acceptor.is_open()) co_return;
      failures = 0;
      continue;
    }
    failures = 0;
    spare.Hold();
    const std::uint64_t number = ++accepted;
    std::shared_ptr<ServerPeer> peer = FindPeer(socket, unix_listener);
    if (peer == nullptr) continue;
    if (!MakeRoomFor(*peer)) {
      if (options.tls == nullptr) SendBusy(socket, *peer);
      continue;
    }
    ++staying_of[peer->network];
    auto connection =
        std::make_shared<Connection>(*this, std::move(socket), std::move(peer), number);
    connections.emplace(number, connection);
    open = connections.size();
    asio::co_spawn(context, RunConnection(std::move(connection), number), asio::detached);
  }
}

std::size_t ServerCore::Staying() const { return connections.size() - leaving; }

bool ServerCore::MakeRoomFor(const ServerPeer& peer) {
  const std::size_t left = options.max_connections - std::min(options.max_connections, Staying());
  if (options.share_by_address) {
    const auto own = staying_of.find(peer.network);
    const bool enough =
        own != staying_of.end() && own->second >= left * limits::kConnectionsPerPlaceLeft;
    if (enough) return MakeRoom(&peer.network);
  }
  return left > 0 || MakeRoom();
}

void ServerCore::ForgetOneOf(const std::string& network) {
  const auto found = staying_of.find(network);
  if (--found->second == 0) staying_of.erase(found);
}

bool ServerCore::MakeRoom(const std::string* network) {
  std::shared_ptr<Connection> first;
  for (const auto& [number, weak] : connections) {
    std::shared_ptr<Connection> connection = weak.lock();
    if (connection == nullptr || connection->standing().phase >= Phase::kAnswering) continue;
    if (network != nullptr && connection->network() != *network) continue;
    if (first == nullptr || GivesWayBefore(connection->standing(), first->standing())) {
      first = std::move(connection);
    }
  }
  if (first == nullptr) return false;
  first->GiveWay();
  ++leaving;
  ForgetOneOf(first->network());
  return true;
}

asio::awaitable<void> ServerCore::RunConnection(std::shared_ptr<Connection> connection,
                                                std::uint64_t number) {
  try {
    co_await connection->Run();
  } catch (const std::exception&) {
    // bad_alloc and the like: this peer is dropped, the others go on.
  }
  if (connection->gave_way()) {
    --leaving;
  } else {
    ForgetOneOf(connection->network());
  }
  connections.erase(number);
  connection.reset();
  spare.Hold();
  open = connections.size();
  if (connections.empty() && emptied) std::exchange(emptied, nullptr)();
}

}  // namespace gateway::http
