// A JobTable writes jobs as lines of a table. Pure; not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "paint.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

class JobTable {
 public:
  // A wide one has times, in `zone`, and all ids.
  explicit JobTable(bool wide, absl::TimeZone zone = absl::LocalTimeZone())
      : wide_(wide), zone_(zone) {}

  // A head line and a line for each job.
  Pieces Whole(const std::vector<Job>& jobs, absl::Time now);
  // A line for a job that has come later, below the columns that there are.
  Pieces Line(const Job& job, absl::Time now) const;

 private:
  using Cells = std::vector<std::string>;
  Cells Head() const;
  Cells CellsOf(const Job& job, absl::Time now) const;
  void Append(const Cells& cells, Hue state, Pieces& out) const;

  const bool wide_;
  const absl::TimeZone zone_;
  std::vector<int> widths_;
};

// What a job is, on one line without its id: `render RUNNING 42 %, 3m05s, team=news`.
std::string JobLine(const Job& job, absl::Time now);

}  // namespace pictory_jobs::cli
