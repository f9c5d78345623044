// `pictory list`.
#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "chosen_jobs.h"
#include "job_table.h"
#include "json_text.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kPageMax = 1000;
constexpr int kPageOfAll = 500;
constexpr std::chrono::seconds kWatchEvery{2};

std::string NoJobs(const Invocation& args) {
  const bool filtered = !args.states.empty() || !args.kinds.empty() || !args.labels.empty() ||
                        args.since || args.before;
  return filtered ? "No jobs like that; `pictory list` shows all kinds and states.\n"
                  : "No jobs.\n";
}

class Listing {
 public:
  explicit Listing(const Session& session)
      : session_(session), table_(session.args.format == ListFormat::kWide) {}

  ExitCode Run() {
    std::vector<Job> jobs;
    bool more = false;
    const absl::Status listed = List(session_.args.watch, jobs, more);
    if (!Rows()) {
      for (const Job& job : jobs) Show(job);
    } else if (!jobs.empty()) {
      session_.out.Answer(table_.Whole(jobs, absl::Now()));
      headed_ = true;
    }
    if (!listed.ok()) return session_.Failed(listed);
    if (session_.args.watch) return Watch(jobs);
    if (jobs.empty() && shown_ == 0) session_.out.Note(NoJobs(session_.args));
    if (more) {
      session_.out.Note(absl::StrCat("There are more than these ", session_.args.limit,
                                     ": --limit N, or --all.\n"));
    }
    return kSucceeded;
  }

 private:
  // Whether jobs are lines of a table, whose widths come of all of them.
  bool Rows() const { return !session_.out.json() && session_.args.format != ListFormat::kIds; }

  void Show(const Job& job) {
    if (session_.out.json()) {
      session_.out.Answer(ToJsonLine(job) + "\n");
    } else if (session_.args.format == ListFormat::kIds) {
      session_.out.Answer(OneLine(job.job_id()) + "\n");
    } else {
      session_.out.Answer(headed_ ? table_.Line(job, absl::Now())
                                  : table_.Whole({job}, absl::Now()));
      headed_ = true;
    }
  }

  // Collects jobs, or shows them at once where nothing is gained by waiting for all: a list of all
  // may be long.
  absl::Status List(bool collect, std::vector<Job>& jobs, bool& more) {
    const Invocation& args = session_.args;
    ListJobsRequest filter = FilterOf(args);
    // One job more than is shown is asked for, which tells whether there are more.
    filter.set_page_size(args.all ? kPageOfAll : std::min(args.limit, kPageMax - 1) + 1);
    int count = 0;
    for (const absl::StatusOr<Job>& job :
         session_.client.List(std::move(filter), session_.Call())) {
      if (!job.ok()) return job.status();
      more = !args.all && count == args.limit;
      if (more || !session_.out.intact()) break;
      ++count;
      if (collect || Rows()) {
        jobs.push_back(*job);
      } else {
        ++shown_;
        Show(*job);
      }
    }
    return absl::OkStatus();
  }

  // Shows each job again that is new or has changed, the oldest first.
  ExitCode Watch(const std::vector<Job>& first) {
    using std::chrono::steady_clock;
    const auto began = steady_clock::now();
    std::map<std::string, int> revisions;
    for (const Job& job : first) revisions[job.job_id()] = job.revision();
    const Pacing pacing = Pacing::Real();
    while (session_.out.intact() && pacing.wait(kWatchEvery, session_.stop)) {
      std::vector<Job> jobs;
      bool more = false;
      const absl::Status listed = List(true, jobs, more);
      if (session_.stop.stop_requested()) break;
      if (!listed.ok()) return session_.Failed(listed);
      std::reverse(jobs.begin(), jobs.end());
      std::map<std::string, int> now;
      for (const Job& job : jobs) {
        const auto known = revisions.find(job.job_id());
        now[job.job_id()] = job.revision();
        if (known == revisions.end() || known->second != job.revision()) Show(job);
      }
      revisions = std::move(now);
      const auto& timeout = session_.args.timeout;
      if (timeout && steady_clock::now() - began >= *timeout) return kSucceeded;
    }
    return session_.out.intact() ? kDetached : kUnwritten;
  }

  const Session& session_;
  JobTable table_;
  bool headed_ = false;
  int shown_ = 0;
};

}  // namespace

ExitCode RunList(const Session& session) { return Listing(session).Run(); }

}  // namespace pictory_jobs::cli
