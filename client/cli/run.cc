#include "run.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "completion_scripts.h"
#include "interrupt.h"
#include "job_names.h"
#include "json_text.h"
#include "output.h"
#include "session.h"
#include "submit_commands.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr char kVersion[] = PICTORY_VERSION;

// How often a call is tried. A person waits for it, and can repeat the command for more.
constexpr int kAttempts = 3;
constexpr std::chrono::seconds kRetryMaxWait{10};
// Of one of many calls.
constexpr int kPatientAttempts = 1000;
constexpr std::chrono::minutes kPatience{5};

// The first line of the file, if there is one, else what the variable has said.
absl::StatusOr<std::string> KeyOf(const std::string& path, std::string key, const char* variable,
                                  const Files& files) {
  if (path.empty() && key.empty()) return std::string();
  const bool file = !path.empty();
  if (file) {
    absl::StatusOr<std::string> text = files.read(path);
    if (!text.ok()) return text.status();
    key = text->substr(0, text->find('\n'));
    while (!key.empty() && (key.back() == '\r' || key.back() == ' ')) key.pop_back();
  }
  const bool visible =
      std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (visible && !key.empty()) return key;
  return absl::InvalidArgumentError(
      absl::StrCat(file ? "the first line of " + OneLine(path) : variable,
                   " is no key: it must be one word of visible characters"));
}

absl::StatusOr<ClientOptions> MakeOptions(const Invocation& args, const Files& files) {
  ClientOptions options;
  options.user_agent = absl::StrCat("pictory/", kVersion);
  options.retry.max_attempts = args.command == Command::kComplete ? 1 : kAttempts;
  options.retry.max_wait = kRetryMaxWait;
  absl::StatusOr<std::string> key =
      KeyOf(args.gateway_key_file, args.gateway_key, "PICTORY_GATEWAY_KEY", files);
  if (!key.ok()) return key.status();
  absl::StatusOr<std::string> own =
      KeyOf(args.caller_key_file, args.caller_key, "PICTORY_CALLER_KEY", files);
  if (!own.ok()) return own.status();
  options.pictory_key = *std::move(own);
  if (!key->empty()) options.metadata.emplace_back("authorization", "Bearer " + *key);
  const std::string& ca = args.tls_ca.empty() ? args.env_ca : args.tls_ca;
  const bool https = args.server.rfind("https://", 0) == 0 && !ca.empty();
  if (args.tls_ca.empty() && args.tls_cert.empty() && !https) return options;
  TlsOptions& tls = options.tls.emplace();
  for (const auto& [path, pem] :
       {std::pair{&ca, &tls.ca_pem}, std::pair{&args.tls_cert, &tls.cert_pem},
        std::pair{&args.tls_key, &tls.key_pem}}) {
    if (path->empty()) continue;
    absl::StatusOr<std::string> text = files.read(*path);
    if (!text.ok()) return text.status();
    *pem = *std::move(text);
  }
  return options;
}

