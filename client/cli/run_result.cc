#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "archived.h"
#include "base/ids.h"
#include "describe.h"
#include "json_text.h"
#include "partial.h"
#include "pictory_jobs/download.h"
#include "session.h"
#include "transfer_line.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

using std::chrono::steady_clock;

constexpr char kNotWhole[] = "What was written is not the whole file.\n";
constexpr char kGoesOn[] = "The same command goes on where it stopped.\n";

// Says why there is no result yet, or will be none.
ExitCode NoResult(const Session& session, const Job& job) {
  const std::string id = OneLine(job.job_id());
  if (!session.out.json()) session.out.Answer(Headline(job) + Describe(job, absl::Now()));
  Problem problem{.code = absl::StatusCode::kFailedPrecondition,
                  .reason = kNoResultReason,
                  .message = absl::StrCat("the job ", StateWord(job.state()), " and has no result"),
                  .hint = Advice(job),
                  .job_id = id};
  const bool underway = !IsFinal(job.state()) && problem.hint.empty();
  if (underway) {
    problem.message =
        absl::StrCat("the job is ", StateWord(job.state()), "; wait for it: pictory watch ", id);
  } else if (!problem.hint.empty()) {
    problem.message = absl::StrCat("the job is ", StateWord(job.state()), " and has no result");
  }
  session.out.Tell(problem);
  return underway ? kStoppedWaiting : ExitForState(job.state());
}

absl::Status Complete(const std::string& partial, const std::string& path) {
  std::error_code error;
  std::filesystem::rename(partial, path, error);
  return error ? absl::InvalidArgumentError(absl::StrCat(path, ": ", error.message()))
               : absl::OkStatus();
}

ExitCode CannotWrite(const Session& session, const std::string& what) {
  session.out.Tell(UsageProblem(what));
  return kUsage;
}

void AnswerFile(const Session& session, const std::string& path) {
  session.out.Answer(
      (session.out.json()
           ? JsonObject().Text("jobId", session.args.jobs.front()).Text("file", path).Done()
           : path) +
      "\n");
}

// The word that names a job in a file's name. The id may have come over the network, so the word
// must not become a path.
std::string FileWord(const std::string& job_id, const char* otherwise) {
  return gateway::IsCallerId(job_id) ? job_id : otherwise;
}

// The bytes of an earlier attempt. A finished job's parts never change, so the download goes on
// from there.
std::int32_t BytesOf(const std::string& partial) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(partial, error);
  return error || size > std::numeric_limits<std::int32_t>::max() ? 0
                                                                  : static_cast<std::int32_t>(size);
}

// Appends to `partial` what it lacks. Returns the size of the whole part; unset: the file cannot be
// written.
std::optional<absl::StatusOr<std::int32_t>> FetchPart(const Session& session,
                                                      const std::string& partial) {
  const std::int32_t had = BytesOf(partial);
  std::ofstream file(partial, std::ios::binary | (had > 0 ? std::ios::app : std::ios::trunc));
  const auto sink = [&file](std::string_view piece, std::int32_t) {
    return static_cast<bool>(file.write(piece.data(), static_cast<std::streamsize>(piece.size())));
  };
  absl::StatusOr<std::int32_t> total = 0;
  if (file) {
    total = session.client.ReadResult(session.args.jobs.front(), *session.args.part, sink, had,
                                      session.Call());
  }
  file.close();
  if (!file) return std::nullopt;
  return total;
}

