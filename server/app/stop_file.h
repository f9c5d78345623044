// A StopFile is the kill switch for money: while the file is there, new submits are stopped.
//
// The switch is a file because a file outlives the process, needs no client, and works while
// nothing else does: `touch STATE_DIR/stop-submits` stops, `rm` allows again, within a second. Jobs
// already submitted go on, and an equal retry of a submit still gets its job. If it cannot be told
// whether the file is there, submits are stopped too: money is not spent on a guess.
//
// Where several gateways share a store, the store is told, so that the file of one of them stops
// the submits of all.
//
// The file is looked for before the constructor returns and then once a second, on the thread of
// the timers.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/next_call.h"
#include "jobs/spending.h"

namespace gateway::app {

inline constexpr char kStopFileName[] = "stop-submits";

class StopFile {
 public:
  // Tells the store (jobs::Sharing::SetStopped).
  using Tell = std::function<void(bool stopped, std::function<void(absl::Status)> done)>;

  // What is passed in must outlive the StopFile. `tell` may be empty: nobody else is to be stopped.
  StopFile(std::filesystem::path path, jobs::Spending& spending, const Clock& clock, Timers& timers,
           Tell tell = nullptr);
  StopFile(const StopFile&) = delete;
  StopFile& operator=(const StopFile&) = delete;

  // After it the StopFile looks no more, and the switch stays as it is.
  void Stop() { next_.Stop(); }

 private:
  struct Told;

  void Look();
  // Tells the store what it has not taken yet.
  void TellStore(bool stopped);

  const std::filesystem::path path_;
  jobs::Spending& spending_;
  const Clock& clock_;
  const Tell tell_;
  const std::shared_ptr<Told> told_;  // the store may answer when this is gone
  NextCall next_;
};

}  // namespace gateway::app
