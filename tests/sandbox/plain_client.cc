#include "sandbox/plain_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace gateway::test {

std::string PlainRequest(const std::string& method, const std::string& path,
                         const std::string& body, const std::string& headers) {
  std::string text = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n";
  text += "User-Agent: plain-client/1\r\n" + headers;
  if (!body.empty() || method == "POST" || method == "PUT") {
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return text + "\r\n" + body;
}

PlainClient::PlainClient() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {}

PlainClient::PlainClient(std::uint16_t port) : PlainClient() { Connect(port); }

PlainClient::PlainClient(std::uint16_t port, const std::string& from) : PlainClient() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, from.c_str(), &address.sin_addr);
  if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect from " + from);
  }
  Connect(port);
}

void PlainClient::Connect(std::uint16_t port) {
  timeval limit{10, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect to port " + std::to_string(port));
  }
}

PlainClient::~PlainClient() { Close(); }

void PlainClient::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void PlainClient::Reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  Close();
}

void PlainClient::EndSending() const { ::shutdown(fd_, SHUT_WR); }

void PlainClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the peer closed: Read tells
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool PlainClient::Fill(PlainReply::End* end) {
  char piece[65536];
  const ssize_t got = ::recv(fd_, piece, sizeof piece, 0);
  if (got > 0) {
    buffer_.append(piece, static_cast<std::size_t>(got));
    return true;
  }
  if (got == 0) {
    *end = PlainReply::End::kClosed;
  } else {
    *end = errno == ECONNRESET ? PlainReply::End::kReset : PlainReply::End::kTimeout;
  }
  return false;
}

PlainReply PlainClient::Read(bool head_only) {
  PlainReply reply;
  std::size_t head_end;
  while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (Fill(&reply.end)) continue;
    reply.bytes = buffer_.size();
    return reply;
  }
  const std::string head = buffer_.substr(0, head_end + 2);
  reply.status = std::atoi(head.c_str() + head.find(' '));
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t stop = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    std::string name = head.substr(at, colon - at);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    reply.headers[name] = head.substr(colon + 2, stop - colon - 2);
    at = stop + 2;
  }
  const auto length = reply.headers.find("content-length");
  const std::size_t wanted =
      head_only || length == reply.headers.end() ? 0 : std::stoull(length->second);
  const std::size_t begin = head_end + 4;
  reply.end = PlainReply::End::kWhole;
  while (buffer_.size() < begin + wanted && Fill(&reply.end)) {
  }
  reply.body = buffer_.substr(begin, wanted);
  reply.bytes = begin + reply.body.size();
  buffer_.erase(0, reply.bytes);
  return reply;
}

PlainReply PlainClient::Call(const std::string& method, const std::string& path,
                             const std::string& body, const std::string& headers) {
  Send(PlainRequest(method, path, body, headers));
  return Read(method == "HEAD");
}

std::string PlainClient::Rest() {
  PlainReply::End end = PlainReply::End::kWhole;
  while (Fill(&end)) {
  }
  return std::exchange(buffer_, "");
}

bool PlainClient::AwaitEnd() {
  PlainReply::End end = PlainReply::End::kWhole;
  while (Fill(&end)) {
  }
  return end == PlainReply::End::kClosed || end == PlainReply::End::kReset;
}

bool PlainClient::HasBytes() const {
  char byte;
  return !buffer_.empty() || ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool PlainClient::HasEnded() const {
  char byte;
  const ssize_t got = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return buffer_.empty() && (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR));
}

std::size_t PlainClient::Take(std::size_t most) {
  std::string piece(most, '\0');
  const ssize_t got = ::recv(fd_, piece.data(), most, 0);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

}  // namespace gateway::test
