#include "app/secret_watch.h"
#include "base/limits.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "obs/log.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

bool IsPipe(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_fifo(path, ignored);
}

}  // namespace

SecretWatch::SecretWatch(SecretOrigin file, Secret present, std::function<void(Secret)> replaced,
                         const Clock& clock, Timers& timers)
    : file_(std::move(file)),
      replaced_(std::move(replaced)),
      clock_(clock),
      present_(std::move(present)),
      next_(timers) {
  if (!IsPipe(file_.path)) Again();
}

void SecretWatch::Again() {
  next_.At(clock_.Now() + limits::kSecretLookInterval, [this] {
    Look();
    Again();
  });
}

SecretWatch::Found SecretWatch::Look() {
  if (IsPipe(file_.path)) return Found::kSame;  // reading it would wait for a writer
  absl::StatusOr<Secret> read = ReadSecretFile(file_.flag, file_.path);
  std::optional<Secret> secret;
  {
    MutexLock lock(mutex_);
    Note(read.ok() ? "" : std::string(read.status().message()));
    if (!read.ok()) return Found::kUnusable;
    if (*read == present_) return Found::kSame;
    present_ = *read;
    secret = *std::move(read);
  }
  Log(Level::kInfo, "secret_replaced", {{"flag", file_.flag}, {"file", file_.path}});
  replaced_(*std::move(secret));
  return Found::kReplaced;
}

void SecretWatch::Note(const std::string& trouble) {
  if (std::exchange(trouble_, trouble) == trouble) return;
  if (trouble.empty()) return Log(Level::kInfo, "secret_readable", {{"file", file_.path}});
  Log(Level::kError, "secret_kept",
      {{"reason", trouble},
       {"advice",
        "the secret read before stays in use; put the file right, it is read again every few "
        "seconds"}});
}

}  // namespace gateway::app
