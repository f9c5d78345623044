// The half of http::Connection that sends.
#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <vector>

#include "base/limits.h"
#include "http/server_core.h"
#include "http/server_head.h"

namespace gateway::http {
namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

// One chunk; nothing for no bytes, because an empty one ends the answer.
std::string Chunk(std::string_view bytes) {
  if (bytes.empty()) return "";
  std::array<char, 20> length{};
  std::snprintf(length.data(), length.size(), "%zx\r\n", bytes.size());
  return length.data() + std::string(bytes) + "\r\n";
}

}  // namespace

asio::awaitable<bool> Connection::SendAnswer(const ServerRequest& request, Exchange& exchange,
                                             bool keep_alive) {
  ServerResponse& response = exchange.response();
  const Delivery& delivery = exchange.delivery();
  if (delivery.delay > Duration::zero() && !co_await Sleep(delivery.delay)) co_return false;

  if (response.live != nullptr) co_return co_await SendLiveAnswer(request, response, keep_alive);
  const std::uint64_t size = response.body ? response.body->size() : 0;
  int status = response.status;
  ByteRange part{0, size};
  std::string content_range;
  const std::string* range = request.FindHeader("range");
  const bool reads = request.method == "GET" || request.method == "HEAD";
  // If-Range names the body that the peer has a part of: of another one the whole is right.
  const std::string* const of = request.FindHeader("if-range");
  const bool same = of == nullptr || (!response.etag.empty() && *of == response.etag);
  if (response.ranges && status == 200 && reads && range && same) {
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
  keep_alive = keep_alive && !core_.last_requests && !peer_ended_.has_value() &&
               delivery.end == Delivery::End::kKeep;
  Enter(Phase::kSending);
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
    case Delivery::End::kKeep:
      break;
    case Delivery::End::kClose:
      break;
    case Delivery::End::kReset:
      Reset();
      co_return false;
    case Delivery::End::kHang:
      co_await Hang();
      co_return false;
  }
  if (!keep_alive) co_await LingeringClose();
  co_return keep_alive;
}

asio::awaitable<bool> Connection::SendLiveAnswer(const ServerRequest& request,
                                                 ServerResponse& response, bool keep_alive) {
  const std::optional<std::uint64_t> size = response.live->size();
  const bool chunks = !size && !request.http10;
  keep_alive = keep_alive && !core_.last_requests && !peer_ended_.has_value() && (size || chunks);
  if (chunks) response.headers.push_back({"Transfer-Encoding", "chunked"});
  std::string head =
      WriteHead(response, response.status, size, "", keep_alive,
                std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now()));
  if (request.method == "HEAD") {
    Enter(Phase::kSending);
    if (!co_await SendBytes(head, nullptr, 0, 0, {})) co_return false;
  } else if (!co_await SendLive(std::move(head), *response.live, chunks)) {
    co_return false;
  }
  if (!keep_alive) co_await LingeringClose();
  co_return keep_alive;
}

// Each piece has the time that a whole answer has otherwise.
asio::awaitable<bool> Connection::SendLive(std::string head, LiveBody& body, bool chunks) {
  std::string out = std::move(head);
  for (bool last = false; !last;) {
    // The head goes out at once: the first piece may be long in coming.
    if (!out.empty()) {
      Enter(Phase::kSending);
      stream_.expires_after(core_.options.write_timeout);
      if (!co_await Write(out.data(), out.size(), {})) co_return false;
      stream_.expires_never();
    }
    Enter(Phase::kAnswering);
    LiveBody::Piece piece = co_await AwaitPiece(body, chunks);
    if (piece.broken || closing_ || peer_left_) co_return false;
    last = piece.last;
    out = chunks ? Chunk(piece.bytes) : std::move(piece.bytes);
    if (chunks && last) out += "0\r\n\r\n";
  }
  Enter(Phase::kSending);
  stream_.expires_after(core_.options.write_timeout);
  const bool sent = co_await Write(out.data(), out.size(), {});
  if (sent) stream_.expires_never();
  co_return sent;
}

