// The kill switch for money: a file whose presence stops new submits.
//
// A file, because it outlives the process, needs no client, and works while nothing else does:
// `touch STATE_DIR/stop-submits` stops, `rm` allows again, within a second. Jobs already
// submitted go on, and an equal retry of a submit still gets its job. If it cannot be told whether
// the file is there, submits are stopped too: money is not spent on a guess.
//
// Looked at before the constructor returns and then once a second, on the thread of the timers.
#pragma once

#include <filesystem>

#include "base/clock.h"
#include "base/next_call.h"
#include "jobs/spending.h"

namespace gateway::app {

inline constexpr char kStopFileName[] = "stop-submits";

class StopFile {
 public:
  // What is passed in must outlive this.
  StopFile(std::filesystem::path path, jobs::Spending& spending, const Clock& clock,
           Timers& timers);
  StopFile(const StopFile&) = delete;
  StopFile& operator=(const StopFile&) = delete;

  // Looks no more. The switch stays as it is.
  void Stop() { next_.Stop(); }

 private:
  void Look();

  const std::filesystem::path path_;
  jobs::Spending& spending_;
  const Clock& clock_;
  NextCall next_;
};

}  // namespace gateway::app
