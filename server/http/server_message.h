// These are the values that the HTTP server hands to a handler and takes back from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "http/transport.h"

namespace gateway::http {

class BodySink;
class Responder;  // server.h

// Who is at the other end of a connection, as far as that is known.
struct ServerPeer {
  // "ipv4:192.0.2.1:50051", "ipv6:[2001:db8::1]:50051" or "unix:"
  std::string name;
  std::string address;       // without the port; "" by a unix socket
  std::string network;       // what is one peer where peers are counted: of IPv6 it is the /64
  bool unix_socket = false;  // the listener is one
  bool tls = false;
  bool this_machine = false;  // by loopback or a unix socket
  // Of the certificate that the peer has proven to own: "uri:spiffe://a/b", "dns:client.example",
  // "email:…", "ip:…". Empty where none is asked for.
  std::vector<std::string> sans;
};

struct ServerRequest {
  std::string method;           // "GET", "POST"…
  std::string path;             // as sent, still percent-encoded, without the query
  std::string query;            // as sent, without the '?'
  std::vector<Header> headers;  // names in lower case, in the order sent
  std::string body;
  std::shared_ptr<BodySink> sink;  // what took the body; then `body` is empty
  std::string remote_address;
  std::shared_ptr<const ServerPeer> peer;
  bool http10 = false;           // it is HTTP/1.0
  std::uint64_t connection = 0;  // numbers the connections of one server from 1

  // The value of the header `name`, given in lower case; nullptr if it is absent, the first of
  // several.
  const std::string* FindHeader(std::string_view name) const {
    for (const Header& header : headers) {
      if (header.name == name) return &header.value;
    }
    return nullptr;
  }
};

// A BodySource gives the bytes of an answer piece by piece, so that large ones are never held
// whole. One connection at a time uses it, on the server's thread.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual std::uint64_t size() const = 0;
  // Fills `out` with exactly `count` bytes from `offset`; offset + count <= size(). False: the
  // bytes cannot be had any more, and the connection is cut.
  virtual bool Read(std::uint64_t offset, char* out, std::size_t count) = 0;
};

std::shared_ptr<BodySource> TextBody(std::string text);
// `bytes` must outlive the server: for what is linked into the program.
std::shared_ptr<BodySource> StaticBody(std::string_view bytes);
// Opens the file now; a file that is later replaced by rename stays readable.
absl::StatusOr<std::shared_ptr<BodySource>> FileBody(const std::filesystem::path& path);
// `head`, then `pattern` over and over, then `tail`: `total` bytes in all.
std::shared_ptr<BodySource> RepeatingBody(std::string head, std::string pattern, std::string tail,
                                          std::uint64_t total);

// A LiveBody gives the bytes of an answer as they come to be, from whatever thread. One connection
// uses it, on the server's thread, and lets it go when the answer or the connection is over.
class LiveBody {
 public:
  struct Piece {
    std::string bytes;    // may be empty
    bool last = false;    // nothing comes after it
    bool broken = false;  // the rest cannot be had, and the connection is cut
  };
  virtual ~LiveBody() = default;
  // How many bytes there are in all. Unset: nobody knows, and they go out in chunks, or to a peer
  // of HTTP/1.0 until the connection is closed.
  virtual std::optional<std::uint64_t> size() const { return std::nullopt; }
  // Bytes that may go out between two pieces and mean nothing, to find out whether a peer that has
  // ended its half of the connection is there still. Empty: there are none.
  virtual std::string_view Filler() const { return ""; }
  // Asks for the next piece, once the last one was sent. `ready` is called once, on any thread,
  // inside the call too, and may be called when nobody waits any more.
  virtual void Next(std::function<void(Piece)> ready) = 0;
};

struct ServerResponse {
  int status = 200;
  // Content-Length, Content-Range, Date and Connection are the server's.
  std::vector<Header> headers;
  std::shared_ptr<BodySource> body;  // null: none
  std::shared_ptr<LiveBody> live;    // instead of it
  bool ranges = false;               // answer a Range request with 206 or 416
  std::string etag;                  // of the body, with its quotes; empty: none is told
};

ServerResponse TextResponse(int status, std::string_view content_type, std::string text);

// A BodySink takes a request's body as it arrives, so that large ones are never held whole, and
// then answers. One connection uses it, on the server's thread; it goes without Answer if the peer
// broke off.
class BodySink {
 public:
  enum class Next {
    kMore,
    kAnswer,  // enough: what is still to come is not read
    kReset,   // ends the connection at once
  };

  virtual ~BodySink() = default;
  // Called once, first of all. `ready` may be called, once, from any thread, when there is an
  // answer although the body is not here: Answer is called then, and the rest of the body is not
  // read.
  virtual void WhenReady(std::function<void()> ready) { (void)ready; }
  // Called before the first byte, and before a peer that waits to be asked for the body is asked.
  virtual Next Begin() { return Next::kMore; }
  virtual Next Take(std::string_view piece) = 0;
  // Called once: after the last byte, or after kAnswer.
  virtual void Answer(const Responder& responder) = 0;
};

// A Delivery says how an answer goes out. The default is the honest way; the rest is for playing a
// bad server.
struct Delivery {
  enum class End {
    kKeep,   // keep-alive, as HTTP has it
    kClose,  // an orderly close (FIN)
    kReset,  // an abortive one (RST)
    kHang,   // silence until the peer leaves
  };
  static constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

  Duration delay{0};               // before the first byte
  std::uint64_t cut_after = kAll;  // bytes of head and body that go out; then `end`
  End end = End::kKeep;
  std::size_t piece_bytes = 0;                  // 0: as fast as the peer reads; else so many bytes…
  Duration piece_interval{0};                   // …each so long after the last
  std::optional<std::uint64_t> claimed_length;  // Content-Length, if not the truth
};

}  // namespace gateway::http
