#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "describe.h"
#include "json_text.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kPageMax = 1000;
constexpr int kPageOfAll = 500;

void Show(const Session& session, const Job& job, bool full) {
  if (session.out.json()) {
    session.out.Answer(ToJsonLine(job) + "\n");
    return;
  }
  session.out.Answer(Headline(job) + Describe(job, absl::Now(), full));
  session.out.Note(Advice(job));
}

std::string NoJobs(const Invocation& args) {
  const bool filtered = !args.states.empty() || !args.kinds.empty() || !args.labels.empty();
  return filtered ? "No jobs like that; `pictory list` shows all kinds and states.\n"
                  : "No jobs.\n";
}

// Does `one` to each job, in the order given. A job that fails does not stop the others; the exit
// status is that of the job in most need of attention.
template <class One>
ExitCode ForEach(const Session& session, One one) {
  ExitCode code = kSucceeded;
  for (const std::string& job_id : session.args.jobs) {
    const absl::StatusOr<Job> job = one(job_id);
    if (!job.ok()) code = Worse(code, session.Failed(job.status(), job_id));
    // The next jobs would fail likewise.
    if (code == kDetached || !session.out.intact()) break;
  }
  return code;
}

}  // namespace

ExitCode RunGet(const Session& session) {
  const Invocation& args = session.args;
  std::vector<std::optional<Job>> known(args.jobs.size());
  if (known.size() > 1 && !args.full) {
    auto batch = session.client.BatchGet(args.jobs, session.Call());
    if (batch.ok()) {
      known = *std::move(batch);
    } else if (!absl::IsUnimplemented(batch.status()) && !absl::IsInvalidArgument(batch.status())) {
      return session.Failed(batch.status());  // each by itself would fare no better
    }
  }
  // What the batch does not have is asked for by itself: only so is a job of Pictory's adopted, and
  // only so is it said what is wrong with a name.
  std::size_t place = 0;
  return ForEach(session, [&](const std::string& job_id) -> absl::StatusOr<Job> {
    if (std::optional<Job>& one = known[place++]) {
      Show(session, *one, args.full);
      return *std::move(one);
    }
    absl::StatusOr<Job> job = session.client.Get(
        job_id, args.full ? v1::JOB_VIEW_FULL : v1::JOB_VIEW_BASIC, session.Call());
    if (job.ok()) Show(session, *job, args.full);
    return job;
  });
}

ExitCode RunList(const Session& session) {
  const Invocation& args = session.args;
  ListJobsRequest filter;
  for (const JobState state : args.states) filter.add_states(state);
  for (const JobKind kind : args.kinds) filter.add_kinds(kind);
  for (const auto& [key, value] : args.labels) (*filter.mutable_labels())[key] = value;
  // One job more than is shown is asked for, which tells whether there are more.
  filter.set_page_size(args.all ? kPageOfAll : std::min(args.limit, kPageMax - 1) + 1);
  std::vector<Job> jobs;
  int shown = 0;
  bool more = false;
  absl::Status failed;
  for (const absl::StatusOr<Job>& job : session.client.List(std::move(filter), session.Call())) {
    if (!job.ok()) {
      failed = job.status();
      break;
    }
    more = !args.all && shown == args.limit;
    if (more) break;
    ++shown;
    if (session.out.json()) {
      session.out.Answer(ToJsonLine(*job) + "\n");
      if (!session.out.intact()) break;
    } else {
      jobs.push_back(*job);
    }
  }
  if (!jobs.empty()) session.out.Answer(Table(jobs, absl::Now()));
  if (!failed.ok()) return session.Failed(failed);
  if (shown == 0) session.out.Note(NoJobs(args));
  if (more) {
    session.out.Note(absl::StrCat("There are more than these ", shown, ": --limit N, or --all.\n"));
  }
  return kSucceeded;
}

ExitCode RunResolve(const Session& session) {
  const Invocation& args = session.args;
  ResolveJobRequest request;
  request.set_job_id(args.jobs.front());
  if (!args.adopt.empty()) request.set_adopt_pictory_job_id(args.adopt);
  if (args.abandon) request.set_abandon(true);
  const absl::StatusOr<ResolveJobResponse> response =
      session.client.Resolve(request, session.Call());
  if (!response.ok()) return session.Failed(response.status(), args.jobs.front());
  if (session.out.json()) {
    session.out.Answer(ToJsonLine(*response) + "\n");
    return kSucceeded;
  }
  session.out.Answer(Headline(response->job()) + Describe(response->job(), absl::Now()));
  if (args.adopt.empty() && !args.abandon) session.out.Answer(DescribeCandidates(*response));
  return kSucceeded;
}

ExitCode RunDelete(const Session& session) {
  return ForEach(session, [&](const std::string& job_id) {
    absl::StatusOr<Job> job = session.client.Delete(job_id, session.Call());
    if (job.ok()) {
      session.out.Answer(session.out.json() ? ToJsonLine(*job) + "\n"
                                            : absl::StrCat("job ", OneLine(job->job_id()), "\n  ",
                                                           job->state() == v1::JOB_STATE_CANCELLED
                                                               ? "cancelled before it was sent"
                                                               : "deleted",
                                                           "\n"));
    }
    return job;
  });
}

ExitCode RunUpdatePreview(const Session& session, const std::string& elements) {
  UpdatePreviewRequest request;
  request.set_job_id(session.args.preview_job);
  request.set_elements_json(elements);
  const absl::StatusOr<Job> preview = session.client.UpdatePreview(request, session.Call());
  if (!preview.ok()) return session.Failed(preview.status(), session.args.preview_job);
  if (session.out.json()) {
    session.out.Answer(ToJsonLine(*preview) + "\n");
    return kSucceeded;
  }
  session.out.Answer(Headline(*preview) + "  changed at Pictory\n");
  session.out.Answer(absl::StrCat("  ", OneLine(preview->preview().preview_url()), "\n"));
  return kSucceeded;
}

}  // namespace pictory_jobs::cli
