// Violations is the list of what is wrong with one request. Single-threaded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::pictory {

// A Path says where in a message something stands: `storyboard.scenes[2].story`. It is a link to
// the path around it, which must outlive it. The text is made only for what is wrong, which almost
// nothing is.
class Path {
 public:
  Path(std::string_view top) : field_(top) {}
  Path(const std::string& top) : field_(top) {}
  Path(const char* top) : field_(top) {}

  std::string Text() const {
    std::string text = around_ == nullptr ? std::string() : around_->Text();
    if (!text.empty() && !field_.empty()) text += '.';
    text.append(field_);
    return index_ < 0 ? text : text + '[' + std::to_string(index_) + ']';
  }

 private:
  friend Path Under(const Path& path, std::string_view field);
  friend Path Item(Path path, int index);

  const Path* around_ = nullptr;
  std::string_view field_;
  int index_ = -1;
};

// `scenes` in `storyboard` is `storyboard.scenes`; at the top there is no dot.
inline Path Under(const Path& path, std::string_view field) {
  Path inner(field);
  inner.around_ = &path;
  return inner;
}
inline Path Item(Path path, int index) {
  path.index_ = index;
  return path;
}

class Violations {
 public:
  void Add(const Path& path, std::string description) {
    if (!full()) list_.push_back({path.Text(), std::move(description)});
  }
  bool full() const { return list_.size() >= limits::kViolationsMax; }
  std::vector<errors::Violation> Take() { return std::move(list_); }

 private:
  std::vector<errors::Violation> list_;
};

}  // namespace gateway::pictory
