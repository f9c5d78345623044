#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstring>
#include <vector>

#include "http/server_core.h"
#include "http/server_head.h"
#include "http/server_request_head.h"

namespace gateway::http {
namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using HeadParser = beast::http::request_parser<beast::http::empty_body>;
using TextParser = beast::http::request_parser<beast::http::string_body>;
using PieceParser = beast::http::request_parser<beast::http::buffer_body>;

namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

ServerRequest ToRequest(const beast::http::request_header<>& message) {
  ServerRequest request;
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t mark = target.find('?');
  request.path = std::string(target.substr(0, mark));
  if (mark != std::string_view::npos) request.query = std::string(target.substr(mark + 1));
  for (const auto& field : message) {
    request.headers.push_back({Lower({field.name_string().data(), field.name_string().size()}),
                               std::string(field.value().data(), field.value().size())});
  }
  return request;
}

}  // namespace

std::shared_ptr<ServerPeer> FindPeer(const ServerSocket& socket, bool unix_listener) {
  auto peer = std::make_shared<ServerPeer>();
  if (unix_listener) {
    peer->name = "unix:";
    peer->unix_socket = peer->this_machine = true;
    return peer;
  }
  ErrorCode error;
  const asio::generic::stream_protocol::endpoint from = socket.remote_endpoint(error);
  const int family = from.protocol().family();
  if (error || (family != AF_INET && family != AF_INET6)) return nullptr;
  tcp::endpoint remote;
  std::memcpy(remote.data(), from.data(), from.size());
  remote.resize(from.size());
  asio::ip::address ip = remote.address();
  if (ip.is_v6() && ip.to_v6().is_v4_mapped()) {
    ip = asio::ip::make_address_v4(asio::ip::v4_mapped, ip.to_v6());
  }
  peer->address = peer->network = ip.to_string();
  if (ip.is_v6()) {
    auto bytes = ip.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), 0);
    peer->network = asio::ip::make_address_v6(bytes).to_string();
  }
  peer->this_machine = ip.is_loopback();
  peer->name = ip.is_v6() ? "ipv6:[" + peer->address + "]:" : "ipv4:" + peer->address + ":";
  peer->name += std::to_string(remote.port());
  return peer;
}

Connection::Connection(ServerCore& core, ServerSocket socket, std::shared_ptr<ServerPeer> peer,
                       std::uint64_t number)
    : core_(core),
      stream_(std::move(socket), core.options.tls.get()),
      timer_(core.context),
      arrival_(core.context),
      number_(number),
      peer_(std::move(peer)) {
  ErrorCode error;
  stream_.socket().set_option(tcp::no_delay(true), error);
}

void Connection::Enter(Phase phase) {
  if (!closing_) standing_ = {phase, std::chrono::steady_clock::now()};
}

void Connection::GiveWay() {
  gave_way_ = true;
  if (standing_.phase == Phase::kReading && !stream_.tls()) {
    core_.SendBusy(stream_.socket(), *peer_);
  }
  Close();
}

void Connection::Close() {
  standing_.phase = Phase::kLeaving;
  closing_ = true;
  timer_.cancel();
  EndArrival();
  stream_.close();
}

void Connection::WakeUp() { timer_.cancel(); }

asio::awaitable<void> Connection::Run() {
  bool keep_alive = co_await Begin();
  while (keep_alive && !closing_ && !core_.last_requests) {
    Enter(Phase::kIdle);
    if (buffer_.size() == 0 && !co_await AwaitFirstByte()) co_return;
    Enter(Phase::kReading);
    std::optional<ServerRequest> request = co_await ReadRequest(&keep_alive);
    if (!request || closing_) co_return;
    Enter(Phase::kAnswering);
    auto exchange = std::make_shared<Exchange>(core_.weak_from_this(), weak_from_this());
    if (request->sink != nullptr) {
      request->sink->Answer(Responder(exchange));
    } else {
      core_.handler(*request, Responder(exchange));
    }
    co_await AwaitAnswer(exchange);
    if (!exchange->answered()) exchange->Gone();
    if (!exchange->answered() || closing_) co_return;
    keep_alive = co_await SendAnswer(*request, *exchange, keep_alive);
    // The drain began while the answer went out, which promised more.
    if (keep_alive && core_.last_requests && !closing_) co_await LingeringClose();
  }
}

// A handshake takes no longer than a request may. It gives way as one.
asio::awaitable<bool> Connection::Begin() {
  if (!stream_.tls()) co_return true;
  Enter(Phase::kReading);
  stream_.expires_after(core_.options.read_timeout);
  const bool spoken = co_await stream_.Handshake();
  if (spoken) {
    peer_->tls = true;
    peer_->sans = stream_.PeerSans();
  }
  co_return spoken;
}

