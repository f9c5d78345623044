#include "http/server_tls.h"

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "http/server_stream.h"

namespace gateway::http {
namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

ServerTls::ServerTls(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
ServerTls::~ServerTls() = default;

absl::StatusOr<std::shared_ptr<ServerTls>> ServerTls::Make(const std::string& certificate_pem,
                                                           const Secret& key_pem) {
  auto inside = std::make_unique<Inside>();
  asio::ssl::context& context = inside->context;
  ErrorCode error;
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                          asio::ssl::context::no_tlsv1_1,
                      error);
  if (!error) context.use_certificate_chain(asio::buffer(certificate_pem), error);
  if (!error) {
    context.use_private_key(asio::buffer(key_pem.Reveal()), asio::ssl::context::pem, error);
  }
  if (!error && SSL_CTX_check_private_key(context.native_handle()) != 1) {
    error = asio::error::invalid_argument;
  }
  if (error) {
    return absl::InvalidArgumentError("the certificate or its key cannot be used: " +
                                      error.message());
  }
  return std::shared_ptr<ServerTls>(new ServerTls(std::move(inside)));
}

asio::awaitable<bool> ServerStream::Handshake() {
  if (!tls()) co_return true;
  ErrorCode error;
  co_await through_->async_handshake(asio::ssl::stream_base::server,
                                     asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

}  // namespace gateway::http
