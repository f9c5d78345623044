// Where a command's words go: the answer to stdout, everything else to stderr. Not thread-safe.
#pragma once

#include <string>

#include "invocation.h"
#include "progress.h"

namespace pictory_jobs::cli {

class Output {
 public:
  explicit Output(const Invocation& invocation)
      : json_(invocation.json), quiet_(invocation.quiet) {}

  bool json() const { return json_; }

  // stdout, at once. Bytes as they are.
  void Answer(const std::string& text);
  // Only for people who look: not with --quiet.
  void Note(const std::string& text);
  // Always.
  void Error(const std::string& text);

  // False once something could not be written, as to a full disk.
  bool intact() const { return intact_; }

  // Live on a terminal; none with --quiet or --json.
  Progress MakeProgress();
  // Whether stderr is a terminal.
  static bool Terminal();

 private:
  const bool json_;
  const bool quiet_;
  bool intact_ = true;
};

}  // namespace pictory_jobs::cli
