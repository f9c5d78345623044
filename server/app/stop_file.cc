#include "app/stop_file.h"
#include "base/limits.h"

#include <system_error>
#include <utility>

#include "obs/log.h"

namespace gateway::app {
StopFile::StopFile(std::filesystem::path path, jobs::Spending& spending, const Clock& clock,
                   Timers& timers)
    : path_(std::move(path)), spending_(spending), clock_(clock), next_(timers) {
  Look();
}

void StopFile::Look() {
  std::error_code failed;
  // A link that leads nowhere is there, too.
  const std::filesystem::file_status found = std::filesystem::symlink_status(path_, failed);
  const bool there = std::filesystem::exists(found);
  if (found.type() == std::filesystem::file_type::not_found) failed.clear();
  const bool stopped = there || failed;
  if (stopped != spending_.stopped()) {
    spending_.SetStopped(stopped);
    obs::Log(stopped ? obs::Level::kWarn : obs::Level::kInfo,
             stopped ? "submits_stopped" : "submits_allowed",
             {{"file", path_.string()},
              {"note", failed    ? "the file cannot be looked for: " + failed.message()
                       : stopped ? "new submits are refused until the file is removed"
                                 : "the file is gone"}});
  }
  next_.At(clock_.Now() + limits::kStopFileLookInterval, [this] { Look(); });
}

}  // namespace gateway::app
