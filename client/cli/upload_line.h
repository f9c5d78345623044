// The progress of an upload on stderr: a live line on a terminal, a line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "progress.h"

namespace pictory_jobs::cli {

// `talk.mp4  [####-----]  20 %  40.0 MB of 200.0 MB  3.1 MB/s`, in so many columns. Pure.
std::string UploadText(const std::string& name, std::int64_t done, std::int64_t total,
                       double bytes_per_second, int columns);

// Not thread-safe.
class UploadLine {
 public:
  using Time = std::chrono::steady_clock::time_point;

  UploadLine(Progress::Mode mode, std::string name, std::int64_t total, Time begin,
             Progress::Write write);

  void Update(std::int64_t done, Time now);
  // A remark that stays.
  void Note(const std::string& text);
  // Takes the live line away.
  void End();
  // `talk.mp4  200.0 MB in 1m05s, 3.1 MB/s`, after End.
  void Summary(Time now);

 private:
  double Speed() const;

  const Progress::Mode mode_;
  const std::string name_;
  const std::int64_t total_;
  const Time begin_;
  const Progress::Write write_;
  std::deque<std::pair<Time, std::int64_t>> recent_;  // the oldest is some seconds old
  Time shown_;
  bool drawn_ = false;
};

}  // namespace pictory_jobs::cli
