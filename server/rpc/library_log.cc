#include "rpc/library_log.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/errors.h"
#include "base/library_lines.h"
#include "base/limits.h"
#include "obs/line_limit.h"
#include "obs/log.h"

namespace gateway::rpc {
namespace {

using obs::Level;

void Write(Level level, const LibraryLine& line) {
  std::string_view name = line.file;
  name = name.substr(name.rfind('/') + 1);  // all of it where there is no slash
  obs::Log(level, line.last ? "library_failed" : "library",
           {{"library", line.library},
            {"text", errors::Clean(line.text)},
            {"at", errors::Clean(std::string(name) + ":" + std::to_string(line.line))}});
}

void Take(const LibraryLine& line) {
  if (line.last) {
    Write(Level::kError, line);
    obs::StopLog();  // at once, because what is queued would go with the process
    return;
  }
  static obs::LineLimit limit(limits::kForeignLinesMax, limits::kForeignLinesWindow);
  const std::optional<std::uint64_t> suppressed = limit.Admit(std::chrono::steady_clock::now());
  if (!suppressed.has_value()) return;
  if (*suppressed > 0) obs::Log(Level::kWarn, "library_lines_suppressed", {{"lines", *suppressed}});
  // What gRPC calls an error is mostly a peer's fault. protobuf writes one for every broken string
  // that a caller sends, and the caller is told of it anyway.
  Write(line.library == "grpc" && line.error ? Level::kWarn : Level::kDebug, line);
}

}  // namespace

void TakeLibraryLogs() { TakeLibraryLines(Take); }

}  // namespace gateway::rpc