asio::awaitable<bool> Connection::AwaitFirstByte() {
  ErrorCode error;
  stream_.expires_after(core_.options.idle_timeout);
  const std::size_t got = co_await stream_.async_read_some(
      buffer_.prepare(limits::kHttpReadBytes), asio::redirect_error(asio::use_awaitable, error));
  buffer_.commit(got);
  co_return !error;
}

asio::awaitable<std::optional<ServerRequest>> Connection::ReadRequest(bool* keep_alive) {
  HeadParser head;
  head.header_limit(static_cast<std::uint32_t>(core_.options.max_header_bytes));
  head.body_limit(boost::none);  // the body has a parser of its own
  stream_.expires_never();
  sink_ready_ = false;
  ++requests_;
  LimitArrival(core_.options.read_timeout);
  ErrorCode error;
  co_await beast::http::async_read_header(stream_, buffer_, head,
                                          asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    co_await RefuseFor(error);
    co_return std::nullopt;
  }
  *keep_alive = head.get().keep_alive();
  const bool asks = beast::iequals(head.get()[beast::http::field::expect], "100-continue");
  ServerRequest request = ToRequest(head.get());
  if (const HeadProblem problem = ProblemOf(request, head.get().version()); problem.status != 0) {
    co_await Refuse(problem.status, problem.why);
    co_return std::nullopt;
  }
  request.remote_address = peer_->address;
  request.peer = peer_;
  request.http10 = head.get().version() < 11;
  request.connection = number_;
  if (core_.opener) request.sink = core_.opener(request);
  if (request.sink != nullptr) {
    PieceParser parser(std::move(head));
    parser.body_limit(boost::none);
    request.sink->WhenReady(
        [core = core_.weak_from_this(), weak = weak_from_this(), number = requests_] {
          const std::shared_ptr<ServerCore> there = core.lock();
          if (there == nullptr || there->stopping) return;
          asio::post(there->context, [weak, number] {
            if (const auto connection = weak.lock()) connection->OnSinkReady(number);
          });
        });
    const BodySink::Next next = request.sink->Begin();
    if (next == BodySink::Next::kReset) Reset();
    if (next == BodySink::Next::kAnswer) *keep_alive = *keep_alive && parser.is_done();
    if (next == BodySink::Next::kMore) {
      co_await AskForBody(asks);
      if (!co_await FeedSink(parser, *request.sink, keep_alive)) co_return std::nullopt;
    }
    if (next == BodySink::Next::kReset) co_return std::nullopt;
  } else {
    // The limit counts the bytes of a chunked body only.
    if (head.content_length().value_or(0) > core_.options.max_body_bytes) {
      co_await RefuseFor(beast::http::error::body_limit);
      co_return std::nullopt;
    }
    TextParser parser(std::move(head));
    parser.body_limit(core_.options.max_body_bytes);
    co_await AskForBody(asks);
    if (late_) error = asio::error::operation_aborted;
    if (!error)
      co_await beast::http::async_read(stream_, buffer_, parser,
                                       asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      co_await RefuseFor(error);
      co_return std::nullopt;
    }
    request.body = std::move(parser.get().body());
  }
  EndArrival();
  co_return request;
}

// The socket stays open, so that the peer can be told.
void Connection::LimitArrival(Duration limit) {
  reading_ = true;
  late_ = false;
  arrival_.expires_after(limit);
  arrival_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
    const auto self = weak.lock();
    if (error || self == nullptr || !self->reading_) return;
    self->late_ = true;
    self->BreakOffReading();
  });
}

// A read that has just ended may begin another one, so it is broken off until there is none.
void Connection::BreakOffReading() {
  ErrorCode ignored;
  stream_.socket().cancel(ignored);
  arrival_.expires_after(limits::kArrivalCheckInterval);
  arrival_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
    const auto self = weak.lock();
    if (!error && self != nullptr && self->reading_) self->BreakOffReading();
  });
}

void Connection::EndArrival() {
  reading_ = false;
  arrival_.cancel();
}

void Connection::OnSinkReady(std::uint64_t request) {
  if (request != requests_ || !reading_ || closing_) return;
  sink_ready_ = true;
  BreakOffReading();
}

HeadProblem Connection::ProblemOf(const ServerRequest& head, unsigned version) const {
  if (const HeadProblem problem = CheckHead(head, version); problem.status != 0) return problem;
  const std::string_view host = HostOf(head);
  if (!core_.options.sockets.empty() || !core_.endpoint.address().is_loopback()) return {};
  if (head.FindHeader("host") == nullptr && host.empty()) return {};  // no browser leaves it out
  if (IsOwnHost(host, core_.options.host_names)) return {};
  return {421, "nothing of that Host is here; address the listener by its address or as localhost"};
}

