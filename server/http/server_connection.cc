#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <vector>

#include "http/server_core.h"
#include "http/server_head.h"

namespace gateway::http {
namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using HeadParser = beast::http::request_parser<beast::http::empty_body>;
using TextParser = beast::http::request_parser<beast::http::string_body>;
using PieceParser = beast::http::request_parser<beast::http::buffer_body>;

namespace {

constexpr std::size_t kPieceBytes = 64 * limits::kKiB;
constexpr std::size_t kReadBytes = 16 * limits::kKiB;
constexpr std::size_t kLingerBytes = 4 * limits::kMiB;
constexpr std::chrono::seconds kLingerTime{2};

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
    request.headers.push_back(
        {Lower({field.name_string().data(), field.name_string().size()}),
         std::string(field.value().data(), field.value().size())});
  }
  return request;
}

}  // namespace

Connection::Connection(ServerCore& core, tcp::socket socket, std::uint64_t number)
    : core_(core), stream_(std::move(socket)), timer_(core.context), number_(number) {
  ErrorCode error;
  stream_.socket().set_option(tcp::no_delay(true), error);
  const tcp::endpoint peer = stream_.socket().remote_endpoint(error);
  if (!error) remote_ = peer.address().to_string();
}

void Connection::Close() {
  closing_ = true;
  timer_.cancel();
  stream_.close();
}

void Connection::WakeUp() { timer_.cancel(); }

asio::awaitable<void> Connection::Run() {
  bool keep_alive = true;
  while (keep_alive && !closing_) {
    if (buffer_.size() == 0 && !co_await AwaitFirstByte()) co_return;
    std::optional<ServerRequest> request = co_await ReadRequest(&keep_alive);
    if (!request || closing_) co_return;
    auto exchange = std::make_shared<Exchange>(core_.weak_from_this(), weak_from_this());
    if (request->sink != nullptr) {
      request->sink->Answer(Responder(exchange));
    } else {
      core_.handler(*request, Responder(exchange));
    }
    co_await AwaitAnswer(exchange);
    if (!exchange->answered() || closing_) co_return;
    keep_alive = co_await SendAnswer(*request, *exchange, keep_alive);
  }
}

asio::awaitable<bool> Connection::AwaitFirstByte() {
  ErrorCode error;
  stream_.expires_after(core_.options.idle_timeout);
  const std::size_t got = co_await stream_.async_read_some(
      buffer_.prepare(kReadBytes), asio::redirect_error(asio::use_awaitable, error));
  buffer_.commit(got);
  co_return !error;
}

asio::awaitable<std::optional<ServerRequest>> Connection::ReadRequest(bool* keep_alive) {
  HeadParser head;
  head.header_limit(static_cast<std::uint32_t>(core_.options.max_header_bytes));
  head.body_limit(boost::none);  // the body has a parser of its own
  stream_.expires_after(core_.options.read_timeout);
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
  request.remote_address = remote_;
  request.connection = number_;
  if (core_.opener) request.sink = core_.opener(request);
  if (request.sink != nullptr) {
    PieceParser parser(std::move(head));
    parser.body_limit(boost::none);
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
    co_await beast::http::async_read(stream_, buffer_, parser,
                                     asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      co_await RefuseFor(error);
      co_return std::nullopt;
    }
    request.body = std::move(parser.get().body());
  }
  stream_.expires_never();
  co_return request;
}

asio::awaitable<void> Connection::AskForBody(bool expected) {
  if (!expected) co_return;
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  ErrorCode error;  // a broken connection shows when the body is read
  co_await asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                             asio::redirect_error(asio::use_awaitable, error));
}

