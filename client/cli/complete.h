// What may stand in the place of the word that is being typed. The scripts of the shells ask for it
// (completion/), and it is read off the command tree, so that it is always what the tree has: the
// type that an option shows in the help says what its value is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pictory_jobs/job.h"

namespace CLI {
class App;
}

namespace pictory_jobs::cli {

// What the scripts write before the words of the command line.
inline constexpr char kCompleteCommand[] = "__complete";

struct Candidate {
  std::string word;
  std::string about;  // for shells that show it
};

// Jobs whose ids may stand there.
struct WantedJobs {
  JobKind kind = v1::JOB_KIND_UNSPECIFIED;    // any
  std::vector<std::vector<JobState>> states;  // those of the first are offered first; none: any
  std::vector<std::string> named;             // already, and not again
};

struct Completion {
  std::vector<Candidate> candidates;
  bool files = false;  // names of files may stand there, too; the shell knows them
  std::optional<WantedJobs> jobs;
  std::string typed;  // what each candidate begins with
  std::string kept;   // what stays before each, as `--part=`
  // The flags that say how the gateway is reached, as far as the words have them.
  std::vector<std::string> gateway_flags;
};

// `words` come after the program's name, as they are typed; the last one is the one being typed,
// and may be empty. Pure.
Completion CompletionOf(const CLI::App& app, const std::vector<std::string>& words);

// What the scripts read: `files` or `words`, then a line for each candidate, its word, a tab and
// what it is. There is no word among them that a shell would have to quote. Pure.
std::string CompletionHead(const Completion& completion);
std::string CompletionLine(const Completion& completion, const Candidate& candidate);

}  // namespace pictory_jobs::cli
