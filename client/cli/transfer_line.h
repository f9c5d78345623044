// A TransferLine shows the progress of an upload or a download on stderr: a live line on a
// terminal, a line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "live_block.h"
#include "progress.h"

namespace pictory_jobs::cli {

// `talk.mp4  [####-----]  20 %  40.0 MB of 200.0 MB  3.1 MB/s`, in so many columns. Where they are
// too few the name is cut and then left out, next the bar, then the speed and the bytes. A `total`
// of 0 is not known. Pure.
std::string TransferText(const std::string& name, std::int64_t done, std::int64_t total,
                         double bytes_per_second, int columns);

// Not thread-safe.
class TransferLine {
 public:
  using Time = std::chrono::steady_clock::time_point;

  TransferLine(Progress::Mode mode, std::string name, Time begin, Screen screen);

  void Update(std::int64_t done, std::int64_t total, Time now);
  // Writes a remark that stays.
  void Note(const std::string& text);
  // Takes the live line away.
  void End();
  // `talk.mp4  200.0 MB in 1m05s, 3.1 MB/s`, after End.
  void Summary(std::int64_t bytes, Time now);

 private:
  double Speed() const;

  const Progress::Mode mode_;
  const std::string name_;
  const Time begin_;
  const Screen screen_;
  LiveBlock block_;
  std::deque<std::pair<Time, std::int64_t>> recent_;  // the oldest is some seconds old
  Time shown_;
};

}  // namespace pictory_jobs::cli
