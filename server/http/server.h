// http::Server is a small HTTP/1.1 server for this program's side doors: the sandbox, the admin
// port, webhook calls, and callers without gRPC.
//
// One thread of its own runs every connection and every handler; a handler must not block long. The
// bytes of header and body, the time in which a request must arrive and the time in which an answer
// must be read have bounds (ServerOptions); beyond them the peer is answered 431, 413 or 408, or is
// dropped. A peer that has ended its own half of the connection is answered still; it is gone once
// its connection is reset, or if nothing comes for it for a while. The number of connections has a
// bound too: beyond it the connection gives way that has been longest between two requests, else
// the one whose request has taken longest (it is answered 503), else the one whose answer has. So
// nobody can keep others out, however many connections he holds and however little he sends; only
// while all connections wait for a handler is a new peer answered 503. Without a free file
// descriptor the same is done. A listener on loopback answers only who addresses it as such, others
// get 421 (http/server_request_head.h). It speaks TLS if it is given a certificate, and asks peers
// for theirs if it is given who may vouch for them; who has no place there is closed without a
// word.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/limits.h"
#include "http/server_message.h"
#include "http/server_tls.h"

namespace gateway::http {

// What the server itself refuses, of which no handler hears.
struct ServerRefusal {
  int status = 0;        // of HTTP
  std::string_view why;  // words for the peer
  const ServerPeer& peer;
};

struct ServerOptions {
  std::string name = "HTTP server";   // for error messages
  std::string address = "127.0.0.1";  // an IP address, or "localhost"
  std::uint16_t port = 0;             // 0: any free one
  // Sockets that listen already, of any kind, which the server takes over; then the two above do
  // not count, and whom a request addresses is left to the handler.
  std::vector<int> sockets{};
  std::size_t max_connections = 4096;
  // Whether no address may take all of them: one that has four connections for each place that is
  // left gets a new one only if one of its own gives way.
  bool share_by_address = false;
  std::size_t max_header_bytes = limits::kResponseHeadersMaxBytes;
  std::size_t max_body_bytes = limits::kRequestMaxBytes;
  Duration idle_timeout = std::chrono::seconds(75);   // between two requests
  Duration read_timeout = std::chrono::seconds(30);   // for one whole request
  Duration write_timeout = std::chrono::seconds(30);  // for one whole answer
  // How long a peer that has ended its half of the connection is served nothing and kept: it may be
  // gone altogether, which shows only when something is sent to it.
  Duration half_closed_max = limits::kHalfClosedMax;
  // If not zero, it bounds, instead of the two above, the time for each piece of an answer, and of
  // a body once a sink takes it. It is for servers of large files only: whoever sends a byte in
  // each such time holds a connection for as long as he likes.
  Duration piece_timeout{0};
  // What a Host may be besides an address and `localhost`, if the listener is on loopback.
  std::vector<std::string> host_names{};
  std::shared_ptr<ServerTls> tls = nullptr;  // null: plain
  // Makes the answer to what the server refuses itself; its status is as told. Null: a line of
  // plain text. Called on the server's thread.
  std::function<ServerResponse(const ServerRefusal&)> refusal{};
};

class ServerCore;
class Exchange;

// A Responder answers one request, from any thread, now or later. It can be copied; the first Send
// counts and later ones do nothing. If every copy goes away without a Send, the peer gets a 500. It
// is safe to use after the server stopped (nothing happens then).
class Responder {
 public:
  explicit Responder(std::shared_ptr<Exchange> exchange);
  void Send(ServerResponse response, Delivery delivery = {}) const;
  // `gone` is called, once at most, if the peer leaves or is dropped before there is an answer. To
  // be set while the server's thread is in the handler or the sink.
  void WhenGone(std::function<void()> gone) const;

 private:
  struct Last;  // sends the 500
  std::shared_ptr<Last> last_;
};

class Server {
 public:
  // Called on the server's thread.
  using Handler = std::function<void(ServerRequest, Responder)>;
  // Called with a request's head. If it returns null, the body goes into ServerRequest::body,
  // within max_body_bytes. Else the sink takes the body, bounds it and answers; the handler is not
  // called.
  using Opener = std::function<std::shared_ptr<BodySink>(const ServerRequest& head)>;

  // Binds, so that port() is known, but serves nothing yet. If that fails, the message names the
  // address, the port and the cause.
  static absl::StatusOr<std::unique_ptr<Server>> Listen(ServerOptions options);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Begins to serve. It is called once, after Listen.
  void Serve(Handler handler, Opener opener = nullptr);
  // Takes no new connections, and no further request on those that are there.
  void StopAccepting();
  // Lets answers go out that are on their way, for so long at most, and stops.
  void Finish(Duration patience);
  // Closes every connection, drops timers and joins the thread; no handler runs afterwards. It may
  // be called twice, but not from a handler.
  void Stop();

  std::uint16_t port() const;
  // "127.0.0.1:8081", "[::1]:8081".
  std::string authority() const;
  std::uint64_t connections_accepted() const;
  std::uint64_t connections_open() const;

  // Post and After run `task` on the server's thread: as soon as possible, or after a delay. They
  // may be called from any thread. The task is dropped if the server stops first.
  void Post(std::function<void()> task);
  void After(Duration delay, std::function<void()> task);

 private:
  explicit Server(std::shared_ptr<ServerCore> core);
  std::shared_ptr<ServerCore> core_;
};

}  // namespace gateway::http
