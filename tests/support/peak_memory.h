// How much more memory this process had resident at its peak than when this was made. Linux only;
// one at a time, because making one resets the kernel's mark.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>

namespace gateway::test {

class PeakMemory {
 public:
  PeakMemory() {
    std::ofstream("/proc/self/clear_refs") << "5";
    before_ = KiB();
  }

  std::size_t GrowthBytes() const {
    const std::size_t now = KiB();
    return now > before_ ? (now - before_) * 1024 : 0;
  }

  // The sanitizers keep freed memory and shadows of it, so that the peak says little.
  static constexpr bool kTellsOurs =
#ifdef PICTORY_SANITIZED
      false;
#else
      true;
#endif

 private:
  static std::size_t KiB() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("VmHWM:", 0) == 0) return std::stoul(line.substr(6));
    }
    return 0;
  }

  std::size_t before_ = 0;
};

}  // namespace gateway::test
