// The inside of http::Server: the part that speaks Asio. Included by server*.cc only.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>

#include "http/server.h"

namespace gateway::http {

class Connection;

// One request and its answer. Lives as long as the connection waits or a Responder exists; the
// weak links let a Responder outlive both.
class Exchange {
 public:
  Exchange(std::weak_ptr<ServerCore> core, std::weak_ptr<Connection> connection)
      : core_(std::move(core)), connection_(std::move(connection)) {}

  // From any thread; only the first answer counts.
  void Answer(std::shared_ptr<Exchange> self, ServerResponse response, Delivery delivery);

  // The rest on the server's thread.
  bool answered() const { return response_.has_value(); }
  ServerResponse& response() { return *response_; }
  const Delivery& delivery() const { return delivery_; }

 private:
  const std::weak_ptr<ServerCore> core_;
  const std::weak_ptr<Connection> connection_;
  std::atomic<bool> taken_{false};
  std::optional<ServerResponse> response_;
  Delivery delivery_;
};

// One peer. All of it runs on the server's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ServerCore& core, boost::asio::ip::tcp::socket socket, std::uint64_t number);

  boost::asio::awaitable<void> Run();
  void Close();   // ends Run soon
  void WakeUp();  // an answer is there, or the peer left

 private:
  boost::asio::awaitable<bool> AwaitFirstByte();
  // Empty: the connection is over (an error was answered if one could be).
  boost::asio::awaitable<std::optional<ServerRequest>> ReadRequest(bool* keep_alive);
  // False: the connection is over.
  template <class Parser>
  boost::asio::awaitable<bool> FeedSink(Parser& parser, BodySink& sink, bool* keep_alive);
  boost::asio::awaitable<void> RefuseFor(const boost::system::error_code& error);
  boost::asio::awaitable<void> AskForBody(bool expected);
  boost::asio::awaitable<void> Refuse(int status, std::string_view why);
  boost::asio::awaitable<void> AwaitAnswer(std::shared_ptr<Exchange> exchange);
  // True: the connection may take another request.
  boost::asio::awaitable<bool> SendAnswer(const ServerRequest& request, Exchange& exchange,
                                          bool keep_alive);
  boost::asio::awaitable<bool> SendBytes(const std::string& head, BodySource* body,
                                         std::uint64_t first, std::uint64_t count,
                                         const Delivery& delivery);
  boost::asio::awaitable<bool> Write(const char* data, std::size_t count, const Delivery& delivery);
  boost::asio::awaitable<void> Hang();
  boost::asio::awaitable<void> LingeringClose();
  boost::asio::awaitable<bool> Sleep(Duration duration);
  void WatchPeer();
  void Reset();

  ServerCore& core_;
  boost::beast::tcp_stream stream_;
  boost::asio::steady_timer timer_;  // every wait that is not for the socket
  boost::beast::flat_buffer buffer_;
  const std::uint64_t number_;
  std::string remote_;
  bool closing_ = false;
  bool peer_left_ = false;
};

class ServerCore : public std::enable_shared_from_this<ServerCore> {
 public:
  explicit ServerCore(ServerOptions options_in);
  absl::Status Bind();
  void Serve(Server::Handler handler_in, Server::Opener opener_in);
  void Stop();
  void StopWhenIdle();
  std::string Authority() const;
  boost::asio::awaitable<void> Accept();
  boost::asio::awaitable<void> RunConnection(std::shared_ptr<Connection> connection,
                                             std::uint64_t number);
  boost::asio::awaitable<void> TurnAway(boost::asio::ip::tcp::socket socket);

  const ServerOptions options;
  boost::asio::io_context context{1};
  boost::asio::ip::tcp::acceptor acceptor{context};
  boost::asio::ip::tcp::endpoint endpoint;
  boost::asio::steady_timer accept_pause{context};
  Server::Handler handler;
  Server::Opener opener;  // may be null
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> open{0};
  std::unordered_map<std::uint64_t, std::weak_ptr<Connection>> connections;
  std::thread thread;
};

}  // namespace gateway::http