template <class Parser>
asio::awaitable<bool> Connection::FeedSink(Parser& parser, BodySink& sink, bool* keep_alive) {
  std::vector<char> piece(kPieceBytes);
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    parser.get().body().more = true;
    stream_.expires_after(core_.options.read_timeout);
    ErrorCode error;
    co_await beast::http::async_read_some(stream_, buffer_, parser,
                                          asio::redirect_error(asio::use_awaitable, error));
    if (error == beast::http::error::need_buffer) error = {};
    // What arrived before a break counts.
    const std::size_t got = piece.size() - parser.get().body().size;
    const BodySink::Next next =
        got > 0 ? sink.Take({piece.data(), got}) : BodySink::Next::kMore;
    if (next == BodySink::Next::kReset) Reset();
    if (next == BodySink::Next::kReset || closing_) co_return false;
    if (next == BodySink::Next::kAnswer) {
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
  if (error == he::error::body_limit) {
    co_await Refuse(413, "the body is too large");
  } else if (error == he::error::header_limit || error == he::error::buffer_overflow) {
    co_await Refuse(431, "the header is too large");
  } else if (error == beast::error::timeout) {
    // No answer: the timeout has closed the socket.
  } else if (error.category() == make_error_code(he::error::bad_method).category() &&
             error != he::error::end_of_stream && error != he::error::partial_message) {
    co_await Refuse(400, "not a valid HTTP request");
  }
}

asio::awaitable<void> Connection::Refuse(int status, std::string_view why) {
  const ServerResponse response =
      TextResponse(status, "text/plain; charset=utf-8", std::string(why) + "\n");
  const std::uint64_t size = response.body->size();
  const std::string head =
      WriteHead(response, status, size, "", false,
                std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now()));
  if (co_await SendBytes(head, response.body.get(), 0, size, {})) co_await LingeringClose();
}

asio::awaitable<void> Connection::AwaitAnswer(std::shared_ptr<Exchange> exchange) {
  WatchPeer();
  while (!exchange->answered() && !closing_ && !peer_left_) {
    ErrorCode error;
    timer_.expires_at(asio::steady_timer::time_point::max());
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  // Ends the watch; nothing else is outstanding on the socket.
  ErrorCode error;
  if (!closing_) stream_.socket().cancel(error);
}

// Notes a peer that leaves while its answer is still being made, so that answers nobody waits for
// (and those that never come) do not hold a connection.
void Connection::WatchPeer() {
  stream_.socket().async_wait(
      tcp::socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
        if (error || self->closing_) return;
        char byte = 0;
        const ssize_t got = ::recv(self->stream_.socket().native_handle(), &byte, 1,
                                   MSG_PEEK | MSG_DONTWAIT);
        // More bytes are the next request, sent early: no longer watched, read later.
        if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return;
        self->peer_left_ = true;
        self->WakeUp();
      });
}

asio::awaitable<bool> Connection::SendAnswer(const ServerRequest& request, Exchange& exchange,
                                             bool keep_alive) {
  ServerResponse& response = exchange.response();
  const Delivery& delivery = exchange.delivery();
  if (delivery.delay > Duration::zero() && !co_await Sleep(delivery.delay)) co_return false;

  const std::uint64_t size = response.body ? response.body->size() : 0;
  int status = response.status;
  ByteRange part{0, size};
  std::string content_range;
  const std::string* range = request.FindHeader("range");
  const bool reads = request.method == "GET" || request.method == "HEAD";
  // An If-Range could only name a validator we never sent: then the whole body is right.
  if (response.ranges && status == 200 && reads && range && !request.FindHeader("if-range")) {
    const RangeAnswer answer = ParseRange(*range, size);
    if (answer.kind == RangeAnswer::Kind::kPart) {
      status = 206;
      part = answer.part;
      content_range = "bytes " + std::to_string(part.first) + "-" +
                      std::to_string(part.first + part.count - 1) + "/" + std::to_string(size);
    } else if (answer.kind == RangeAnswer::Kind::kUnsatisfiable) {
      status = 416;
      part.count = 0;
      content_range = "bytes */" + std::to_string(size);
    }
  }
  keep_alive = keep_alive && delivery.end == Delivery::End::kKeep;
  std::optional<std::uint64_t> length = delivery.claimed_length;
  if (!length && status != 204 && status != 304) length = part.count;
  const std::string head =
      WriteHead(response, status, length, content_range, keep_alive,
                std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now()));
  if (request.method == "HEAD" || status == 204 || status == 304) part.count = 0;
  if (!co_await SendBytes(head, response.body.get(), part.first, part.count, delivery)) {
    co_return false;
  }
  switch (delivery.end) {
    case Delivery::End::kKeep: break;
    case Delivery::End::kClose: break;
    case Delivery::End::kReset: Reset(); co_return false;
    case Delivery::End::kHang: co_await Hang(); co_return false;
  }
  if (!keep_alive) co_await LingeringClose();
  co_return keep_alive;
}

