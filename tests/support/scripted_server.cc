#include "support/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

namespace gateway::test {
namespace {

// Bound to loopback, port 0; the port it got.
int Bind(int fd) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  return ntohs(address.sin_port);
}

std::string Trim(std::string text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

void ParseHead(ReceivedRequest* request) {
  const std::string& head = request->head;
  std::size_t begin = 0;
  bool first = true;
  for (std::size_t end; (end = head.find("\r\n", begin)) != std::string::npos; begin = end + 2) {
    const std::string line = head.substr(begin, end - begin);
    if (first) {
      const std::size_t space = line.find(' ');
      request->method = line.substr(0, space);
      request->target = line.substr(space + 1, line.rfind(' ') - space - 1);
      first = false;
    } else if (const std::size_t colon = line.find(':'); colon != std::string::npos) {
      request->headers.emplace_back(line.substr(0, colon), Trim(line.substr(colon + 1)));
    }
  }
}

}  // namespace

std::string ReceivedRequest::HeaderValues(std::string_view name) const {
  std::string all;
  for (const auto& [key, value] : headers) {
    if (!SameName(key, name)) continue;
    if (!all.empty()) all += ", ";
    all += value;
  }
  return all;
}

int ReceivedRequest::HeaderCount(std::string_view name) const {
  int count = 0;
  for (const auto& header : headers) count += SameName(header.first, name) ? 1 : 0;
  return count;
}

ScriptedConnection::~ScriptedConnection() {
  SSL_free(ssl_);
  close(fd_);
}

void ScriptedConnection::Send(std::string_view bytes) {
  while (open_ && !bytes.empty()) {
    const auto sent = ssl_ != nullptr
                          ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                          : send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      open_ = false;
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void ScriptedConnection::Close() {
  if (ssl_ != nullptr && open_) SSL_shutdown(ssl_);
  shutdown(fd_, SHUT_RDWR);
  open_ = false;
}

void ScriptedConnection::Reset() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  // The number stays ours (another connection must not get it), the socket goes.
  const int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  dup2(other, fd_);
  close(other);
  open_ = false;
}

void ScriptedConnection::Hold() {
  char byte;
  while (open_ && recv(fd_, &byte, 1, 0) > 0) {
  }
  open_ = false;
}

void ScriptedConnection::Abort() { shutdown(fd_, SHUT_RDWR); }

bool ScriptedConnection::ReadMore() {
  char chunk[16384];
  const auto got =
      ssl_ != nullptr ? SSL_read(ssl_, chunk, sizeof chunk) : recv(fd_, chunk, sizeof chunk, 0);
  if (got <= 0) return false;
  buffer_.append(chunk, static_cast<std::size_t>(got));
  received_ += static_cast<std::size_t>(got);
  return true;
}

bool ScriptedConnection::ReadRequest(ReceivedRequest* request) {
  std::size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore()) return false;
  }
  request->connection = number_;
  request->head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  ParseHead(request);
  const std::size_t size =
      std::strtoul(request->HeaderValues("content-length").c_str(), nullptr, 10);
  while (buffer_.size() < size) {
    if (!ReadMore()) return false;
  }
  request->body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return true;
}

ScriptedServer::ScriptedServer(Script script, Tls tls) : script_(std::move(script)) {
  signal(SIGPIPE, SIG_IGN);  // SSL_write has no MSG_NOSIGNAL
  if (tls != Tls::kOff) SetUpTls(tls);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  port_ = Bind(listener_);
  if (listen(listener_, 4096) != 0) std::abort();
  accepting_ = std::thread([this] { Accept(); });
}

ScriptedServer::~ScriptedServer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (ScriptedConnection& connection : connections_) connection.Abort();
  }
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  for (std::thread& thread : threads_) thread.join();
  connections_.clear();
  close(listener_);
  SSL_CTX_free(tls_);
}

void ScriptedServer::SetUpTls(Tls tls) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), tls == Tls::kExpired ? -60 : 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("scripted server"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_EXTENSION* const names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                          tls == Tls::kForOtherHost ? "DNS:elsewhere.test" : "IP:127.0.0.1");
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate, key, EVP_sha256());
  tls_ = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate(tls_, certificate) != 1 || SSL_CTX_use_PrivateKey(tls_, key) != 1) {
    std::abort();
  }
  BIO* const pem = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(pem, certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(pem, &text);
  certificate_.assign(text, static_cast<std::size_t>(size));
  BIO_free(pem);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

std::string ScriptedServer::url() const {
  return (tls_ != nullptr ? "https" : "http") + ("://127.0.0.1:" + std::to_string(port_));
}

std::vector<ReceivedRequest> ScriptedServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

int ScriptedServer::request_count() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(requests_.size());
}

int ScriptedServer::connection_count() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(connections_.size());
}

std::size_t ScriptedServer::bytes_received() const {
  std::lock_guard lock(mutex_);
  std::size_t bytes = 0;
  for (const ScriptedConnection& connection : connections_) bytes += connection.received_;
  return bytes;
}

bool ScriptedServer::AwaitRequests(int count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10),
                           [&] { return static_cast<int>(requests_.size()) >= count; });
}

void ScriptedServer::Accept() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    std::lock_guard lock(mutex_);
    if (fd < 0 || stopping_) {
      if (fd >= 0) close(fd);
      if (stopping_) return;
      continue;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL* ssl = nullptr;
    if (tls_ != nullptr) {
      ssl = SSL_new(tls_);
      SSL_set_fd(ssl, fd);
    }
    ScriptedConnection& connection =
        connections_.emplace_back(fd, static_cast<int>(connections_.size()), ssl);
    threads_.emplace_back([this, &connection] { Serve(connection); });
  }
}

void ScriptedServer::Serve(ScriptedConnection& connection) {
  if (connection.ssl_ != nullptr && SSL_accept(connection.ssl_) != 1) connection.Close();
  for (int index = 0; connection.open_; ++index) {
    ReceivedRequest request;
    request.index = index;
    if (!connection.ReadRequest(&request)) break;
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    changed_.notify_all();
    script_(connection, request);
  }
  connection.Close();
}

std::string HttpReply(int status, std::string_view body, std::string_view extra) {
  std::string reply = "HTTP/1.1 " + std::to_string(status) + " Status\r\n";
  reply += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  reply.append(extra).append("\r\n").append(body);
  return reply;
}

// Bound but not listening: the kernel refuses, and nobody else can take the port meanwhile.
RefusingPort::RefusingPort()
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), port_(Bind(fd_)) {}
RefusingPort::~RefusingPort() { close(fd_); }

}  // namespace gateway::test