// Fetches a part into a file, which appears whole or not at all.
ExitCode PartToFile(const Session& session) {
  const Invocation& args = session.args;
  const Partial file(absl::StrCat(args.output, ".", FileWord(args.jobs.front(), "job"), ".",
                                  PartWord(*args.part), ".part"));
  const std::string& partial = file.path();
  std::error_code ignored;
  const bool had = BytesOf(partial) > 0;
  auto total = FetchPart(session, partial);
  if (had && total &&
      (absl::IsInvalidArgument(total->status()) || (total->ok() && BytesOf(partial) != **total))) {
    file.Empty();  // no beginning of this part
    total = FetchPart(session, partial);
  }
  if (!total) {
    std::filesystem::remove(partial, ignored);
    return CannotWrite(session, partial + ": cannot be written");
  }
  if (!total->ok()) {
    const absl::Status& why = total->status();
    const bool goes_on = !file.is_own() && BytesOf(partial) > 0 &&
                         (absl::IsUnavailable(why) || BrokenConnection(why));
    if (!goes_on) std::filesystem::remove(partial, ignored);
    Problem problem = session.ProblemWith(why, args.jobs.front());
    if (goes_on) problem.hint = kGoesOn;
    session.out.Tell(problem);
    return session.ExitAfter(why);
  }
  const absl::Status complete = Complete(partial, args.output);
  if (!complete.ok()) return CannotWrite(session, std::string(complete.message()));
  AnswerFile(session, args.output);
  return kSucceeded;
}

ExitCode PartToStdout(const Session& session) {
  const auto sink = [&session](std::string_view piece, std::int32_t) {
    session.out.Answer(piece);
    return session.out.intact();
  };
  const absl::StatusOr<std::int32_t> total = session.client.ReadResult(
      session.args.jobs.front(), *session.args.part, sink, 0, session.Call());
  if (!session.out.intact()) return kUnwritten;  // Run says so
  return total.ok() ? kSucceeded : session.Failed(total.status(), session.args.jobs.front());
}

ExitCode DownloadFailed(const Session& session, const absl::Status& status,
                        const std::string& hint) {
  const bool usage = absl::IsInvalidArgument(status);
  session.out.Tell({.code = status.code(),
                    .reason = usage                       ? kUsageReason
                              : absl::IsCancelled(status) ? kStoppedReason
                                                          : kTransferReason,
                    .message = OneLine(std::string(status.message())),
                    .hint = absl::IsUnavailable(status) || absl::IsCancelled(status) ? hint : "",
                    .job_id = OneLine(session.args.jobs.front())});
  return usage ? kUsage : ExitForStatus(status);
}

// What the name of the job's file ends with. Pictures are of several kinds.
std::string Extension(const Job& job, absl::string_view url) {
  if (!job.has_image()) return ".mp4";
  const absl::string_view path = url.substr(0, url.find_first_of("?#"));
  for (const char* const known : {".png", ".jpg", ".jpeg", ".webp"}) {
    if (absl::EndsWithIgnoreCase(path, known)) return known;
  }
  return ".image";
}

ExitCode NoFile(const Session& session, const Job& job) {
  const bool made = job.has_render() || job.has_image() || job.has_video();
  session.out.Tell({.code = absl::StatusCode::kNotFound,
                    .reason = kNoResultReason,
                    .message = made ? "the file's URL is no https URL, so it is not followed; "
                                      "`pictory result JOB --part result-json` has it"
                                    : absl::StrCat("this ", KindWord(job.kind()),
                                                   " has no file to download; a render, a video "
                                                   "and an image have one"),
                    .job_id = OneLine(job.job_id())});
  return kNotFound;
}

// Says why the archive does not have the file that was asked for.
ExitCode NotArchived(const Session& session, const Job& job) {
  std::string names;
  std::string problem;
  for (const v1::ArchivedFile& file : job.archive().files()) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", OneLine(file.name()));
    if (file.name() != session.args.file) continue;
    problem = absl::StrCat(
        file.state() == v1::ARCHIVE_STATE_FAILED ? "could not be archived" : "is not archived yet",
        file.problem().empty() ? "" : ": ", OneLine(file.problem()));
  }
  const std::string none = names.empty() ? "; the gateway has archived nothing of this job"
                                         : absl::StrCat("; there are: ", names);
  session.out.Tell(
      {.code = absl::StatusCode::kNotFound,
       .reason = kNoResultReason,
       .message = absl::StrCat(session.args.file, " ",
                               problem.empty() ? "is no file of the archive" + none : problem),
       .job_id = OneLine(job.job_id())});
  return kNotFound;
}

