// Progress shows the progress of jobs on stderr: one live line for each job on a terminal, a few
// plain lines elsewhere.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "live_block.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

// Where stderr is no terminal there is room for a long line, and one is written now and then.
inline constexpr int kPlainColumns = 1000;
inline constexpr std::chrono::seconds kPlainEvery{10};

// `render 01hx…  RUNNING  [#####-----]  42 %  1m05s  ~2m05s left  Rendering scenes`, in so many
// columns. Where they are too few the id is shortened and then left out, next the bar, then the
// kind and the times. Pure.
std::string ProgressLine(const Job& job, absl::Time now, int columns);

// Not thread-safe: one thread draws.
class Progress {
 public:
  enum class Mode { kNone, kPlain, kLive };

  Progress(Mode mode, Screen screen);

  bool shown() const { return mode_ != Mode::kNone; }

  void Update(const Job& job, absl::Time now);
  // A remark that stays, of one line or more.
  void Note(const std::string& text, absl::Time now);
  // Redraws, for the time that passed.
  void Tick(absl::Time now);
  // Leaves what is shown as it is. It is called before anything else is written.
  void End(absl::Time now);

 private:
  struct Shown {
    Job job;
    // Of the last plain line.
    absl::Time told = absl::InfinitePast();
    JobState told_state = JobState::JOB_STATE_UNSPECIFIED;
    int told_revision = 0;
  };

  // A line if the state is another than the one told last, or else now and then.
  void TellPlainly(Shown& one, absl::Time now);
  void Draw(absl::Time now, const std::string& above);

  const Mode mode_;
  const Screen screen_;
  LiveBlock block_;
  std::vector<Shown> jobs_;
};

}  // namespace pictory_jobs::cli
