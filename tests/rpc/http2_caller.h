// A caller that writes its own HTTP/2 frames, for what gRPC's clients never do. It answers the
// server's SETTINGS and nothing else: no ping, no window.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace gateway::test {

class Http2Caller {
 public:
  enum Frame : unsigned char {
    kData = 0,
    kHeaders = 1,
    kReset = 3,
    kSettings = 4,
    kPing = 6,
    kGoAway = 7
  };

  // From 127.0.0.1, or any other address of the loopback.
  explicit Http2Caller(int port, const char* from = "127.0.0.1")
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in own = Address(from, 0);
    sockaddr_in peer = Address("127.0.0.1", port);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&peer), sizeof peer), 0);
    Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    SendFrame(kSettings, 0, 0, "");
  }
  ~Http2Caller() { close(fd_); }
  Http2Caller(const Http2Caller&) = delete;
  Http2Caller& operator=(const Http2Caller&) = delete;

  // A whole call with a request of so many bytes. Its stream's number.
  std::uint32_t Call(std::string_view path, const std::string& request) {
    std::string block;
    for (const auto& [name, value] :
         std::initializer_list<std::pair<std::string_view, std::string_view>>{
             {":method", "POST"},
             {":scheme", "http"},
             {":path", path},
             {":authority", "test"},
             {"te", "trailers"},
             {"content-type", "application/grpc"}}) {
      block += '\0';  // a literal that enters no table
      block += static_cast<char>(name.size());
      block += name;
      block += static_cast<char>(value.size());
      block += value;
    }
    const std::uint32_t stream = std::exchange(next_stream_, next_stream_ + 2);
    SendFrame(kHeaders, 4, stream, block);
    SendFrame(kData, 1, stream,
              std::string(1, '\0') + Big(static_cast<std::uint32_t>(request.size())) + request);
    return stream;
  }

  // Until a frame of the type comes. False: the connection ended, or nothing came for a long while.
  bool Await(Frame type) {
    while (seen_[type] == 0) {
      if (!ReadOne()) return false;
    }
    return true;
  }

  // The status of the call, in words for what has none. Of one call of a connection: a later one
  // may refer to what the first has brought.
  std::string StatusOf(std::uint32_t stream) {
    constexpr std::string_view kName = "grpc-status";
    for (;;) {
      const std::string& block = headers_[stream];
      const std::size_t at = block.find(kName);
      if (at != std::string::npos) {
        const std::size_t length = static_cast<unsigned char>(block[at + kName.size()]);
        return block.substr(at + kName.size() + 1, length);
      }
      if (resets_.contains(stream)) return "reset with " + std::to_string(resets_[stream]);
      if (!ReadOne()) return "the connection ended";
    }
  }

 private:
  static sockaddr_in Address(const char* host, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, host, &address.sin_addr);
    return address;
  }
  static std::string Big(std::uint32_t number) {
    return {static_cast<char>(number >> 24), static_cast<char>(number >> 16),
            static_cast<char>(number >> 8), static_cast<char>(number)};
  }
  static std::uint32_t Number(std::string_view bytes) {
    std::uint32_t number = 0;
    for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
    return number;
  }

  void Send(std::string_view bytes) {
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void SendFrame(Frame type, int flags, std::uint32_t stream, const std::string& payload) {
    Send(Big(static_cast<std::uint32_t>(payload.size())).substr(1) + static_cast<char>(type) +
         static_cast<char>(flags) + Big(stream) + payload);
  }
  bool Receive(std::string& into, std::size_t size) {
    into.resize(size);
    return size == 0 || recv(fd_, into.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size);
  }
  bool ReadOne() {
    std::string head, payload;
    if (!Receive(head, 9) || !Receive(payload, Number(std::string_view(head).substr(0, 3))))
      return false;
    const auto type = static_cast<unsigned char>(head[3]);
    const std::uint32_t stream = Number(std::string_view(head).substr(5));
    ++seen_[type];
    if (type == kSettings && head[4] == 0) SendFrame(kSettings, 1, 0, "");
    if (type == kHeaders) headers_[stream] += payload;
    if (type == kReset) resets_[stream] = Number(payload);
    return true;
  }

  const int fd_;
  std::uint32_t next_stream_ = 1;
  std::map<unsigned char, int> seen_;
  std::map<std::uint32_t, std::string> headers_;
  std::map<std::uint32_t, std::uint32_t> resets_;
};

}  // namespace gateway::test