asio::awaitable<bool> Connection::SendBytes(const std::string& head, BodySource* body,
                                            std::uint64_t first, std::uint64_t count,
                                            const Delivery& delivery) {
  std::uint64_t left = delivery.cut_after;
  // Head and a small body leave in one segment.
  std::string piece = head;
  std::uint64_t sent = 0;
  for (;;) {
    const std::size_t room = piece.size() < kPieceBytes ? kPieceBytes - piece.size() : 0;
    const std::size_t more = static_cast<std::size_t>(std::min<std::uint64_t>(room, count - sent));
    if (more > 0) {
      const std::size_t at = piece.size();
      piece.resize(at + more);
      if (!body->Read(first + sent, piece.data() + at, more)) co_return false;
      sent += more;
    }
    const std::size_t out = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), left));
    if (!co_await Write(piece.data(), out, delivery)) co_return false;
    left -= out;
    if (left == 0 || sent == count) co_return true;
    piece.clear();
  }
}

asio::awaitable<bool> Connection::Write(const char* data, std::size_t count,
                                        const Delivery& delivery) {
  while (count > 0) {
    const std::size_t now =
        delivery.piece_bytes == 0 ? count : std::min(count, delivery.piece_bytes);
    ErrorCode error;
    stream_.expires_after(core_.options.write_timeout);
    co_await asio::async_write(stream_, asio::buffer(data, now),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error || closing_) co_return false;
    data += now;
    count -= now;
    if (delivery.piece_bytes != 0 && count > 0 && !co_await Sleep(delivery.piece_interval)) {
      co_return false;
    }
  }
  stream_.expires_never();
  co_return true;
}

asio::awaitable<bool> Connection::Sleep(Duration duration) {
  const auto until = std::chrono::steady_clock::now() + duration;
  WatchPeer();
  while (!closing_ && !peer_left_ && std::chrono::steady_clock::now() < until) {
    ErrorCode error;
    timer_.expires_at(until);
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  ErrorCode error;
  if (!closing_) stream_.socket().cancel(error);
  co_return !closing_ && !peer_left_;
}

asio::awaitable<void> Connection::Hang() {
  WatchPeer();
  while (!closing_ && !peer_left_) {
    ErrorCode error;
    timer_.expires_at(asio::steady_timer::time_point::max());
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

// Closing with bytes unread makes the kernel send RST, and the peer may then never see the answer
// that explains the close. So: say we are done, and read on for a moment.
asio::awaitable<void> Connection::LingeringClose() {
  ErrorCode error;
  stream_.socket().shutdown(tcp::socket::shutdown_send, error);
  stream_.expires_after(kLingerTime);
  std::vector<char> sink(kReadBytes);
  std::size_t read = 0;
  while (!error && !closing_ && read < kLingerBytes) {
    read += co_await stream_.async_read_some(asio::buffer(sink),
                                             asio::redirect_error(asio::use_awaitable, error));
  }
}

void Connection::Reset() {
  ErrorCode error;
  stream_.socket().set_option(asio::socket_base::linger(true, 0), error);
  stream_.close();
}

}  // namespace gateway::http
