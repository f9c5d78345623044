#include "app/stop_file.h"

#include <optional>
#include <system_error>
#include <utility>

#include "base/limits.h"
#include "base/mutex.h"
#include "obs/log.h"

namespace gateway::app {

struct StopFile::Told {
  Mutex mutex;
  std::optional<bool> taken GUARDED_BY(mutex);  // what the store has taken
  bool busy GUARDED_BY(mutex) = false;          // it is being told
};

StopFile::StopFile(std::filesystem::path path, jobs::Spending& spending, const Clock& clock,
                   Timers& timers, Tell tell)
    : path_(std::move(path)),
      spending_(spending),
      clock_(clock),
      tell_(std::move(tell)),
      told_(std::make_shared<Told>()),
      next_(timers) {
  Look();
}

void StopFile::TellStore(bool stopped) {
  {
    MutexLock lock(told_->mutex);
    if (told_->busy || told_->taken == stopped) return;
    told_->busy = true;
  }
  tell_(stopped, [told = told_, stopped](const absl::Status& taken) {
    MutexLock lock(told->mutex);
    told->busy = false;
    if (taken.ok()) told->taken = stopped;
  });
}

void StopFile::Look() {
  std::error_code failed;
  // A link that leads nowhere is there, too.
  const std::filesystem::file_status found = std::filesystem::symlink_status(path_, failed);
  const bool there = std::filesystem::exists(found);
  if (found.type() == std::filesystem::file_type::not_found) failed.clear();
  const bool stopped = there || failed;
  if (stopped != spending_.stopped_here()) {
    spending_.SetStopped(stopped);
    obs::Log(stopped ? obs::Level::kWarn : obs::Level::kInfo,
             stopped ? "submits_stopped" : "submits_allowed",
             {{"file", path_.string()},
              {"note", failed    ? "the file cannot be looked for: " + failed.message()
                       : stopped ? "new submits are refused until the file is removed"
                                 : "the file is gone"}});
  }
  if (tell_) TellStore(stopped);
  next_.At(clock_.Now() + limits::kStopFileLookInterval, [this] { Look(); });
}

}  // namespace gateway::app
