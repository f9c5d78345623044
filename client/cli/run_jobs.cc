#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "describe.h"
#include "json_text.h"
#include "opener.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

void Show(const Session& session, const Job& job, bool full) {
  if (session.out.json()) {
    session.out.Answer(ToJsonLine(job) + "\n");
    return;
  }
  session.out.Answer(Headline(job) + Describe(job, absl::Now(), full));
  session.out.Note(Advice(job));
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

ExitCode RunOpen(const Session& session) {
  const std::string& job_id = session.args.jobs.front();
  const absl::StatusOr<Job> job = session.client.Get(job_id, v1::JOB_VIEW_BASIC, session.Call());
  if (!job.ok()) return session.Failed(job.status(), job_id);
  const std::string link = LinkOf(*job);
  if (link.empty()) {
    const bool made = job->state() == v1::JOB_STATE_SUCCEEDED;
    session.out.Tell({.code = absl::StatusCode::kFailedPrecondition,
                      .reason = kNoResultReason,
                      .message = absl::StrCat("the job is ", StateWord(job->state()),
                                              made ? " and has no link to open" : ", not done"),
                      .hint = absl::StrCat("  pictory ", made ? "result " : "watch ",
                                           OneLine(job->job_id()), "\n"),
                      .job_id = OneLine(job->job_id())});
    return IsFinal(job->state()) && !made ? ExitForState(job->state()) : kNotFound;
  }
  session.out.Answer(session.out.json()
                         ? JsonObject().Text("jobId", job->job_id()).Text("link", link).Done() +
                               "\n"
                         : OneLine(link) + "\n");
  if (!OpenLink(link)) session.out.Note("There is no xdg-open that opens it here.\n");
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
    absl::StatusOr<Job> job = session.args.cancel_only
                                  ? session.client.Cancel(job_id, session.Call())
                                  : session.client.Delete(job_id, session.Call());
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
