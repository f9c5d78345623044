// A StopFile is the kill switch for money: while the file is there, new submits are stopped.
//
// The switch is a file because a file outlives the process, needs no client, and works while
// nothing else does: `touch STATE_DIR/stop-submits` stops, `rm` allows again, within a second. Jobs
// already submitted go on, and an equal retry of a submit still gets its job. If it cannot be told
// whether the file is there, submits are stopped too: money is not spent on a guess.
//
// The file is looked for before the constructor returns and then once a second, on the thread of
// the timers.
#pragma once

#include <filesystem>

#include "base/clock.h"
#include "base/next_call.h"
#include "jobs/spending.h"

namespace gateway::app {

inline constexpr char kStopFileName[] = "stop-submits";

class StopFile {
 public:
  // What is passed in must outlive the StopFile.
  StopFile(std::filesystem::path path, jobs::Spending& spending, const Clock& clock,
           Timers& timers);
  StopFile(const StopFile&) = delete;
  StopFile& operator=(const StopFile&) = delete;

  // After it the StopFile looks no more, and the switch stays as it is.
  void Stop() { next_.Stop(); }

 private:
  void Look();

  const std::filesystem::path path_;
  jobs::Spending& spending_;
  const Clock& clock_;
  NextCall next_;
};

}  // namespace gateway::app
