// The Face serves the API's methods over HTTP/JSON, for callers without gRPC: where the .proto
// declares them (pictory/jobs/v1/annotations.proto), by the gateway's own gRPC methods
// (face/inside_call.h). It knows no method by its name.
//
// Pages in browsers may call it only where they are allowed to (face/web_guard.h), and the board,
// which is served at / (face/board_answer.h). /openapi.json says what there is.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/limits.h"
#include "face/web_guard.h"
#include "google/protobuf/descriptor.h"
#include "http/server_tls.h"
#include "rpc/listener.h"
#include "rpc/server.h"

namespace gateway::face {

struct FaceOptions {
  std::vector<rpc::Listener> listeners;
  std::shared_ptr<http::ServerTls> tls;     // for the listeners with TLS
  std::shared_ptr<http::ServerTls> mutual;  // for those that ask for a certificate too
  WebRules rules;
  std::string tenant_header;  // that proxies set; "" if there is none
  std::size_t body_max_bytes = limits::kRequestMaxBytes;
  std::size_t connections_max = limits::kFaceConnectionsMax;  // of all listeners together
  // Of a whole request; the call that it is made into refuses it before.
  Duration read_timeout = limits::kRequestArrivalMax + Duration(limits::kFaceArrivalGrace);
  Duration write_timeout = limits::kWriteStuckAfter;  // of an answer, or a piece of a stream
  Duration half_closed_max = limits::kHalfClosedMax;  // see http::ServerOptions
  // Is told of what was refused before a method was called, for the log. Null: nobody wants to
  // know.
  std::function<void(const absl::Status& status, const std::string& peer)> refused{};
};

class Face {
 public:
  // Listening when it returns. An address that cannot be used is named, with the reason. `server`
  // must outlive the Face.
  static absl::StatusOr<std::unique_ptr<Face>> Start(FaceOptions options, rpc::Server& server);
  ~Face();
  Face(const Face&) = delete;
  Face& operator=(const Face&) = delete;

  // Takes no new connections, and tells callers from now on that the gateway drains, where the
  // library would have words of its own. To be called before the server's Drain.
  void Drain();
  // Lets answers that are on their way go out, for so long at most, and ends. To be called after
  // it.
  void Finish(Duration patience);

  // Of each listener, as a client takes it: `http://127.0.0.1:8080`, `https://…`, `unix:/path`.
  std::vector<std::string> addresses() const;
  std::uint64_t connections_open() const;

 private:
  struct Parts;
  explicit Face(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::face
