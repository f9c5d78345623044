// The progress of jobs on stderr: one live line a job on a terminal, one line a change elsewhere.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

// `render 01hx…  RUNNING  [#####-----]  42 %  1m05s  Rendering scenes`, in so many columns. Pure.
std::string ProgressLine(const Job& job, absl::Time now, int columns);

// Not thread-safe: one thread draws.
class Progress {
 public:
  enum class Mode { kNone, kPlain, kLive };
  using Write = std::function<void(const std::string&)>;

  // At most `rows` lines are kept live; `columns` is the width of the terminal.
  Progress(Mode mode, int columns, int rows, Write write);

  bool shown() const { return mode_ != Mode::kNone; }

  void Update(const Job& job, absl::Time now);
  // A remark that stays, of one line or more.
  void Note(const std::string& text, absl::Time now);
  // Redraws, for the time that passed.
  void Tick(absl::Time now);

 private:
  // Moves up over the lines drawn last.
  std::string Back();
  void Draw(absl::Time now, const std::string& above);

  const Mode mode_;
  const int columns_;
  const int rows_;
  const Write write_;
  std::vector<Job> jobs_;
  int drawn_ = 0;
};

}  // namespace pictory_jobs::cli
