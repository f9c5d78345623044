// TomlReader reads a TOML file whose settings are known, node by node, and says of what is wrong
// the file, the line, the path of the setting and what may stand there. tenants_file.cc builds on
// it; it knows nothing of tenants.
//
// Its functions return what is wrong, or OK. Pure; a reader is used from one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#define TOML_EXCEPTIONS 0
// The library takes for certain what it has not looked at, as that a key follows a `[`: with NDEBUG
// the compiler may build on that, and without it the process ends. What comes behind is right.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace gateway::tenants {

// A text of the file for a message: short, without control characters.
std::string Shown(std::string_view text);

// The end of a message about a word that is not known: the nearest of those that are, else all of
// them, unless they are many.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& known);

class TomlReader {
 public:
  using Node = toml::node;
  // Reads one node; `path` is its name in messages.
  using Take = std::function<absl::Status(const Node&, const std::string& path)>;
  struct Member {
    std::string name;
    Take take;
  };

  // `name` is the file's name in messages.
  explicit TomlReader(std::string_view name) : name_(name) {}

  // Parses a text of at most `max_bytes` that is a table with something in it.
  absl::StatusOr<toml::table> Parse(std::string_view text, std::size_t max_bytes) const;

  // The error of the whole file, and that of one node.
  absl::Status WrongFile(const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat(name_, ": ", what));
  }
  template <class... Words>
  absl::Status Wrong(const Node& at, const Words&... words) const {
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ":", at.source().begin.line, ": ", words...));
  }

  // Reads a table whose members are known, in the order in which they stand in `members`.
  absl::Status Members(const Node& node, const std::string& path,
                       const std::vector<Member>& members) const;
  // Reads an array.
  absl::Status Each(const Node& node, const std::string& path, const Take& take) const;

  // Each of these reads a value into `out`, which must outlive the call.
  Take String(std::string& out) const;  // not empty, without control characters
  template <class Int>
  Take Whole(Int& out, std::int64_t max) const {
    return [this, &out, max](const Node& node, const std::string& path) -> absl::Status {
      const auto* const number = node.as_integer();
      if (number == nullptr || number->get() < 0 || number->get() > max) {
        return Wrong(node, path, ": must be a whole number from 0 to ", max);
      }
      out = static_cast<Int>(number->get());
      return absl::OkStatus();
    };
  }
  Take Decimal(double& out) const;  // from 0.01 to a million
  Take Switch(bool& out) const;

 private:
  const std::string name_;
};

}  // namespace gateway::tenants
