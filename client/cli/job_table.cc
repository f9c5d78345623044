#include "job_table.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "estimate_words.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr std::size_t kStateColumn = 2;

absl::Time CreatedAt(const Job& job) {
  return absl::FromUnixSeconds(job.create_time().seconds()) +
         absl::Nanoseconds(job.create_time().nanos());
}

std::string LabelsOf(const Job& job) {
  std::string labels;
  for (const auto& [key, value] :
       std::map<std::string, std::string>(job.labels().begin(), job.labels().end())) {
    absl::StrAppend(&labels, labels.empty() ? "" : " ", OneLine(key), "=", OneLine(value));
  }
  return labels;
}

std::string AgeOf(const Job& job, absl::Time now) {
  return Elapsed(std::chrono::seconds(absl::ToInt64Seconds(now - CreatedAt(job))));
}

std::string OrDash(std::string text) { return text.empty() ? "-" : text; }

}  // namespace

JobTable::Cells JobTable::Head() const {
  if (!wide_) return {"JOB", "KIND", "STATE", "DONE", "LEFT", "AGE", "NAME", "LABELS"};
  return {"JOB",     "KIND",       "STATE",      "DONE", "LEFT",   "AGE",
          "CREATED", "PICTORY ID", "REQUEST ID", "NAME", "LABELS", "MESSAGE"};
}

JobTable::Cells JobTable::CellsOf(const Job& job, absl::Time now) const {
  Cells cells = {OneLine(job.job_id()),
                 KindWord(job.kind()),
                 StateWord(job.state()),
                 job.has_progress_percent() ? Number(job.progress_percent()) + " %" : "-",
                 OrDash(EstimateWords(job, now)),
                 AgeOf(job, now)};
  if (!wide_) {
    cells.push_back(OrDash(OneLine(job.name())));
    cells.push_back(LabelsOf(job));
    return cells;
  }
  cells.push_back(absl::FormatTime("%Y-%m-%d %H:%M:%S", CreatedAt(job), zone_));
  cells.push_back(OrDash(OneLine(job.pictory_job_id())));
  cells.push_back(OrDash(OneLine(job.request_id())));
  cells.push_back(OrDash(OneLine(job.name())));
  cells.push_back(OrDash(LabelsOf(job)));
  cells.push_back(InCommands(OneLine(job.has_error() ? job.error().message() : job.message())));
  return cells;
}

void JobTable::Append(const Cells& cells, Hue state, Pieces& out) const {
  std::size_t last = cells.size();
  while (last > 0 && cells[last - 1].empty()) --last;  // no blanks at the end of a line
  for (std::size_t i = 0; i < last; ++i) {
    const std::string cell = i + 1 == last ? cells[i] : Pad(cells[i], widths_[i]) + "  ";
    out.push_back({cell, i == kStateColumn ? state : Hue::kNone});
  }
  out.push_back({"\n"});
}

Pieces JobTable::Whole(const std::vector<Job>& jobs, absl::Time now) {
  std::vector<Cells> rows = {Head()};
  for (const Job& job : jobs) rows.push_back(CellsOf(job, now));
  widths_.assign(rows.front().size(), 0);
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], Columns(row[i]));
  }
  Pieces out;
  Append(rows[0], Hue::kNone, out);
  for (std::size_t i = 0; i < jobs.size(); ++i) Append(rows[i + 1], HueOf(jobs[i].state()), out);
  return out;
}

Pieces JobTable::Line(const Job& job, absl::Time now) const {
  Pieces out;
  Append(CellsOf(job, now), HueOf(job.state()), out);
  return out;
}

std::string JobLine(const Job& job, absl::Time now) {
  const std::string labels = LabelsOf(job);
  return absl::StrCat(KindWord(job.kind()), " ", StateWord(job.state()),
                      job.has_progress_percent() ? " " + Number(job.progress_percent()) + " %" : "",
                      ", ", AgeOf(job, now), job.name().empty() ? "" : ", ", OneLine(job.name()),
                      labels.empty() ? "" : ", ", labels);
}

}  // namespace pictory_jobs::cli
