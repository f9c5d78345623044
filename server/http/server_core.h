// This is the inside of http::Server: the part that speaks Asio. Only server*.cc include it.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/limits.h"
#include "http/server.h"
#include "http/server_request_head.h"
#include "http/server_stream.h"

namespace gateway::http {

class Connection;

// An Exchange is one request and its answer. It lives as long as the connection waits or a
// Responder exists; its weak links let a Responder outlive connection and server.
class Exchange {
 public:
  Exchange(std::weak_ptr<ServerCore> core, std::weak_ptr<Connection> connection)
      : core_(std::move(core)), connection_(std::move(connection)) {}

  // May be called from any thread; only the first answer counts.
  void Answer(std::shared_ptr<Exchange> self, ServerResponse response, Delivery delivery);

  // The same if nobody is left who could answer.
  void AnswerNothing(std::shared_ptr<Exchange> self);

  // The rest is called on the server's thread.
  void set_gone(std::function<void()> gone) { gone_ = std::move(gone); }
  void Gone() {
    if (gone_) std::exchange(gone_, nullptr)();
  }
  bool answered() const { return response_.has_value(); }
  ServerResponse& response() { return *response_; }
  const Delivery& delivery() const { return delivery_; }

 private:
  const std::weak_ptr<ServerCore> core_;
  const std::weak_ptr<Connection> connection_;
  std::atomic<bool> taken_{false};
  std::optional<ServerResponse> response_;
  std::function<void()> gone_;
  Delivery delivery_;
};

// What a connection is doing, in the order in which connections give way to a new one.
enum class Phase {
  kIdle,       // before a request
  kReading,    // a request
  kSending,    // an answer
  kAnswering,  // its handler has not answered; from here on none gives way
  kLeaving,
};
struct Standing {
  Phase phase = Phase::kIdle;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};
// Of two in one phase, the one that has been in it longer gives way first. Pure.
bool GivesWayBefore(const Standing& one, const Standing& other);

// A SpareFile keeps a file descriptor for when there is none left: given up, it lets one peer in.
class SpareFile {
 public:
  SpareFile() = default;
  ~SpareFile() { Release(); }
  SpareFile(const SpareFile&) = delete;
  SpareFile& operator=(const SpareFile&) = delete;

  void Hold();     // if that is possible
  bool Release();  // false: there was none

