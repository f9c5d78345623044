// A blocking HTTP client over a bare socket: sees exactly what a server sends, and sends exactly
// what it is told, which no HTTP library does. Every wait ends after ten seconds.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace gateway::test {

struct PlainReply {
  enum class End { kWhole, kClosed, kReset, kTimeout };
  End end = End::kTimeout;  // how reading ended; kWhole: the announced length arrived
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::size_t bytes = 0;  // received for this reply, head included
};

class PlainClient {
 public:
  PlainClient();  // not connected yet
  explicit PlainClient(std::uint16_t port);
  PlainClient(std::uint16_t port, const std::string& from);  // an address of this machine
  ~PlainClient();
  PlainClient(const PlainClient&) = delete;
  PlainClient& operator=(const PlainClient&) = delete;

  void Connect(std::uint16_t port);
  void Send(std::string_view bytes);
  // So many bytes at most, as they come; 0: the peer has closed or reset, or ten seconds have
  // passed.
  std::size_t Take(std::size_t most);
  // Reads one reply. `head_only`: the request was a HEAD.
  PlainReply Read(bool head_only = false);
  PlainReply ReadHead() { return Read(true); }
  PlainReply Call(const std::string& method, const std::string& path, const std::string& body = "",
                  const std::string& headers = "");
  // Everything that comes until the peer closes.
  std::string Rest();
  // True once the peer has closed (or reset) and nothing is left to read.
  bool AwaitEnd();
  // Whether bytes are there now.
  bool HasBytes() const;
  // Whether the peer has closed or reset, and nothing is left to read.
  bool HasEnded() const;
  void Close();
  void Reset();             // closes with an RST
  void EndSending() const;  // a FIN; what comes can still be read

 private:
  // False: the end, told in `end`.
  bool Fill(PlainReply::End* end);

  int fd_;
  std::string buffer_;
};

// "POST /x HTTP/1.1\r\n…" with Host, User-Agent and Content-Length.
std::string PlainRequest(const std::string& method, const std::string& path,
                         const std::string& body = "", const std::string& headers = "");

}  // namespace gateway::test
