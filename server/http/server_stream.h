// A ServerStream is the socket of one of http::Server's connections, read and written through TLS
// if the server has it. Only server*.cc include it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/server_tls.h"

namespace gateway::http {

struct ServerTls::Inside {
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_server};
};

// Of any kind: TCP or unix.
using ServerSocket = boost::asio::generic::stream_protocol::socket;

// What Asio and Beast call an AsyncStream.
class ServerStream {
 public:
  using Plain = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;
  using executor_type = Plain::executor_type;

  ServerStream(ServerSocket socket, ServerTls* tls) : plain_(std::move(socket)) {
    if (tls != nullptr) through_.emplace(plain_, tls->inside()->context);
  }

  bool tls() const { return through_.has_value(); }
  // Nothing can be read or written before it. False: the peer does not speak TLS, or left.
  boost::asio::awaitable<bool> Handshake();
  // The names in the certificate that the peer has shown; see ServerPeer.
  std::vector<std::string> PeerSans();

  executor_type get_executor() { return plain_.get_executor(); }
  ServerSocket& socket() { return plain_.socket(); }
  void expires_after(Duration time) { plain_.expires_after(time); }
  void expires_never() { plain_.expires_never(); }
  void close() { plain_.close(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls()) return through_->async_read_some(buffers, std::forward<Token>(token));
    return plain_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (tls()) return through_->async_write_some(buffers, std::forward<Token>(token));
    return plain_.async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  Plain plain_;
  std::optional<boost::asio::ssl::stream<Plain&>> through_;
};

}  // namespace gateway::http
