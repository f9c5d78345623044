// pictory is the command line of the gateway.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <variant>

#include "invocation.h"
#include "library_lines.h"
#include "run.h"
#include "standard_streams.h"

int main(int argc, char** argv) {
  namespace cli = pictory_jobs::cli;
  cli::PrepareStandardStreams();
  cli::CleanLibraryLines();
  const auto parsed = cli::ParseArgs(argc, argv);
  if (const auto* finished = std::get_if<cli::Finished>(&parsed)) {
    const int failure = cli::WriteAll(STDOUT_FILENO, finished->out);
    cli::WriteAll(STDERR_FILENO, finished->error);
    if (failure == 0) return finished->exit_code;
    if (failure != EPIPE) {  // a reader such as `head` has seen enough
      cli::WriteAll(STDERR_FILENO, std::string("pictory: standard output cannot be written (") +
                                       std::strerror(failure) + ")\n");
    }
    return cli::kUnwritten;
  }
  return cli::Run(std::get<cli::Invocation>(parsed), cli::Files::Real());
}
