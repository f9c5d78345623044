// An Invocation is what one command line asks for: plain values, checked for everything that needs
// no file and no gateway.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "complete.h"
#include "exit_code.h"
#include "pictory_jobs/download.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

struct SubmitCommand;

enum class Command {
  kSubmit,
  kBatch,
  kResubmit,
  kGet,
  kList,
  kWatch,
  kWait,
  kResult,
  kOpen,
  kResolve,
  kDelete,
  kUpload,
  kDoctor,
  kUsageOf,
  kUpdatePreview,
  kProjects,
  kAccount,
  kTemplate,
  kWebhooks,
  kCompletion,
  kComplete,
  kVersion,
};

// Whether words are coloured; kAuto: on a terminal, unless NO_COLOR is set.
enum class Color { kAuto, kAlways, kNever };

enum class ListFormat { kTable, kWide, kIds };

struct Invocation {
  Command command = Command::kVersion;
  const SubmitCommand* submit = nullptr;  // which one, if it is one

  // Every command.
  std::string server = "127.0.0.1:50051";
  std::string gateway_key;       // proves to the gateway who calls; empty: nothing does
  std::string gateway_key_file;  // where else it stands
  std::string caller_key;        // of Pictory's, to pay with; empty: the gateway pays
  std::string caller_key_file;   // where else it stands
  std::string tls_ca;            // files
  std::string tls_cert;
  std::string tls_key;
  std::string media_ca;  // for the servers that files are fetched from and sent to
  std::string env_ca;    // SSL_CERT_FILE, for both where nothing else is named
  bool json = false;
  bool quiet = false;
  Color color = Color::kAuto;
  std::optional<std::chrono::milliseconds> timeout;

  // The submits. `source` is a file, `-`, a job or a URL; which one, the command decides.
  // Of an upload, the file; of a change of a preview, that of its elements.
  std::string source;
  std::string request_id;
  std::map<std::string, std::string> labels;  // also list
  std::string notify_url;
  bool allow_unknown_fields = false;
  bool watch = false;
  bool wait = false;
  std::optional<std::string> text;  // preview
  std::string text_file;
  std::string name;
  std::string voice;
  std::string aspect_ratio;
  std::string preview_job;  // render, update-preview
  std::string storyboard_file;
  std::string render_params_file;
  std::string from_template;                     // preview
  std::map<std::string, std::string> variables;  // of the template
  std::string project;
  bool wait_for_source = false;  // render, summarize: for the job that is named
  std::string language;          // transcribe, summarize
  std::string media_type;
  std::optional<int> seconds;  // summarize
  std::string prompt;          // image, video
  std::string model;
  std::string style;
  std::string duration;
  std::string first_frame;
  std::string extend;
  std::vector<std::string> references;
  std::string content_type;  // upload

  // submit: many of one file.
  std::string batch_name;
  int parallel = 1;  // submits at once
  bool keep_going = false;
  bool changed = false;
  bool check_only = false;

  // The others.
  std::vector<std::string> jobs;
  bool full = false;
  std::vector<JobState> states;
  std::vector<JobKind> kinds;
  std::optional<absl::Time> since;
  std::optional<absl::Time> before;
  ListFormat format = ListFormat::kTable;
  int limit = 50;
  bool all = false;
  bool pending = false;  // webhooks
  std::optional<ResultPart> part;
  std::string output;
  bool download = false;
  std::string file;  // result: of the archive; empty: the job's mp4 or picture
  std::chrono::milliseconds stream{20'000};  // doctor: how long one is held open; 0: none is
  std::string by_label;                      // usage, account; usage takes `since` with it
  std::string page_token;                    // projects
  int year = 0;                              // account; 0: the present month
  int month = 0;
  // template: list, get, upload, update or delete; webhooks: list or replay.
  std::string action;
  std::string template_file;  // template
  int max_mib = static_cast<int>(kDownloadMaxMib);
  Completion completion;  // of a word that is being typed
  std::string adopt;
  bool abandon = false;
  bool cancel_only = false;  // delete
  bool yes = false;          // delete, resolve, resubmit: do it to all that were chosen

  // `result JOB --download -o -`.
  bool DownloadsToStdout() const { return download && output == "-"; }
  bool submits() const { return command == Command::kSubmit; }
  // Whether delete or resolve is about the jobs that the flags choose, and not about named ones.
  bool chooses() const { return jobs.empty(); }
  // Whether the command does more than read.
  bool acts() const {
    return submits() || (command == Command::kBatch && !check_only) ||
           command == Command::kResubmit || command == Command::kUpload ||
           command == Command::kDelete || command == Command::kUpdatePreview ||
           (command == Command::kTemplate && action != "list" && action != "get") ||
           (command == Command::kWebhooks && action != "list") ||
           (command == Command::kResolve && (abandon || !adopt.empty()));
  }
};

// There is nothing to run; a text is printed instead.
struct Finished {
  ExitCode exit_code = kSucceeded;
  std::string out;    // help
  std::string error;  // what is wrong
};

// Reads the arguments, and PICTORY_GATEWAY, PICTORY_GATEWAY_KEY, PICTORY_CALLER_KEY and
// SSL_CERT_FILE too.
std::variant<Invocation, Finished> ParseArgs(int argc, const char* const* argv);

}  // namespace pictory_jobs::cli
