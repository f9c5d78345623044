#include "completion_scripts.h"

namespace pictory_jobs::cli {

const std::vector<std::string>& CompletedShells() {
  static const auto* const kShells = new std::vector<std::string>{"bash", "zsh", "fish"};
  return *kShells;
}

std::string_view CompletionScript(std::string_view shell) {
  return shell == "bash" ? BashScript() : shell == "zsh" ? ZshScript() : FishScript();
}

}  // namespace pictory_jobs::cli
