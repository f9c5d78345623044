// The list of what is wrong with one request, with paths made on the way down. Single-threaded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errors.h"

namespace gateway::pictory {

// Nobody reads more, and a hostile request must not make us write more.
inline constexpr std::size_t kViolationsMax = 50;

class Violations {
 public:
  void Add(std::string path, std::string description) {
    if (!full()) list_.push_back({std::move(path), std::move(description)});
  }
  bool full() const { return list_.size() >= kViolationsMax; }
  std::vector<errors::Violation> Take() { return std::move(list_); }

 private:
  std::vector<errors::Violation> list_;
};

// `scenes` in `storyboard` is `storyboard.scenes`; at the top there is no dot.
inline std::string Under(std::string_view path, std::string_view field) {
  std::string joined(path);
  if (!joined.empty()) joined += '.';
  return joined.append(field);
}
inline std::string Item(std::string_view path, std::size_t index) {
  return std::string(path) + '[' + std::to_string(index) + ']';
}

}  // namespace gateway::pictory
