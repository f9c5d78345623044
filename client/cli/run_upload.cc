#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "json_text.h"
#include "session.h"
#include "submit_commands.h"
#include "transfer_line.h"
#include "upload.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

using std::chrono::steady_clock;

// Says why there is no upload; `so` is what that means.
ExitCode UploadFailed(const Session& session, const absl::Status& status, const std::string& so) {
  const bool stopped = session.stop.stop_requested();
  const std::string why = stopped ? "stopped" : OneLine(std::string(status.message()));
  session.out.Tell({.code = stopped ? absl::StatusCode::kCancelled : status.code(),
                    .reason = stopped ? kStoppedReason : kTransferReason,
                    .message = why + so});
  if (stopped) return kDetached;
  return absl::IsInvalidArgument(status) ? kUsage : kRefused;
}

// Sends the file to a place of its own and returns its URL. Unset: the exit status is in `code`.
std::optional<std::string> Place(const Session& session, const LocalFile& file,
                                 const std::string& so, ExitCode& code) {
  CreateUploadRequest request;
  request.set_file_name(file.name());
  request.set_content_type(file.content_type());
  const absl::StatusOr<CreateUploadResponse> place =
      session.client.CreateUpload(request, session.Call());
  if (!place.ok()) {
    code = session.Failed(place.status());
    return std::nullopt;
  }
  TransferLine line(session.out.ProgressMode(), file.name(), steady_clock::now(),
                    Output::StderrScreen());
  Upload upload;
  upload.file = &file;
  upload.url = place->signed_url();
  upload.gateway_is_here = IsHere(session.args.server);
  upload.ca_file = session.args.media_ca;
  upload.content_type = place->content_type();
  upload.timeout = session.args.timeout;
  upload.stop = session.stop;
  upload.progress = [&](std::int64_t done) { line.Update(done, file.size(), steady_clock::now()); };
  upload.retrying = [&line](const std::string& why) { line.Note(OneLine(why) + "; trying again"); };
  const absl::Status sent = SendFile(upload);
  line.End();
  if (!sent.ok()) {
    code = UploadFailed(session, sent, so);
    return std::nullopt;
  }
  line.Summary(file.size(), steady_clock::now());
  return place->file_url();
}

}  // namespace

ExitCode RunUpload(const Session& session, const LocalFile& file) {
  ExitCode code = kSucceeded;
  const std::optional<std::string> url = Place(session, file, "", code);
  if (!url) return code;
  session.out.Answer(session.out.json() ? JsonObject()
                                                  .Text("file", file.path())
                                                  .Text("fileUrl", *url)
                                                  .Text("contentType", file.content_type())
                                                  .Integer("sizeBytes", file.size())
                                                  .Done() +
                                              "\n"
                                        : OneLine(*url) + "\n");
  if (!session.out.Delivered()) {
    session.out.Warn(absl::StrCat("uploaded as ", OneLine(*url), "\n"));
  }
  return kSucceeded;
}

ExitCode RunSubmitFile(const Session& session, SubmitRequest request, const LocalFile& file) {
  ExitCode code = kSucceeded;
  const std::optional<std::string> url = Place(session, file, "; nothing was submitted", code);
  if (!url) return code;
  session.out.Note(absl::StrCat("uploaded as ", OneLine(*url), "\n"));
  if (!session.Answerable()) return kUsage;  // an upload takes its time
  session.args.submit->take_upload(request, *url);
  return RunSubmit(session, std::move(request), *url);
}

}  // namespace pictory_jobs::cli