// Looks at the authorities that files are fetched with, before anything else is done.
absl::Status CheckMediaCa(const Invocation& args, const Files& files) {
  if (args.media_ca.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> text = files.read(args.media_ca);
  if (!text.ok() || text->find("-----BEGIN ") != text->npos) return text.status();
  return absl::InvalidArgumentError(OneLine(args.media_ca) + ": has no PEM certificate");
}

Problem Unwritten(const std::string& message) {
  return {.code = absl::StatusCode::kFailedPrecondition,
          .reason = kUnwrittenReason,
          .message = message};
}

ExitCode Usage(Output& out, const absl::Status& status) {
  out.Tell(UsageProblem(std::string(status.message())));
  return kUsage;
}

// The text of the file that a command sends as it is; empty if it sends none.
absl::StatusOr<std::string> TextFor(const Invocation& args, const Files& files) {
  if (args.command == Command::kBatch || args.command == Command::kResubmit) {
    return files.read_batch(args.source);
  }
  if (args.command == Command::kUpdatePreview) {
    return ReadJson(files, args.source, "[", "an array of elements");
  }
  if (args.command != Command::kTemplate || args.template_file.empty()) return std::string();
  if (args.action == "update") {
    return ReadJson(files, args.template_file, "[", "an array of scenes");
  }
  return files.read(args.template_file);
}

ExitCode Dispatch(const Session& session, SubmitRequest request,
                  const std::optional<LocalFile>& file, const std::string& text) {
  switch (session.args.command) {
    case Command::kSubmit:
      if (file) return RunSubmitFile(session, std::move(request), *file);
      return RunSubmit(session, std::move(request));
    case Command::kBatch:
      return RunBatch(session, text);
    case Command::kResubmit:
      return RunResubmit(session, text);
    case Command::kGet:
      return RunGet(session);
    case Command::kList:
      return RunList(session);
    case Command::kWatch:
      return RunWatch(session);
    case Command::kWait:
      return RunWait(session);
    case Command::kResult:
      return RunResult(session);
    case Command::kOpen:
      return RunOpen(session);
    case Command::kResolve:
      return session.args.chooses() ? RunResolveChosen(session) : RunResolve(session);
    case Command::kDelete:
      return session.args.chooses() ? RunDeleteChosen(session) : RunDelete(session);
    case Command::kUpload:
      return RunUpload(session, *file);
    case Command::kDoctor:
      return RunDoctor(session);
    case Command::kUsageOf:
      return RunUsage(session);
    case Command::kUpdatePreview:
      return RunUpdatePreview(session, text);
    case Command::kProjects:
      return RunProjects(session);
    case Command::kAccount:
      return RunAccount(session);
    case Command::kTemplate:
      return RunTemplate(session, text);
    case Command::kWebhooks:
      return RunWebhooks(session);
    case Command::kComplete:
      RunComplete(session);
      return kSucceeded;
    case Command::kCompletion:
    case Command::kVersion:
      break;
  }
  return kUsage;
}

ExitCode RunCommand(const Invocation& args, const Files& files, Output& out) {
  if (args.command == Command::kVersion) {
    out.Answer(args.json ? JsonObject().Text("version", kVersion).Done() + "\n"
                         : absl::StrCat("pictory ", kVersion, "\n"));
    return kSucceeded;
  }
  if (args.command == Command::kCompletion) {
    out.Answer(CompletionScript(args.source));
    return kSucceeded;
  }
  if (args.command == Command::kComplete) out.Answer(CompletionHead(args.completion));
  // All that comes from files and stdin is read first, while Ctrl-C still ends the process.
  SubmitRequest request;
  if (args.submits()) {
    absl::StatusOr<SubmitRequest> built = args.submit->build(args, files);
    if (!built.ok()) return Usage(out, built.status());
    request = *std::move(built);
  }
  absl::StatusOr<std::string> text = TextFor(args, files);
  if (!text.ok()) return Usage(out, text.status());
  std::optional<LocalFile> file;
  if (args.command == Command::kUpload || UploadsFirst(args)) {
    absl::StatusOr<LocalFile> opened =
        LocalFile::Open(args.source, args.submits(), args.content_type);
    if (!opened.ok()) return Usage(out, opened.status());
    file.emplace(*std::move(opened));
  }
  if (file || args.download) {
    if (absl::Status media = CheckMediaCa(args, files); !media.ok()) return Usage(out, media);
  }
  const bool typing = args.command == Command::kComplete;  // who types wants no errors
  absl::StatusOr<ClientOptions> options = MakeOptions(args, files);
  if (!options.ok()) return typing ? kSucceeded : Usage(out, options.status());

  Interrupt interrupt;
  const absl::StatusOr<Client> client = Client::Connect(args.server, *std::move(options));
  if (!client.ok()) return typing ? kSucceeded : Usage(out, client.status());
  Invocation named = args;  // with the ids of the jobs that are named in it
  const Session session{named, out, *client, interrupt.token(), interrupt};
  if (absl::Status ids = ResolveJobNames(*client, named, request, session.Call()); !ids.ok()) {
    return Usage(out, ids);
  }
  if (args.acts() && !session.Answerable()) return kUsage;
  if (args.DownloadsToStdout() && isatty(STDOUT_FILENO) != 0) {
    out.Tell(UsageProblem("a video is no text for a terminal; write -o FILE, or pipe it on"));
    return kUsage;
  }
  return Dispatch(session, std::move(request), file, *text);
}

}  // namespace

CallOptions Session::Call() const {
  CallOptions call;
  call.timeout = args.timeout;
  call.stop = stop;
  return call;
}

CallOptions Session::PatientCall() const {
  CallOptions call = Call();
  RetryOptions retry;
  retry.max_attempts = kPatientAttempts;
  retry.when_exhausted = true;
  retry.max_wait = args.timeout.value_or(kPatience);
  call.retry = retry;
  return call;
}

Problem Session::ProblemWith(const absl::Status& status, const std::string& job_id,
                             const std::string& request_id) const {
  Problem problem = ProblemOf(status, args.server);
  if (absl::IsCancelled(status) && stop.stop_requested()) {
    problem = {
        .code = absl::StatusCode::kCancelled, .reason = kStoppedReason, .message = "stopped"};
  }
  if (problem.job_id.empty()) problem.job_id = OneLine(job_id);
  if (problem.request_id.empty()) problem.request_id = OneLine(request_id);
  return problem;
}

ExitCode Session::ExitAfter(const absl::Status& status) const {
  if (absl::IsCancelled(status)) return stop.stop_requested() ? kDetached : kRefused;
  return ExitForStatus(status);
}

ExitCode Session::Failed(const absl::Status& status, const std::string& job_id) const {
  out.Tell(ProblemWith(status, job_id));
  return ExitAfter(status);
}

bool Session::Answerable() const {
  const std::string obstacle = Output::Obstacle();
  if (obstacle.empty()) return true;
  out.Tell(Unwritten(absl::StrCat("standard output cannot be written (", obstacle,
                                  "); nothing was ", args.submits() ? "submitted" : "done")));
  return false;
}

ExitCode Run(const Invocation& args, const Files& files) {
  Output out(args);
  const ExitCode code = RunCommand(args, files, out);
  if (out.Delivered()) return code;
  // The jobs that were submitted have been named. A reader who has seen enough, such as `head`,
  // needs no error.
  if (!args.submits() && (args.acts() || !out.ReaderLeft())) {
    out.Tell(Unwritten(absl::StrCat("not all of the answer could be written to standard output (",
                                    out.Failure(),
                                    args.acts() ? "); what was asked for is done" : ")")));
  }
  return kUnwritten;
}

}  // namespace pictory_jobs::cli
