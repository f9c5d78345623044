// `pictory-gateway store copy` moves the jobs of one store to another, between a state directory
// and PostgreSQL in either direction. RunStoreCopy (app/run.h) does it.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace gateway::app {

struct StoreCopyFlags {
  std::string from;
  std::string from_file;
  std::string to;
  std::string to_file;
  bool sandbox = false;
  bool undo = false;
  bool target_is_lost = false;
};

void AddStoreCopyOptions(CLI::App& app, StoreCopyFlags& flags);

}  // namespace gateway::app
