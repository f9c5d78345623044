#include "sandbox/kept_port.h"

#include <fstream>
#include <utility>

#include "base/own_file.h"

namespace gateway::sandbox {
namespace {

std::uint16_t Read(const std::filesystem::path& note) {
  int port = 0;
  return std::ifstream(note) >> port && port > 0 && port <= 65535 ? static_cast<std::uint16_t>(port)
                                                                  : 0;
}

}  // namespace

absl::StatusOr<KeptPort> ListenAsBefore(http::ServerOptions options,
                                        const std::filesystem::path& note) {
  KeptPort kept;
  const bool keeps = options.port == 0 && !note.empty();
  if (keeps) options.port = Read(note);
  auto server = http::Server::Listen(options);
  if (!server.ok() && keeps && options.port != 0) {
    kept.lost = std::exchange(options.port, std::uint16_t{0});
    server = http::Server::Listen(options);
  }
  if (!server.ok()) return server.status();
  kept.server = *std::move(server);
  if (keeps && CheckOwnFile(note.string()).ok())
    std::ofstream(note, std::ios::trunc) << kept.server->port() << "\n";
  return kept;
}

}  // namespace gateway::sandbox
