#include "admin/admin_server.h"

#include <utility>

#include "base/limits.h"

namespace gateway::admin {
namespace {

constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kExposition = "text/plain; version=0.0.4; charset=utf-8";

http::ServerResponse Probe(const std::function<std::string()>& why_not) {
  const std::string why = why_not ? why_not() : "";
  return why.empty() ? http::TextResponse(200, kPlain, "ok\n")
                     : http::TextResponse(503, kPlain, why + "\n");
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(
    const std::string& address, std::uint16_t port, obs::Metrics& metrics, Probes probes,
    std::vector<std::string> host_names) {
  http::ServerOptions options;
  options.name = "admin listener";
  options.address = address;
  options.port = port;
  options.max_connections = limits::kAdminConnectionsMax;
  options.max_header_bytes = limits::kAdminHeadersMaxBytes;
  options.max_body_bytes = limits::kAdminBodyMaxBytes;
  options.read_timeout = limits::kAdminReadTimeout;
  options.write_timeout = limits::kAdminWriteTimeout;
  options.idle_timeout = limits::kAdminIdleTimeout;
  options.host_names = std::move(host_names);
  absl::StatusOr<std::unique_ptr<http::Server>> server = http::Server::Listen(std::move(options));
  if (!server.ok()) return server.status();
  return std::unique_ptr<AdminServer>(
      new AdminServer(*std::move(server), metrics, std::move(probes)));
}

AdminServer::AdminServer(std::unique_ptr<http::Server> server, obs::Metrics& metrics, Probes probes)
    : metrics_(metrics), probes_(std::move(probes)), server_(std::move(server)) {
  server_->Serve([this](http::ServerRequest request, http::Responder responder) {
    responder.Send(Answer(request));
  });
}

http::ServerResponse AdminServer::Answer(const http::ServerRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    return http::TextResponse(405, kPlain, "only GET\n");
  }
  if (request.path == "/livez") return Probe(probes_.not_live);
  if (request.path == "/readyz") {
    return ready_ ? Probe(probes_.not_ready)
                  : http::TextResponse(503, kPlain, "starting or draining\n");
  }
  if (request.path == "/metrics") return http::TextResponse(200, kExposition, metrics_.Render());
  return http::TextResponse(404, kPlain, "/livez, /readyz and /metrics are here\n");
}

}  // namespace gateway::admin
