#include "rpc/library_log.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/errors.h"
#include "base/limits.h"
#include "obs/line_limit.h"
#include "obs/log.h"

namespace gateway::rpc {
namespace {

using obs::Level;

// The words with which the library tells of a fault of its own, before it ends the process.
constexpr std::string_view kAssertion = "assertion failed";

void Line(std::string_view library, Level level, const char* file, int line,
          std::string_view text) {
  static obs::LineLimit limit(limits::kForeignLinesMax, limits::kForeignLinesWindow);
  const std::optional<std::uint64_t> suppressed = limit.Admit(std::chrono::steady_clock::now());
  if (!suppressed.has_value()) return;
  if (*suppressed > 0) obs::Log(Level::kWarn, "library_lines_suppressed", {{"lines", *suppressed}});
  std::string_view name(file == nullptr ? "" : file);
  name = name.substr(name.rfind('/') + 1);  // all of it where there is no slash
  obs::Log(level, "library",
           {{"library", library},
            {"text", errors::Clean(text)},
            {"at", errors::Clean(std::string(name) + ":" + std::to_string(line))}});
}

// Writes the last line at once, because the process ends next and what is queued would go with it.
void LastLine(std::string_view library, const char* file, int line, std::string_view text) {
  obs::Log(Level::kError, "library_failed",
           {{"library", library},
            {"text", errors::Clean(text)},
            {"at", errors::Clean(std::string(file) + ":" + std::to_string(line))}});
  obs::StopLog();
}

void OnGrpcLine(gpr_log_func_args* args) {
  const std::string_view text(args->message);
  if (text.substr(0, kAssertion.size()) == kAssertion) {
    return LastLine("grpc", args->file, args->line, text);
  }
  // What the library calls an error is mostly a peer's fault.
  const Level level = args->severity == GPR_LOG_SEVERITY_ERROR ? Level::kWarn : Level::kDebug;
  Line("grpc", level, args->file, args->line, text);
}

// protobuf writes a line for every broken string that a caller sends; the caller is told of it
// anyway.
void OnProtobufLine(google::protobuf::LogLevel severity, const char* file, int line,
                    const std::string& text) {
  if (severity == google::protobuf::LOGLEVEL_FATAL) return LastLine("protobuf", file, line, text);
  Line("protobuf", Level::kDebug, file, line, text);
}

}  // namespace

void TakeLibraryLogs() {
  gpr_log_verbosity_init();  // before the library does it itself, it would say nothing
  gpr_set_log_function(OnGrpcLine);
  google::protobuf::SetLogHandler(OnProtobufLine);
}

}  // namespace gateway::rpc
