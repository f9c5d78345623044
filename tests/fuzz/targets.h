// The functions that take texts from strangers, each with what must hold whatever the text is: a
// broken promise ends the process. tests/fuzz/run makes up texts for them, and fuzz_test replays
// those of tests/fuzz/corpus.
#pragma once

#include <span>
#include <string_view>

namespace gateway::fuzz {

struct Target {
  const char* name;  // a folder of corpus
  void (*run)(std::string_view input);
};

std::span<const Target> Targets();

}  // namespace gateway::fuzz
