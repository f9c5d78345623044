// ListenAsBefore listens on the port of the last time, so that links which were given out stay
// good.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"
#include "http/server.h"

namespace gateway::sandbox {

struct KeptPort {
  std::unique_ptr<http::Server> server;
  std::uint16_t lost = 0;  // the port of the last time, if it could not be had again
};

// With port 0 in `options` it listens on the port that the file `note` names, else on any free one,
// which `note` names from then on. With another port, or without a note, it listens as `options`
// say.
absl::StatusOr<KeptPort> ListenAsBefore(http::ServerOptions options,
                                        const std::filesystem::path& note);

}  // namespace gateway::sandbox