asio::awaitable<LiveBody::Piece> Connection::AwaitPiece(LiveBody& body, bool chunks) {
  const auto slot = std::make_shared<std::optional<LiveBody::Piece>>();
  body.Next([core = core_.weak_from_this(), weak = weak_from_this(), slot](LiveBody::Piece piece) {
    const std::shared_ptr<ServerCore> there = core.lock();
    if (there == nullptr || there->stopping) return;
    asio::post(there->context, [weak, slot, piece = std::move(piece)]() mutable {
      *slot = std::move(piece);
      if (const auto connection = weak.lock()) connection->WakeUp();
    });
  });
  WatchPeer();
  const auto since = std::chrono::steady_clock::now();
  while (!slot->has_value() && !closing_ && !peer_left_) {
    const std::string_view filler = body.Filler();
    if (peer_ended_.has_value() && !probed_ && !filler.empty()) {
      // Who is not there any more resets the connection.
      probed_ = true;
      const std::string out = chunks ? Chunk(filler) : std::string(filler);
      stream_.expires_after(core_.options.write_timeout);
      if (!co_await Write(out.data(), out.size(), {})) peer_left_ = true;
      if (!closing_) stream_.expires_never();
    } else {
      co_await AwaitWakeUp(since);
    }
  }
  ErrorCode error;
  if (!closing_) stream_.socket().cancel(error);
  if (!slot->has_value()) co_return LiveBody::Piece{.bytes = "", .broken = true};
  co_return std::move(**slot);
}

asio::awaitable<bool> Connection::SendBytes(const std::string& head, BodySource* body,
                                            std::uint64_t first, std::uint64_t count,
                                            const Delivery& delivery) {
  stream_.expires_after(core_.options.write_timeout);
  // The stream's own deadline ends only a write that has to wait.
  const auto until = std::chrono::steady_clock::now() + core_.options.write_timeout;
  const bool whole = core_.options.piece_timeout == Duration::zero();
  std::uint64_t left = delivery.cut_after;
  // Head and a small body leave in one segment.
  std::string piece = head;
  std::uint64_t sent = 0;
  for (;;) {
    const std::size_t room =
        piece.size() < limits::kHttpPieceBytes ? limits::kHttpPieceBytes - piece.size() : 0;
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
    if (left == 0 || sent == count) break;
    if (whole && std::chrono::steady_clock::now() >= until) co_return false;
    piece.clear();
  }
  stream_.expires_never();
  co_return true;
}

asio::awaitable<bool> Connection::Write(const char* data, std::size_t count,
                                        const Delivery& delivery) {
  while (count > 0) {
    const std::size_t now =
        delivery.piece_bytes == 0 ? count : std::min(count, delivery.piece_bytes);
    ErrorCode error;
    const Duration each = core_.options.piece_timeout;
    if (each > Duration::zero()) stream_.expires_after(each);
    co_await asio::async_write(stream_, asio::buffer(data, now),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error || closing_) co_return false;
    data += now;
    count -= now;
    if (delivery.piece_bytes != 0 && count > 0 && !co_await Sleep(delivery.piece_interval)) {
      co_return false;
    }
  }
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
  while (!closing_ && !peer_left_ && !peer_ended_.has_value()) {
    ErrorCode error;
    timer_.expires_at(asio::steady_timer::time_point::max());
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  ErrorCode error;
  if (!closing_) stream_.socket().cancel(error);
}

// Closing with bytes unread makes the kernel send RST, and the peer may then never see the answer
// that explains the close. So the connection says that it is done, and reads on for a moment.
asio::awaitable<void> Connection::LingeringClose() {
  ErrorCode error;
  // Through TLS it does not say so: what the peer sends after that would end the reading too. The
  // peer knows the length of the answer, and closes by itself.
  if (!stream_.tls()) stream_.socket().shutdown(tcp::socket::shutdown_send, error);
  stream_.expires_after(limits::kLingerMax);
  std::vector<char> sink(limits::kHttpReadBytes);
  std::size_t read = 0;
  while (!error && !closing_ && read < limits::kLingerMaxBytes) {
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
