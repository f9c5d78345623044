#include "pictory/envelope.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "base/errors.h"
#include "base/ids.h"
#include "pictory/failure_words.h"

namespace gateway::pictory {
namespace {

using json::Captured;
using json::Type;

constexpr std::array<std::string_view, 32> kShellPaths = {"success",
                                                          "status",
                                                          "data",
                                                          "data.status",
                                                          "data.jobId",
                                                          "data.job_id",
                                                          "jobId",
                                                          "job_id",
                                                          "error",
                                                          "error.error_code",
                                                          "error.errorCode",
                                                          "error.code",
                                                          "error.error_message",
                                                          "error.errorMessage",
                                                          "error.message",
                                                          "data.error_code",
                                                          "data.errorCode",
                                                          "data.error_message",
                                                          "data.errorMessage",
                                                          "data.error",
                                                          "error_code",
                                                          "errorCode",
                                                          "code",
                                                          "error_message",
                                                          "errorMessage",
                                                          "message",
                                                          "fields",
                                                          "data.renderProgress",
                                                          "data.progress",
                                                          "data.renderProgressMessage",
                                                          "data.renderState",
                                                          "data.aiCreditsUsed"};

// A CapturedPath is a path of the tables above by its number in the reader's. The compiler looks it
// up, and takes no path that is not there.
struct CapturedPath {
  consteval CapturedPath(const char* path) {
    while (At(index) != path) ++index;
  }
  std::size_t index = 0;

 private:
  static consteval std::string_view At(std::size_t i) {
    return i < kResultPaths.size() ? kResultPaths[i] : kShellPaths.at(i - kResultPaths.size());
  }
};

const json::PathTable& Paths() {
  static const json::PathTable* const kTable = [] {
    std::vector<std::string> paths(kResultPaths.begin(), kResultPaths.end());
    paths.insert(paths.end(), kShellPaths.begin(), kShellPaths.end());
    return new json::PathTable(std::move(paths));
  }();
  return *kTable;
}

class Shell {
 public:
  explicit Shell(const std::vector<Captured>& captured) : captured_(captured) {}

  const Captured& At(CapturedPath path) const { return captured_[path.index]; }
  // What the first of `paths` says that says anything, as text.
  std::string Text(std::initializer_list<CapturedPath> paths) const {
    for (const CapturedPath path : paths) {
      const Captured& value = At(path);
      if (value.scalar() && !value.text.empty()) return value.text;
    }
    return "";
  }

