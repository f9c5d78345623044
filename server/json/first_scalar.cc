#include "json/first_scalar.h"

#include <array>

#include "json/sax.h"

namespace gateway::json {
namespace {

constexpr int kOffPath = -1;

// A Finder follows the tree of wanted keys down and up again.
class Finder final : public SaxHandler<Finder> {
 public:
  Finder(const Source& source, const Limits& limits, const PathTable& paths)
      : SaxHandler(source, limits), paths_(paths) {
    next_[0] = 0;
  }

  bool OnKey(std::string_view key, std::size_t) {
    Next() = open_[At(depth())] == kOffPath ? kOffPath : paths_.Child(open_[At(depth())], key);
    return true;
  }
  bool OnScalar(Type type, std::string_view decoded, std::size_t) {
    const bool wanted = Next() != kOffPath && paths_.node(Next()).index >= 0;
    if (!wanted || decoded.empty() || (type != Type::kString && type != Type::kNumber)) return true;
    found = decoded;
    return Fail("found");
  }
  bool OnStart(Type type, std::size_t) {
    // The container has been counted already, so what it is for stands one level up.
    open_[At(depth())] = type == Type::kObject ? next_[At(depth() - 1)] : kOffPath;
    Next() = kOffPath;
    return true;
  }
  bool OnEnd(Type, std::size_t) { return true; }

  std::string found;

 private:
  static std::size_t At(int depth) { return static_cast<std::size_t>(depth); }
  int& Next() { return next_[At(depth())]; }

  const PathTable& paths_;
  // By depth: the node of the container open there, and of the value that comes next in it.
  std::array<int, limits::kJsonMaxDepth + 2> open_{};
  std::array<int, limits::kJsonMaxDepth + 2> next_{};
};

}  // namespace

std::string FirstScalar(std::string_view text, const PathTable& paths) {
  constexpr Limits kLimits{.reading = Reading::kForgiving};
  std::string found;
  const absl::Status read = ReadMending(text, kLimits, [&](const Source& source) {
    Finder finder(source, kLimits, paths);
    const Fault fault = finder.Run();
    found = std::move(finder.found);
    return found.empty() ? fault : Fault();
  });
  read.IgnoreError();  // what ends or breaks before the value has none
  return found;
}

}  // namespace gateway::json
