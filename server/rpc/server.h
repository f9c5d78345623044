// The Server is the gRPC server: its listeners, its services, its start and its end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/limits.h"
#include "grpcpp/channel.h"
#include "rpc/admission.h"
#include "rpc/handlers.h"
#include "rpc/inside_calls.h"
#include "rpc/intake.h"
#include "rpc/jobs_service.h"
#include "rpc/listener.h"
#include "rpc/tls_keys.h"

namespace gateway::rpc {

struct ServerOptions {
  std::vector<Listener> listeners;
  std::shared_ptr<TlsKeys> tls;  // null only if all listeners are plain
  bool reflection = true;
  AdmissionLimits admission{};
  WatchLimits watches{};
  int concurrent_streams = limits::kConcurrentStreamsMax;  // a connection
  // How many files the process may have open when it accepts a connection; 0: a part of its limit.
  int connection_files_max = 0;
  std::size_t request_max_bytes = limits::kRequestMaxBytes;
  // Bounds requests that arrive. How many bytes of memory the process may use is among them, and
  // counts for the answers too.
  IntakeLimits intake{};
  Duration unread_patience =
      limits::kWriteStuckAfter;  // of an answer that its caller does not take
  Duration max_connection_age = std::chrono::minutes(30);  // the library adds or takes up to 10 %
  // Over which a drain ends the streams, at most half of its deadline.
  Duration drain_spread = std::chrono::seconds(5);
};

class Server {
 public:
  // Listening when it returns, but NOT_SERVING until SetServing. An address that cannot be used is
  // named, with the reason. What `domain` refers to must outlive the server.
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options, Domain domain);
  // Cancels what is open, unless Drain was called before.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Looks at once whether those who watch still may; to be called when domain.callers has changed.
  void RecheckWatches();

  // What health answers, for the empty name and the service's.
  void SetServing(bool serving);
  // Whether the service can do what it is for: health tells it for the service's name. The empty
  // name, which liveness checks ask for, says only whether this server serves.
  void SetUsable(bool usable);

  // Says NOT_SERVING, takes no new paid or long calls, ends streams and lets running calls finish.
  // What is open at `deadline` from now is cancelled. Blocks until all is over. Only the first call
  // counts.
  void Drain(Duration deadline);

  // For calls that this process makes itself (rpc/inside_calls.h): they are served as all others,
  // and end with Drain as they do.
  std::shared_ptr<grpc::Channel> InsideChannel() const;
  InsideCalls& inside_calls() const;

  // The port of each listener, in their order; 0 for unix sockets.
  const std::vector<int>& ports() const { return ports_; }
  // The same as text that a client can dial, with the real port where 0 was asked for.
  std::vector<std::string> addresses() const;
  // Where this process reaches each of the sockets it listens on: host:port with a numeric host, or
  // unix:path, behind `https://` where it listens with TLS.
  const std::vector<std::string>& dial_addresses() const;
  // Connections so far; those refused are not among the accepted.
  std::uint64_t accepted_connections() const;
  std::uint64_t refused_connections() const;
  // Of the refused, those whose address had too many.
  std::uint64_t address_refused_connections() const;
  // Calls so far that one of the library's threads has brought.
  std::uint64_t begun_calls() const;
  int open_calls() const;
  int open_watches() const;
  // Requests that have begun and are not here yet.
  std::size_t arriving_requests() const;
  // Answers that are ready and not taken yet.
  std::size_t unread_answers() const;
  // Bytes of large answers that are being made or not taken yet.
  std::size_t large_answer_bytes() const;
  // Calls ended so far because nobody took their answer.
  std::uint64_t unread_ended() const;

 private:
  struct Parts;
  Server(ServerOptions options, Domain domain);
  absl::Status Listen();

  const ServerOptions options_;
  Domain domain_;
  std::unique_ptr<Parts> parts_;
  std::vector<int> ports_;
};

}  // namespace gateway::rpc