 private:
  int fd_ = -1;
};

// Sends what fits into the socket at once, and ends the sending half. Of a server without TLS.
void SendAndEnd(ServerSocket& socket, std::string_view bytes);

// Says who is at the other end of a connection. Null: that cannot be known, because the peer has
// reset it before it was accepted, and what it has sent must not be read. Whether the peer comes by
// a unix socket is a fact of the listener alone.
std::shared_ptr<ServerPeer> FindPeer(const ServerSocket& socket, bool unix_listener);

// A Connection serves one peer. All of it runs on the server's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ServerCore& core, ServerSocket socket, std::shared_ptr<ServerPeer> peer,
             std::uint64_t number);

  boost::asio::awaitable<void> Run();
  void Close();    // ends Run soon
  void GiveWay();  // the same, for the sake of another peer
  void WakeUp();   // an answer is there, or the peer left
  const Standing& standing() const { return standing_; }
  const ServerPeer& peer() const { return *peer_; }
  const std::string& network() const { return peer_->network; }
  bool gave_way() const { return gave_way_; }

 private:
  void Enter(Phase phase);
  boost::asio::awaitable<bool> Begin();
  boost::asio::awaitable<bool> AwaitFirstByte();
  // Reads the next request. Empty: the connection is over (an error was answered if one could be).
  boost::asio::awaitable<std::optional<ServerRequest>> ReadRequest(bool* keep_alive);
  HeadProblem ProblemOf(const ServerRequest& head, unsigned version) const;
  // False: the connection is over.
  template <class Parser>
  boost::asio::awaitable<bool> FeedSink(Parser& parser, BodySink& sink, bool* keep_alive);
  boost::asio::awaitable<void> RefuseFor(const boost::system::error_code& error);
  boost::asio::awaitable<void> AskForBody(bool expected);
  boost::asio::awaitable<void> Refuse(int status, std::string_view why);
  // The request must be here in so much time from now on.
  void LimitArrival(Duration limit);
  void EndArrival();
  void BreakOffReading();
  // The sink of that request has its answer although the body is not here.
  void OnSinkReady(std::uint64_t request);
  boost::asio::awaitable<void> AwaitAnswer(std::shared_ptr<Exchange> exchange);
  // Waits for the next WakeUp. If the peer has ended its half, and nothing was there for it since
  // `since` for a while, it is taken as gone.
  boost::asio::awaitable<void> AwaitWakeUp(std::chrono::steady_clock::time_point since);
  // Sends the answer. True: the connection may take another request.
  boost::asio::awaitable<bool> SendAnswer(const ServerRequest& request, Exchange& exchange,
                                          bool keep_alive);
  boost::asio::awaitable<bool> SendBytes(const std::string& head, BodySource* body,
                                         std::uint64_t first, std::uint64_t count,
                                         const Delivery& delivery);
  boost::asio::awaitable<bool> SendLiveAnswer(const ServerRequest& request,
                                              ServerResponse& response, bool keep_alive);
  boost::asio::awaitable<bool> SendLive(std::string head, LiveBody& body, bool chunks);
  boost::asio::awaitable<LiveBody::Piece> AwaitPiece(LiveBody& body, bool chunks);
  boost::asio::awaitable<bool> Write(const char* data, std::size_t count, const Delivery& delivery);
  boost::asio::awaitable<void> Hang();
  boost::asio::awaitable<void> LingeringClose();
  boost::asio::awaitable<bool> Sleep(Duration duration);
  // Notes a peer that ends its half of the connection or leaves, and wakes up who waits then.
  void WatchPeer();
  void OnPeerEvent();
  void Reset();

  ServerCore& core_;
  ServerStream stream_;
  boost::asio::steady_timer timer_;    // every wait that is not for the socket
  boost::asio::steady_timer arrival_;  // of a request
  boost::beast::flat_buffer buffer_;
  const std::uint64_t number_;
  const std::shared_ptr<ServerPeer> peer_;
  Standing standing_;
  bool gave_way_ = false;
  bool closing_ = false;
  bool reading_ = false;     // a request
  bool late_ = false;        // it has not arrived in its time
  bool sink_ready_ = false;  // its sink has the answer
  std::uint64_t requests_ = 0;
  bool peer_left_ = false;
  // When it has ended its half of the connection: it sends nothing more, and may read on.
  std::optional<std::chrono::steady_clock::time_point> peer_ended_;
  bool probed_ = false;  // since then
};

class ServerCore : public std::enable_shared_from_this<ServerCore> {
 public:
  explicit ServerCore(ServerOptions options_in);
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

  absl::Status Bind();
  void Serve(Server::Handler handler_in, Server::Opener opener_in);
  void Stop();
  void StopAccepting();
  bool AwaitEmpty(Duration patience);  // false: there still are connections
  void StopWhenIdle();
  std::string Authority() const;
  boost::asio::awaitable<void> Accept(Acceptor& acceptor);
  boost::asio::awaitable<void> RunConnection(std::shared_ptr<Connection> connection,
                                             std::uint64_t number);
  std::size_t Staying() const;
  bool MakeRoomFor(const ServerPeer& peer);  // false: there is no place for it
  // Has one connection give way, if `network` is given one of that. False: none does.
  bool MakeRoom(const std::string* network = nullptr);
  void ForgetOneOf(const std::string& network);
  ServerResponse RefusalOf(int status, std::string_view why, const ServerPeer& peer) const;
  // Tells a peer that there is no room, without waiting for it. Of a server without TLS.
  void SendBusy(ServerSocket& socket, const ServerPeer& peer) const;

  const ServerOptions options;
  boost::asio::io_context context{1};
  std::list<Acceptor> acceptors;
  boost::asio::ip::tcp::endpoint endpoint;  // of the first, if it is TCP
  boost::asio::steady_timer accept_pause{context};
  Server::Handler handler;
  Server::Opener opener;  // may be null
  std::atomic<bool> stopping{false};
  bool last_requests = false;     // no connection takes another
  std::function<void()> emptied;  // is called when there is no connection left
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> open{0};
  std::unordered_map<std::uint64_t, std::weak_ptr<Connection>> connections;
  std::size_t leaving = 0;                                  // of them, because they gave way
  std::unordered_map<std::string, std::size_t> staying_of;  // the others, by their networks
  SpareFile spare;
  std::thread thread;
};

}  // namespace gateway::http
