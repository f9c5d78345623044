// The program that libFuzzer drives. FUZZ_TARGET names the target.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "fuzz/targets.h"

namespace {

void (*run)(std::string_view) = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* const name = std::getenv("FUZZ_TARGET");
  for (const gateway::fuzz::Target& target : gateway::fuzz::Targets()) {
    if (name != nullptr && target.name == std::string_view(name)) run = target.run;
  }
  if (run != nullptr) return 0;
  std::fputs("FUZZ_TARGET must be one of:\n", stderr);
  for (const gateway::fuzz::Target& target : gateway::fuzz::Targets()) {
    std::fprintf(stderr, "%s\n", target.name);
  }
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  run({reinterpret_cast<const char*>(data), size});
  return 0;
}
