#include "base/library_lines.h"

#if __has_include(<google/protobuf/stubs/logging.h>)
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <atomic>
#include <string>
#else
#include <mutex>

#include "absl/log/globals.h"
#include "absl/log/initialize.h"
#include "absl/log/log_entry.h"
#include "absl/log/log_sink.h"
#include "absl/log/log_sink_registry.h"
#endif

namespace gateway {
namespace {

#if __has_include(<google/protobuf/stubs/logging.h>)

// The words with which gRPC tells of a fault of its own, before it ends the process.
constexpr std::string_view kAssertion = "assertion failed";

std::atomic<void (*)(const LibraryLine&)> taker = nullptr;

void Give(const LibraryLine& line) {
  if (const auto take = taker.load()) take(line);
}

void OnGrpcLine(gpr_log_func_args* args) {
  const std::string_view text(args->message);
  Give({.library = "grpc",
        .error = args->severity == GPR_LOG_SEVERITY_ERROR,
        .last = text.substr(0, kAssertion.size()) == kAssertion,
        .file = args->file == nullptr ? "" : args->file,
        .line = args->line,
        .text = text});
}

void OnProtobufLine(google::protobuf::LogLevel severity, const char* file, int line,
                    const std::string& text) {
  Give({.library = "protobuf",
        .error = severity >= google::protobuf::LOGLEVEL_ERROR,
        .last = severity == google::protobuf::LOGLEVEL_FATAL,
        .file = file,
        .line = line,
        .text = text});
}

#else

class Sink final : public absl::LogSink {
 public:
  void Send(const absl::LogEntry& entry) override {
    const std::string_view file = entry.source_filename();
    take({.library = file.find("protobuf") == std::string_view::npos ? "grpc" : "protobuf",
          .error = entry.log_severity() >= absl::LogSeverity::kError,
          .last = entry.log_severity() == absl::LogSeverity::kFatal,
          .file = file,
          .line = entry.source_line(),
          .text = entry.text_message()});
  }

  void (*take)(const LibraryLine&) = nullptr;
};

#endif

}  // namespace

#if __has_include(<google/protobuf/stubs/logging.h>)

void TakeLibraryLines(void (*take)(const LibraryLine&)) {
  taker = take;
  gpr_log_verbosity_init();  // before the library does it itself, it would say nothing
  gpr_set_log_function(take == nullptr ? nullptr : OnGrpcLine);
  google::protobuf::SetLogHandler(take == nullptr ? nullptr : OnProtobufLine);
}

#else

void TakeLibraryLines(void (*take)(const LibraryLine&)) {
  static auto& sink = *new Sink;  // threads of the libraries may write until the very end
  static std::once_flag once;
  std::call_once(once, [] { absl::InitializeLog(); });  // without it all of it goes to stderr
  if (sink.take != nullptr) absl::RemoveLogSink(&sink);
  sink.take = take;
  if (take != nullptr) absl::AddLogSink(&sink);
  absl::SetStderrThreshold(take == nullptr ? absl::LogSeverityAtLeast::kInfo
                                           : absl::LogSeverityAtLeast::kInfinity);
}

#endif

}  // namespace gateway