 private:
  const std::vector<Captured>& captured_;
};

std::optional<bool> LenientBool(const Captured& value) {
  if (!value.scalar()) return std::nullopt;
  if (value.text == "true") return true;
  if (value.text == "false") return false;
  return std::nullopt;
}

bool IsFilled(const Captured& value) {
  switch (value.type) {
    case Type::kAbsent:
    case Type::kNull:
      return false;
    case Type::kString:
      return !value.text.empty();
    case Type::kObject:
    case Type::kArray:
      return std::any_of(value.raw.begin() + 1, value.raw.end() - 1,
                         [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
    case Type::kBool:
    case Type::kNumber:
      return true;
  }
  return false;
}

// Whether a code names an error, as `INVALID_REQUEST_BODY` does; 200 or "0" in a `code` does not.
bool IsErrorName(std::string_view code) {
  return std::any_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// The first of `paths` that says anything.
FailureWords FirstReason(const Shell& shell, std::initializer_list<CapturedPath> paths) {
  for (const CapturedPath path : paths) {
    const Captured& reason = shell.At(path);
    if (!reason.present()) continue;
    FailureWords words = ReadFailure(reason.raw);
    if (!words.message.empty()) return words;
  }
  return {};
}

void ReadErrors(const Shell& shell, Envelope& envelope) {
  const std::string error_code =
      shell.Text({"data.error_code", "data.errorCode", "error.error_code", "error.errorCode",
                  "error.code", "error_code", "errorCode"});
  const std::string plain_code = shell.Text({"code"});
  FailureWords reason =
      FirstReason(shell, {"data.error_message", "data.errorMessage", "error.error_message",
                          "error.errorMessage", "error.message", "error_message", "errorMessage",
                          "error", "data.error", "message"});
  envelope.error_code = errors::Clean(error_code.empty() ? plain_code : error_code);
  envelope.reason_code = std::move(reason.code);
  envelope.reason_is_text = reason.is_text;
  envelope.error_message = std::move(reason.message);
  const Captured& error = shell.At("error");
  envelope.tells_error = !error_code.empty() || IsErrorName(plain_code) ||
                         (error.type == Type::kObject && IsFilled(error)) ||
                         (error.type == Type::kString && IsFilled(error)) ||
                         IsFilled(shell.At("data.error_message")) ||
                         IsFilled(shell.At("data.errorMessage")) ||
                         IsFilled(shell.At("error_message")) || IsFilled(shell.At("errorMessage"));
}

void ReadProgress(const Shell& shell, Envelope& envelope) {
  for (const CapturedPath path :
       {CapturedPath("data.renderProgress"), CapturedPath("data.progress")}) {
    const std::optional<double> value = LenientNumber(shell.At(path));
    if (value.has_value()) {
      envelope.progress_percent = std::clamp(*value, 0.0, 100.0);
      break;
    }
  }
  envelope.progress_message = errors::Clean(shell.Text({"data.renderProgressMessage"}));
  envelope.shows_render =
      shell.At("data.renderProgress").present() || shell.At("data.renderState").present();
  const std::optional<double> credits = LenientNumber(shell.At("data.aiCreditsUsed"));
  if (credits.has_value() && *credits >= 0) envelope.credits_used = credits;
}

Envelope Understand(std::vector<Captured> captured) {
  Envelope envelope;
  const Shell shell(captured);
  envelope.success = LenientBool(shell.At("success"));
  envelope.status_of_data = shell.At("data.status").scalar();
  envelope.status = shell.Text({"data.status", "status"});
  // An HTTP status repeated in the body is not the job's.
  if (!envelope.status_of_data && shell.At("status").type != Type::kString) envelope.status.clear();
  for (const CapturedPath path : {CapturedPath("data.jobId"), CapturedPath("data.job_id"),
                                  CapturedPath("jobId"), CapturedPath("job_id")}) {
    const Captured& id = shell.At(path);
    if (id.scalar() && id.type != Type::kBool && IsUpstreamId(id.text)) {
      envelope.job_id = id.text;
      break;
    }
  }
  ReadErrors(shell, envelope);
  ReadProgress(shell, envelope);
  if (shell.At("fields").type == Type::kArray) envelope.fields = shell.At("fields").raw;
  envelope.data = shell.At("data").raw;
  envelope.data_type = shell.At("data").type;
  captured.resize(kResultPaths.size());
  envelope.results = std::move(captured);
  return envelope;
}

}  // namespace

bool Envelope::HasResult(ResultKey key) const { return IsFilled(Result(key)); }

bool Envelope::SaysNotFound() const {
  if (success == true) return false;
  constexpr std::string_view kNotFound = "JOB_NOT_FOUND";
  if (error_code == kNotFound || (reason_is_text && error_message == kNotFound)) return true;
  // Under an explicit status Pictory does know the job, and 5000 is why it failed.
  return error_code == "5000" && !status_of_data;
}

absl::StatusOr<Envelope> ReadEnvelope(std::string_view body,
                                      google::protobuf::Message* data_message,
                                      json::ReadOptions options, json::ReadStats* stats) {
  options.capture = &Paths();
  options.message_at = "data";
  options.limits.reading = json::Reading::kForgiving;
  absl::StatusOr<json::ReadStats> read = json::Read(body, data_message, options);
  if (!read.ok()) return read.status();
  Envelope envelope = Understand(std::move(read->captured));
  read->captured.clear();
  if (stats != nullptr) *stats = *std::move(read);
  return envelope;
}

std::optional<double> LenientNumber(const Captured& value) {
  if (value.type != Type::kNumber && value.type != Type::kString) return std::nullopt;
  double number = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto [stopped, error] = std::from_chars(value.text.data(), end, number);
  if (error != std::errc() || stopped != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace gateway::pictory
