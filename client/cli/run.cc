#include "run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "describe.h"
#include "interrupt.h"
#include "output.h"
#include "session.h"

namespace pictory_jobs::cli {
namespace {

constexpr char kVersion[] = PICTORY_VERSION;

// A person waits for this one; who wants more patience has a shell.
constexpr int kAttempts = 3;
constexpr std::chrono::seconds kRetryMaxWait{10};

absl::StatusOr<ClientOptions> MakeOptions(const Invocation& args, const Files& files) {
  ClientOptions options;
  options.user_agent = absl::StrCat("pictory/", kVersion);
  options.retry.max_attempts = kAttempts;
  options.retry.max_wait = kRetryMaxWait;
  if (args.tls_ca.empty() && args.tls_cert.empty()) return options;
  TlsOptions& tls = options.tls.emplace();
  for (const auto& [path, pem] :
       {std::pair{&args.tls_ca, &tls.ca_pem}, std::pair{&args.tls_cert, &tls.cert_pem},
        std::pair{&args.tls_key, &tls.key_pem}}) {
    if (path->empty()) continue;
    absl::StatusOr<std::string> text = files.read(*path);
    if (!text.ok()) return text.status();
    *pem = *std::move(text);
  }
  return options;
}

ExitCode Usage(Output& out, const absl::Status& status) {
  out.Error(absl::StrCat("pictory: ", std::string(status.message()), "\n"));
  return kUsage;
}

ExitCode Dispatch(const Session& session, std::optional<SubmitRequest> request,
                  const std::optional<LocalFile>& file) {
  switch (session.args.command) {
    case Command::kPreview:
    case Command::kRender:
    case Command::kTranscribe:
    case Command::kSummarize:
      if (file) {
        return RunTranscribeFile(session, std::get<TranscribeRequest>(*std::move(request)), *file);
      }
      return RunSubmit(session, *std::move(request));
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
    case Command::kResolve:
      return RunResolve(session);
    case Command::kDelete:
      return RunDelete(session);
    case Command::kUpload:
      return RunUpload(session, *file);
    case Command::kVersion:
      break;
  }
  return kUsage;
}

ExitCode RunCommand(const Invocation& args, const Files& files, Output& out) {
  if (args.command == Command::kVersion) {
    out.Answer(args.json ? absl::StrCat("{\"version\":\"", kVersion, "\"}\n")
                         : absl::StrCat("pictory ", kVersion, "\n"));
    return kSucceeded;
  }
  // All that is read from files and stdin comes first: Ctrl-C still means the end there.
  std::optional<SubmitRequest> request;
  if (args.submits()) {
    absl::StatusOr<SubmitRequest> built = BuildRequest(args, files);
    if (!built.ok()) return Usage(out, built.status());
    request = *std::move(built);
  }
  std::optional<LocalFile> file;
  if (args.command == Command::kUpload || UploadsFirst(args)) {
    const bool speech = args.command == Command::kTranscribe;
    absl::StatusOr<LocalFile> opened = LocalFile::Open(args.source, speech, args.content_type);
    if (!opened.ok()) return Usage(out, opened.status());
    file.emplace(*std::move(opened));
  }
  absl::StatusOr<ClientOptions> options = MakeOptions(args, files);
  if (!options.ok()) return Usage(out, options.status());

  Interrupt interrupt;
  const absl::StatusOr<Client> client = Client::Connect(args.server, *std::move(options));
  if (!client.ok()) return Usage(out, client.status());
  const Session session{args, out, *client, interrupt.token(), interrupt};
  if (args.acts() && !session.Answerable()) return kUsage;
  return Dispatch(session, std::move(request), file);
}

}  // namespace

CallOptions Session::Call() const {
  CallOptions call;
  call.timeout = args.timeout;
  call.stop = stop;
  return call;
}

ExitCode Session::Failed(const absl::Status& status) const {
  if (absl::IsCancelled(status) && stop.stop_requested()) {
    out.Error("pictory: stopped\n");
    return kDetached;
  }
  out.Error(DescribeError(status, args.server));
  return absl::IsCancelled(status) ? kRefused : ExitForStatus(status);
}

bool Session::Answerable() const {
  const std::string obstacle = Output::Obstacle();
  if (obstacle.empty()) return true;
  out.Error(absl::StrCat("pictory: standard output cannot be written (", obstacle,
                         "); nothing was ", args.submits() ? "submitted" : "done", "\n"));
  return false;
}

ExitCode Run(const Invocation& args, const Files& files) {
  Output out(args);
  const ExitCode code = RunCommand(args, files, out);
  if (out.Delivered()) return code;
  // What was submitted has been named. A reader who has seen enough, such as `head`, needs no word.
  if (!args.submits() && (args.acts() || !out.ReaderLeft())) {
    out.Error(absl::StrCat("pictory: not all of the answer could be written to standard output (",
                           out.Failure(), args.acts() ? "); what was asked for is done\n" : ")\n"));
  }
  return kUnwritten;
}

}  // namespace pictory_jobs::cli
