#include "library_lines.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/errors.h"
#include "base/library_lines.h"
#include "standard_streams.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kLinesMax = 20;  // of one run, unless somebody asked for more

// Lines about TLS, which say in the words of the library what the call's own error says.
bool IsAboutTls(std::string_view file) {
  for (const std::string_view part : {"/tsi/", "/security/", "chttp2_connector"}) {
    if (file.find(part) != file.npos) return true;
  }
  return false;
}

// protobuf would write of text that is not UTF-8; the gateway's answer says it better.
void Take(const gateway::LibraryLine& line) {
  static std::atomic<int> written{0};
  const bool asked_for = std::getenv("GRPC_VERBOSITY") != nullptr;
  if (line.library != "grpc" || (!asked_for && (!line.error || IsAboutTls(line.file)))) return;
  if (!asked_for && written.fetch_add(1) >= kLinesMax) return;
  WriteAll(STDERR_FILENO, "pictory: gRPC: " + gateway::errors::Clean(line.text) + "\n");
}

}  // namespace

void CleanLibraryLines() { gateway::TakeLibraryLines(Take); }

}  // namespace pictory_jobs::cli
