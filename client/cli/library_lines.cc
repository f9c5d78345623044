#include "library_lines.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "base/errors.h"
#include "standard_streams.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kLinesMax = 20;  // of one run, unless somebody asked for more

void OnGrpcLine(gpr_log_func_args* args) {
  static std::atomic<int> written{0};
  if (std::getenv("GRPC_VERBOSITY") == nullptr && written.fetch_add(1) >= kLinesMax) return;
  WriteAll(STDERR_FILENO, "pictory: gRPC: " + gateway::errors::Clean(args->message) + "\n");
}

}  // namespace

void CleanLibraryLines() {
  gpr_log_verbosity_init();  // before the library does it itself, it would say nothing
  gpr_set_log_function(OnGrpcLine);
  // protobuf would write a line about text that is not UTF-8; the gateway's answer says it better.
  google::protobuf::SetLogHandler(nullptr);
}

}  // namespace pictory_jobs::cli
