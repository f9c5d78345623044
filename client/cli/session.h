// A Session is what the commands share while they run. The commands are declared below it.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "batch_file.h"
#include "exit_code.h"
#include "follow.h"
#include "interrupt.h"
#include "invocation.h"
#include "output.h"
#include "pictory_jobs/client.h"
#include "request.h"
#include "upload.h"

namespace pictory_jobs::cli {

struct Session {
  const Invocation& args;
  Output& out;
  const Client& client;
  std::stop_token stop;
  Interrupt& interrupt;

  // Deadline and Ctrl-C.
  CallOptions Call() const;
  // The same for one of many calls in a row: limits of the gateway are waited for, as long as it
  // says, up to some minutes or --timeout.
  CallOptions PatientCall() const;
  // What to say of a call that failed, and what to end with. The ids are those that the call was
  // about.
  Problem ProblemWith(const absl::Status& status, const std::string& job_id = "",
                      const std::string& request_id = "") const;
  ExitCode ExitAfter(const absl::Status& status) const;
  // Tells the problem and returns the exit code.
  ExitCode Failed(const absl::Status& status, const std::string& job_id = "") const;
  // Whether an answer can be written; if not, says so, and the command ends with kUsage. Asked
  // before anything is done: not to pay is better than to pay for a job whose id nobody learns.
  bool Answerable() const;
};

// Follows jobs to their end and tells what became of them. `submitted` is a job that was submitted
// just now, and its headline, or as JSON its state, printed.
ExitCode FollowJobs(const Session& session, const std::vector<std::string>& job_ids,
                    bool show_progress, const Job* submitted = nullptr);

// `uploaded`, if not empty, is the URL of the file that was uploaded for it.
ExitCode RunSubmit(const Session& session, SubmitRequest request, const std::string& uploaded = "");
// Uploads the file, then submits with its URL.
ExitCode RunSubmitFile(const Session& session, SubmitRequest request, const LocalFile& file);
// `text` is that of the file with the lines.
ExitCode RunBatch(const Session& session, const std::string& text);
// The name by which the lines of the file get their request_ids; empty where stdin has none.
std::string BatchName(const Invocation& args);
// The same of the lines whose jobs have failed.
ExitCode RunResubmit(const Session& session, const std::string& text);
// Submits the lines, and tells what became of each. `info` is what the gateway said before.
ExitCode SubmitLines(const Session& session, Batch batch, const GetServerInfoResponse& info);
// The jobs of the file that the gateway knows, by its name.
absl::StatusOr<std::vector<Job>> JobsOfBatch(const Session& session);
ExitCode RunUpload(const Session& session, const LocalFile& file);
ExitCode RunGet(const Session& session);
ExitCode RunList(const Session& session);
ExitCode RunWatch(const Session& session);
// Watches all jobs that the arguments choose.
ExitCode RunWatchMany(const Session& session);
ExitCode RunWait(const Session& session);
ExitCode RunResult(const Session& session);
ExitCode RunOpen(const Session& session);
ExitCode RunResolve(const Session& session);
ExitCode RunDelete(const Session& session);
// The same of the jobs that the flags choose, once it is confirmed.
ExitCode RunResolveChosen(const Session& session);
ExitCode RunDeleteChosen(const Session& session);
// Prints the jobs that may stand where a word is being typed; no errors.
void RunComplete(const Session& session);
ExitCode RunDoctor(const Session& session);
ExitCode RunUsage(const Session& session);
// `elements` is the JSON array of what to change.
ExitCode RunUpdatePreview(const Session& session, const std::string& elements);
ExitCode RunProjects(const Session& session);
ExitCode RunAccount(const Session& session);
ExitCode RunWebhooks(const Session& session);
// `file` is what is uploaded, or the new scenes.
ExitCode RunTemplate(const Session& session, const std::string& file);

}  // namespace pictory_jobs::cli