asio::awaitable<void> Connection::AskForBody(bool expected) {
  if (!expected) co_return;
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.expires_after(core_.options.write_timeout);
  ErrorCode error;  // a broken connection shows when the body is read
  co_await asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                             asio::redirect_error(asio::use_awaitable, error));
  if (!closing_) stream_.expires_never();
}

template <class Parser>
asio::awaitable<bool> Connection::FeedSink(Parser& parser, BodySink& sink, bool* keep_alive) {
  std::vector<char> piece(limits::kHttpPieceBytes);
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    parser.get().body().more = true;
    const Duration each = core_.options.piece_timeout;
    if (each > Duration::zero()) LimitArrival(each);
    ErrorCode error;
    if (late_) error = asio::error::operation_aborted;
    if (!sink_ready_ && !late_) {
      co_await beast::http::async_read_some(stream_, buffer_, parser,
                                            asio::redirect_error(asio::use_awaitable, error));
    }
    if (error == beast::http::error::need_buffer) error = {};
    // Bytes that arrived before a break count.
    const std::size_t got = piece.size() - parser.get().body().size;
    const BodySink::Next next = got > 0 ? sink.Take({piece.data(), got}) : BodySink::Next::kMore;
    if (next == BodySink::Next::kReset) Reset();
    if (next == BodySink::Next::kReset || closing_) co_return false;
    if (next == BodySink::Next::kAnswer || sink_ready_) {
      *keep_alive = *keep_alive && parser.is_done();
      co_return true;
    }
    if (error) {
      co_await RefuseFor(error);
      co_return false;
    }
  }
  co_return true;
}

// Tells the peer what was wrong with its request, where there still is one to tell.
asio::awaitable<void> Connection::RefuseFor(const ErrorCode& error) {
  namespace he = beast::http;
  if (closing_) {
    // There is nobody to tell.
  } else if (late_) {
    co_await Refuse(408, "the request did not arrive in time");
  } else if (error == he::error::body_limit) {
    co_await Refuse(413, "the body is too large");
  } else if (error == he::error::header_limit || error == he::error::buffer_overflow) {
    co_await Refuse(431, "the header is too large");
  } else if (error == he::error::bad_content_length) {
    co_await Refuse(400, "Content-Length must be one number, of 64 bits at most");
  } else if (error.category() == make_error_code(he::error::bad_method).category() &&
             error != he::error::end_of_stream && error != he::error::partial_message) {
    co_await Refuse(400, "not a valid HTTP request");
  }
}

asio::awaitable<void> Connection::Refuse(int status, std::string_view why) {
  EndArrival();
  const std::string answer = WholeAnswer(core_.RefusalOf(status, why, *peer_));
  if (co_await SendBytes(answer, nullptr, 0, 0, {})) co_await LingeringClose();
}

asio::awaitable<void> Connection::AwaitAnswer(std::shared_ptr<Exchange> exchange) {
  WatchPeer();
  const auto since = std::chrono::steady_clock::now();
  while (!exchange->answered() && !closing_ && !peer_left_) co_await AwaitWakeUp(since);
  // Ends the watch; nothing else is outstanding on the socket.
  ErrorCode error;
  if (!closing_) stream_.socket().cancel(error);
}

asio::awaitable<void> Connection::AwaitWakeUp(std::chrono::steady_clock::time_point since) {
  ErrorCode error;
  timer_.expires_at(peer_ended_.has_value()
                        ? std::max(*peer_ended_, since) + core_.options.half_closed_max
                        : asio::steady_timer::time_point::max());
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (!error) peer_left_ = true;
}

// A peer that closes its connection and one that only ends its sending half (`nc -N`) look the same
// until something is sent to them: the first resets the connection then. With TLS a peer that says
// its farewell first is not noticed, because the end lies behind bytes that are not read yet.
void Connection::WatchPeer() {
  const auto what = peer_ended_.has_value() ? tcp::socket::wait_error : tcp::socket::wait_read;
  stream_.socket().async_wait(what, [self = shared_from_this()](const ErrorCode& error) {
    if (!error && !self->closing_) self->OnPeerEvent();
  });
}

void Connection::OnPeerEvent() {
  char byte = 0;
  const ssize_t got = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (peer_ended_.has_value() || (got < 0 && errno != EAGAIN && errno != EINTR)) {
    peer_left_ = true;
  } else if (got == 0) {
    peer_ended_ = std::chrono::steady_clock::now();
    WatchPeer();
  } else {
    return;  // the next request, sent early: no longer watched, read later
  }
  WakeUp();
}

}  // namespace gateway::http