// Where a file is to come from: the archive, or its URL.
struct Source {
  const v1::ArchivedFile* archived = nullptr;
  std::string url;
};

absl::Status Bring(const Session& session, const Job& job, const Source& from,
                   const Download& download) {
  const bool to_stdout = session.args.DownloadsToStdout();
  if (from.archived != nullptr) {
    const absl::Status brought =
        to_stdout ? StreamArchived(session.client, session.Call(), job, *from.archived, download)
                  : FetchArchived(session.client, session.Call(), job, *from.archived, download);
    // Somebody may have removed it meanwhile. Its URL may still be good.
    if (!absl::IsNotFound(brought) || from.url.empty()) return brought;
  }
  return to_stdout ? StreamFile(download) : FetchFile(download);
}

// What follows the job's name in that of the file.
std::string EndingOf(const Job& job, const Source& from, const std::string& file) {
  if (!file.empty()) return absl::StrCat(".", file);
  if (from.archived == nullptr) return Extension(job, from.url);
  return std::filesystem::path(from.archived->name()).extension().string();
}

ExitCode DownloadResult(const Session& session, const Job& job) {
  const std::string& file = session.args.file;
  const Source from{.archived = FindArchived(job, file), .url = file.empty() ? FileUrl(job) : ""};
  if (from.archived == nullptr && !file.empty()) return NotArchived(session, job);
  if (from.archived == nullptr && from.url.empty()) return NoFile(session, job);
  const std::string name = FileWord(job.job_id(), "video");
  const std::string ending = EndingOf(job, from, file);
  const std::string path = session.args.output.empty() ? name + ending : session.args.output;
  const bool to_stdout = session.args.DownloadsToStdout();
  TransferLine line(session.out.ProgressMode(), to_stdout ? name : path, steady_clock::now(),
                    Output::StderrScreen());
  Download download;
  download.url = from.url;
  download.gateway_is_here = IsHere(session.args.server);
  download.ca_file = session.args.media_ca;
  download.max_bytes = static_cast<std::int64_t>(session.args.max_mib) << 20;
  download.progress = [&line](std::int64_t done, std::int64_t total) {
    line.Update(done, total, steady_clock::now());
  };
  download.stop = session.stop;
  download.path = path;
  download.partial = absl::StrCat(path, ".", name, file.empty() ? "" : ".", file, ".part");
  download.sink = [&session](std::string_view bytes) {
    session.out.Answer(bytes);
    return session.out.intact();
  };
  const absl::Status status = Bring(session, job, from, download);
  line.End();
  if (!session.out.intact()) return kUnwritten;  // Run says so
  if (!status.ok()) return DownloadFailed(session, status, to_stdout ? kNotWhole : kGoesOn);
  if (!to_stdout) AnswerFile(session, path);
  return kSucceeded;
}

}  // namespace

ExitCode RunResult(const Session& session) {
  const Invocation& args = session.args;
  if (args.part)
    return args.output.empty() || args.output == "-" ? PartToStdout(session) : PartToFile(session);
  const absl::StatusOr<Job> job =
      session.client.Get(args.jobs.front(), v1::JOB_VIEW_BASIC, session.Call());
  if (!job.ok()) return session.Failed(job.status(), args.jobs.front());
  if (args.download && job->state() == v1::JOB_STATE_SUCCEEDED)
    return DownloadResult(session, *job);
  if (session.out.json() && !args.download) session.out.Answer(ToJsonLine(*job) + "\n");
  if (job->state() != v1::JOB_STATE_SUCCEEDED) return NoResult(session, *job);
  if (!session.out.json()) session.out.Answer(Headline(*job) + Describe(*job, absl::Now()));
  return kSucceeded;
}

}  // namespace pictory_jobs::cli
