// manual FOLDER VERSION DATE writes the pages of the manual into FOLDER/man1 and FOLDER/man8. It is
// run by the build.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "app/command_tree.h"
#include "command_tree.h"
#include "page.h"

namespace {

bool Write(const std::filesystem::path& folder, const CLI::App& app, const std::string& command,
           const manual::Edition& edition) {
  const auto path =
      folder / ("man" + edition.section) / (manual::PageName(command) + "." + edition.section);
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path);
  file << manual::Page(app, command, edition);
  bool written = static_cast<bool>(file.flush());
  for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (manual::DeservesPage(*each)) {
      written = Write(folder, *each, command + " " + each->get_name(), edition) && written;
    }
  }
  return written;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  pictory_jobs::cli::Invocation invocation;
  pictory_jobs::cli::Raw raw;
  raw.to = &invocation;
  const gateway::app::CommandTree gateway;
  const bool written = Write(argv[1], *pictory_jobs::cli::MakeCommandTree(raw), "pictory",
                             {"1", argv[2], argv[3]}) &&
                       Write(argv[1], gateway.app, "pictory-gateway", {"8", argv[2], argv[3]});
  if (!written) std::fputs("manual: a page cannot be written\n", stderr);
  return written ? 0 : 1;
}
