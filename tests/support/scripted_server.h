// An HTTP/1.1 server over raw sockets that does what a test says, down to the reset.
//
// A thread accepts, each connection has its own, and each request read whole is recorded and given
// to the script, which answers with bytes, closes, resets or stays silent. It knows nothing of our
// HTTP code. With TLS it makes a key and a self-signed certificate at start.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace gateway::test {

struct ReceivedRequest {
  int connection = 0;  // 0 for the first accepted
  int index = 0;       // of the request on its connection
  std::string method;
  std::string target;
  std::string head;  // request line and headers, as received
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // names as received

  // All values of a header, whatever its case, joined by ", ".
  std::string HeaderValues(std::string_view name) const;
  int HeaderCount(std::string_view name) const;
};

class ScriptedConnection {
 public:
  ScriptedConnection(int fd, int number, SSL* ssl) : fd_(fd), number_(number), ssl_(ssl) {}
  ~ScriptedConnection();
  ScriptedConnection(const ScriptedConnection&) = delete;
  ScriptedConnection& operator=(const ScriptedConnection&) = delete;

  void Send(std::string_view bytes);
  void Close();  // FIN
  void Reset();  // RST
  // Says nothing until the client goes away or the server ends.
  void Hold();

 private:
  friend class ScriptedServer;
  bool ReadRequest(ReceivedRequest* request);
  bool ReadMore();
  void Abort();  // from another thread: makes every read and write fail

  int fd_;
  const int number_;
  SSL* ssl_;
  std::string buffer_;
  std::atomic<std::size_t> received_{0};
  bool open_ = true;
};

class ScriptedServer {
 public:
  using Script = std::function<void(ScriptedConnection&, const ReceivedRequest&)>;
  enum class Tls { kOff, kForLoopback, kForOtherHost, kExpired };

  explicit ScriptedServer(Script script, Tls tls = Tls::kOff);
  ~ScriptedServer();  // ends all connections; scripts must not wait for anything else by then
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  int port() const { return port_; }
  std::string url() const;                                  // http(s)://127.0.0.1:port
  std::string certificate() const { return certificate_; }  // PEM

  std::vector<ReceivedRequest> requests() const;
  int request_count() const;
  int connection_count() const;
  // Of requests, whole or not; inside TLS, decrypted.
  std::size_t bytes_received() const;
  // Waits until so many requests have been read whole. False after 10 s.
  bool AwaitRequests(int count) const;

 private:
  void SetUpTls(Tls tls);
  void Accept();
  void Serve(ScriptedConnection& connection);

  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::string certificate_;
  SSL_CTX* tls_ = nullptr;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<ReceivedRequest> requests_;
  std::list<ScriptedConnection> connections_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
  std::thread accepting_;
};

// "HTTP/1.1 200 OK", a Content-Length, `extra` header lines (each with its CRLF), the body.
std::string HttpReply(int status, std::string_view body, std::string_view extra = "");

// A port on loopback that refuses connections.
class RefusingPort {
 public:
  RefusingPort();
  ~RefusingPort();
  int port() const { return port_; }

 private:
  int fd_;
  int port_;
};

}  // namespace gateway::test
