// ReadFailure makes a code and words of what Pictory gives as the reason of a failure: a text, an
// object, a list of either, or a text that is itself JSON. Nothing that is told is left out, as far
// as there is room. Pure.
#pragma once

#include <string>
#include <string_view>

namespace gateway::pictory {

struct FailureWords {
  std::string code;      // that the reason itself names; often empty
  std::string message;   // on one line; empty if nothing is said
  bool is_text = false;  // or a number; neither an object nor a list, nor a text of one
};

// `json`: one value, as Pictory sent it.
FailureWords ReadFailure(std::string_view json);

}  // namespace gateway::pictory
