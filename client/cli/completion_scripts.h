// The scripts with which shells complete the words of `pictory`, as they lie in completion/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pictory_jobs::cli {

// The shells that there is a script for.
const std::vector<std::string>& CompletedShells();
// That of one of them.
std::string_view CompletionScript(std::string_view shell);

// The bytes of the files.
std::string_view BashScript();
std::string_view ZshScript();
std::string_view FishScript();

}  // namespace pictory_jobs::cli
