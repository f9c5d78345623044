// pictory: the command line of the gateway.
#include <cstdio>
#include <string>
#include <variant>

#include "google/protobuf/stubs/logging.h"
#include "invocation.h"
#include "run.h"

int main(int argc, char** argv) {
  namespace cli = pictory_jobs::cli;
  // Of text that is not UTF-8 it would write a line of its own; the gateway's answer says it better.
  google::protobuf::SetLogHandler(nullptr);
  const auto parsed = cli::ParseArgs(argc, argv);
  if (const auto* finished = std::get_if<cli::Finished>(&parsed)) {
    std::fwrite(finished->out.data(), 1, finished->out.size(), stdout);
    std::fwrite(finished->error.data(), 1, finished->error.size(), stderr);
    return finished->exit_code;
  }
  return cli::Run(std::get<cli::Invocation>(parsed), cli::Files::Real());
}
