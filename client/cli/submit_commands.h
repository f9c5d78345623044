// The commands that submit: one row for each kind of job, with all that is its own.
#pragma once

#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "pictory_jobs/job.h"
#include "request.h"

namespace CLI {
class App;
}

namespace pictory_jobs::cli {

struct SubmitCommand {
  JobKind kind;      // what it makes
  const char* call;  // the method of the API
  const char* name;
  const char* about;
  const char* examples;  // and what else its help says below what is said of all submits
  // Sources and options of its own.
  void (*add_options)(CLI::App& command, Invocation& to);
  // What is wrong with them together, or empty; null: nothing can be.
  std::string (*check)(const Invocation& to) = nullptr;
  // Labels, flags and source; not the request_id where none is given.
  absl::StatusOr<SubmitRequest> (*build)(const Invocation& invocation, const Files& files);
  // Puts in the URL of a media file that was uploaded for it; null: it takes no such files.
  void (*take_upload)(SubmitRequest& request, const std::string& url) = nullptr;
  // Adds the lines of a result; of a job that has none of its kind, nothing.
  void (*describe)(std::string& out, const Job& job);
  // Where the file is that it made, empty where there is none that can be followed; null: it makes
  // no file.
  const std::string& (*file_url)(const Job& job) = nullptr;
  // Adds its long texts; null: it has none.
  void (*tell_texts)(std::string& out, const Job& job) = nullptr;
};

// The commands in the order of JobKind's numbers.
std::span<const SubmitCommand> SubmitCommands();

}  // namespace pictory_jobs::cli
