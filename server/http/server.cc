#include "http/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <future>
#include <utility>

#include "http/server_core.h"

namespace gateway::http {
namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

void Exchange::Answer(std::shared_ptr<Exchange> self, ServerResponse response, Delivery delivery) {
  if (taken_.exchange(true)) return;
  const std::shared_ptr<ServerCore> core = core_.lock();
  if (core == nullptr || core->stopping) return;
  // The wake-up is posted even from the server's own thread: a handler that answers at once must
  // not run the connection inside itself.
  asio::post(core->context,
             [self = std::move(self), response = std::move(response), delivery]() mutable {
               self->response_ = std::move(response);
               self->delivery_ = delivery;
               if (const auto connection = self->connection_.lock()) connection->WakeUp();
             });
}

void Exchange::AnswerNothing(std::shared_ptr<Exchange> self) {
  if (taken_) return;
  const std::shared_ptr<ServerCore> core = core_.lock();
  if (core == nullptr) return;
  asio::post(core->context, [core = core.get(), self = std::move(self)]() mutable {
    const auto connection = self->connection_.lock();
    if (connection == nullptr) return;
    ServerResponse nothing = core->RefusalOf(500, "there is no answer", connection->peer());
    Exchange& target = *self;
    target.Answer(std::move(self), std::move(nothing), {});
  });
}

struct Responder::Last {
  explicit Last(std::shared_ptr<Exchange> exchange_in) : exchange(std::move(exchange_in)) {}
  ~Last() {
    Exchange& target = *exchange;
    target.AnswerNothing(std::move(exchange));
  }
  std::shared_ptr<Exchange> exchange;
};

Responder::Responder(std::shared_ptr<Exchange> exchange)
    : last_(std::make_shared<Last>(std::move(exchange))) {}

void Responder::Send(ServerResponse response, Delivery delivery) const {
  last_->exchange->Answer(last_->exchange, std::move(response), delivery);
}

void Responder::WhenGone(std::function<void()> gone) const {
  last_->exchange->set_gone(std::move(gone));
}

ServerCore::ServerCore(ServerOptions options_in) : options(std::move(options_in)) {}

absl::Status ServerCore::Bind() {
  ErrorCode error;
  for (const int fd : options.sockets) {
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
    Acceptor& acceptor = acceptors.emplace_back(context);
    acceptor.assign({bound.ss_family, 0}, fd, error);
    if (!error) acceptor.non_blocking(true, error);
    if (error) return absl::UnavailableError(options.name + ": " + error.message());
    const bool tcp_there = bound.ss_family == AF_INET || bound.ss_family == AF_INET6;
    if (acceptors.size() > 1 || !tcp_there) continue;
    std::memcpy(endpoint.data(), &bound, length);
    endpoint.resize(length);
  }
  spare.Hold();
  if (!acceptors.empty()) return absl::OkStatus();
  const std::string where =
      options.name + " cannot listen on " + options.address + ":" + std::to_string(options.port);
  const std::string literal = options.address == "localhost" ? "127.0.0.1" : options.address;
  const asio::ip::address address = asio::ip::make_address(literal, error);
  if (error) return absl::InvalidArgumentError(where + ": not an IP address");
  const tcp::endpoint wanted(address, options.port);
  Acceptor& acceptor = acceptors.emplace_back(context);
  acceptor.open(wanted.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(wanted, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor.non_blocking(true, error);
  if (error) return absl::UnavailableError(where + ": " + error.message());
  const asio::generic::stream_protocol::endpoint bound = acceptor.local_endpoint(error);
  if (error) return absl::UnavailableError(where + ": " + error.message());
  std::memcpy(endpoint.data(), bound.data(), bound.size());
  endpoint.resize(bound.size());
  return absl::OkStatus();
}

void ServerCore::Serve(Server::Handler handler_in, Server::Opener opener_in) {
  handler = std::move(handler_in);
  opener = std::move(opener_in);
  for (Acceptor& acceptor : acceptors) {
    asio::co_spawn(context, Accept(acceptor), asio::detached);
  }
  thread = std::thread([this] { context.run(); });
}

void ServerCore::Stop() {
  if (stopping.exchange(true)) return;
  if (!thread.joinable()) return;
  asio::post(context, [this] {
    ErrorCode error;
    for (Acceptor& acceptor : acceptors) acceptor.close(error);
    accept_pause.cancel();
    for (auto& [number, weak] : connections) {
      if (const auto connection = weak.lock()) connection->Close();
    }
    StopWhenIdle();
  });
  thread.join();
}

void ServerCore::StopAccepting() {
  asio::post(context, [this] {
    last_requests = true;
    ErrorCode error;
    for (Acceptor& acceptor : acceptors) acceptor.close(error);
    for (auto& [number, weak] : connections) {
      const auto connection = weak.lock();
      if (connection && connection->standing().phase == Phase::kIdle) connection->Close();
    }
  });
}

ServerResponse ServerCore::RefusalOf(int status, std::string_view why,
                                     const ServerPeer& peer) const {
  if (options.refusal == nullptr) {
    return TextResponse(status, "text/plain; charset=utf-8", std::string(why) + "\n");
  }
  ServerResponse response = options.refusal({.status = status, .why = why, .peer = peer});
  response.status = status;
  return response;
}

bool ServerCore::AwaitEmpty(Duration patience) {
  const auto empty = std::make_shared<std::promise<void>>();
  asio::post(context, [this, empty] {
    emptied = [empty] { empty->set_value(); };
    if (connections.empty()) std::exchange(emptied, nullptr)();
  });
  return empty->get_future().wait_for(patience) == std::future_status::ready;
}

void ServerCore::StopWhenIdle() {
  // Connections end in a turn or two of the loop. The loop is stopped and not left to run dry,
  // because tasks of After() may be due in an hour.
  if (connections.empty()) {
    context.stop();
  } else {
    asio::post(context, [this] { StopWhenIdle(); });
  }
}

std::string ServerCore::Authority() const {
  const std::string address = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

absl::StatusOr<std::unique_ptr<Server>> Server::Listen(ServerOptions options) {
  auto core = std::make_shared<ServerCore>(std::move(options));
  if (const absl::Status status = core->Bind(); !status.ok()) return status;
  return std::unique_ptr<Server>(new Server(std::move(core)));
}

Server::Server(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}
Server::~Server() { Stop(); }
void Server::Serve(Handler handler, Opener opener) {
  core_->Serve(std::move(handler), std::move(opener));
}
void Server::StopAccepting() { core_->StopAccepting(); }
void Server::Finish(Duration patience) {
  if (core_->thread.joinable() && !core_->stopping) core_->AwaitEmpty(patience);
  Stop();
}
void Server::Stop() { core_->Stop(); }
std::uint16_t Server::port() const { return core_->endpoint.port(); }
std::string Server::authority() const { return core_->Authority(); }
std::uint64_t Server::connections_accepted() const { return core_->accepted; }
std::uint64_t Server::connections_open() const { return core_->open; }

void Server::Post(std::function<void()> task) { asio::post(core_->context, std::move(task)); }

void Server::After(Duration delay, std::function<void()> task) {
  auto timer = std::make_shared<asio::steady_timer>(core_->context, delay);
  timer->async_wait([timer, task = std::move(task)](const ErrorCode& error) {
    if (!error) task();
  });
}

}  // namespace gateway::http
