#include "http/server_tls.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "http/server_stream.h"

namespace gateway::http {
namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

namespace {

absl::StatusOr<std::shared_ptr<ServerTls::Inside>> MakeInside(const std::string& certificate_pem,
                                                              const Secret& key_pem,
                                                              const std::string& client_ca_pem) {
  auto inside = std::make_shared<ServerTls::Inside>();
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
  if (!error && !client_ca_pem.empty()) {
    context.add_certificate_authority(asio::buffer(client_ca_pem), error);
    context.set_verify_mode(asio::ssl::context::verify_peer |
                            asio::ssl::context::verify_fail_if_no_peer_cert);
    // A resumed session would be believed although nobody has looked at its certificate again.
    SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context.native_handle(), 0);
  }
  if (error) {
    return absl::InvalidArgumentError("the certificate or its key cannot be used: " +
                                      error.message());
  }
  return inside;
}

// One name as text, its kind in front; "" if it is of no such kind, or not plain text.
std::string NameOf(const GENERAL_NAME& name) {
  const auto text = [](const char* kind, const ASN1_STRING* value) -> std::string {
    const auto* const bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(value));
    const std::string found(bytes, static_cast<std::size_t>(ASN1_STRING_length(value)));
    const bool plain =
        std::all_of(found.begin(), found.end(), [](char c) { return c > ' ' && c < 127; });
    return plain ? kind + found : "";
  };
  switch (name.type) {
    case GEN_URI:
      return text("uri:", name.d.uniformResourceIdentifier);
    case GEN_DNS:
      return text("dns:", name.d.dNSName);
    case GEN_EMAIL:
      return text("email:", name.d.rfc822Name);
    case GEN_IPADD: {
      const int size = ASN1_STRING_length(name.d.iPAddress);
      char address[INET6_ADDRSTRLEN] = "";
      if (size != 4 && size != 16) return "";
      inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name.d.iPAddress), address,
                sizeof address);
      return std::string("ip:") + address;
    }
    default:
      return "";
  }
}

}  // namespace

ServerTls::ServerTls(std::shared_ptr<Inside> inside) : inside_(std::move(inside)) {}
ServerTls::~ServerTls() = default;

absl::StatusOr<std::shared_ptr<ServerTls>> ServerTls::Make(const std::string& certificate_pem,
                                                           const Secret& key_pem,
                                                           const std::string& client_ca_pem) {
  auto inside = MakeInside(certificate_pem, key_pem, client_ca_pem);
  if (!inside.ok()) return inside.status();
  return std::shared_ptr<ServerTls>(new ServerTls(*std::move(inside)));
}

void ServerTls::ReplaceWith(const ServerTls& other) {
  std::shared_ptr<Inside> newer = other.inside();
  MutexLock lock(mutex_);
  inside_ = std::move(newer);
}

std::shared_ptr<ServerTls::Inside> ServerTls::inside() const {
  MutexLock lock(mutex_);
  return inside_;
}

asio::awaitable<bool> ServerStream::Handshake() {
  if (!tls()) co_return true;
  ErrorCode error;
  co_await through_->async_handshake(asio::ssl::stream_base::server,
                                     asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

std::vector<std::string> ServerStream::PeerSans() {
  std::vector<std::string> sans;
  if (!tls()) return sans;
  const std::unique_ptr<X509, decltype(&X509_free)> shown(
      SSL_get1_peer_certificate(through_->native_handle()), &X509_free);
  if (shown == nullptr || SSL_get_verify_result(through_->native_handle()) != X509_V_OK)
    return sans;
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(shown.get(), NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return sans;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    std::string name = NameOf(*sk_GENERAL_NAME_value(names, i));
    if (!name.empty()) sans.push_back(std::move(name));
  }
  GENERAL_NAMES_free(names);
  return sans;
}

}  // namespace gateway::http
