#include "pictory/status_word.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"

namespace gateway::pictory {
namespace {

std::string Fold(std::string_view status) {
  std::string folded;
  for (const char c : status) {
    if (c == '-' || c == '_' || absl::ascii_isspace(static_cast<unsigned char>(c))) continue;
    folded += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return folded;
}

// Whole words or parts of them that are no end. When it is not clear, a word belongs here: the job
// is then polled again, where the other mistake would keep half a result for good.
constexpr std::array<std::string_view, 27> kNoEnds = {
    "fail",     "error",   "cancel",  "abort",    "reject", "denied",  "invalid",
    "terminat", "expire",  "timeout", "timedout", "delet",  "remov",   "clean",
    "unsucc",   "incompl", "partial", "not",      "queue",  "start",   "schedul",
    "submit",   "creat",   "accept",  "receiv",   "wait",   "progress"};

}  // namespace

StatusWord ReadStatusWord(std::string_view status) {
  const std::string word = Fold(status);
  if (word.empty()) return StatusWord::kNone;
  if (word == "inprogress" || word == "pending") return StatusWord::kRunning;
  if (word == "completed") return StatusWord::kCompleted;
  if (word == "failed") return StatusWord::kFailed;
  if (word == "cleaned") return StatusWord::kCleaned;
  return StatusWord::kUnknown;
}

bool MayBeAnEnd(std::string_view unknown_status) {
  const std::string word = Fold(unknown_status);
  if (word.ends_with("ing")) return false;  // processing, rendering, uploading …
  return std::none_of(kNoEnds.begin(), kNoEnds.end(), [&word](std::string_view part) {
    return word.find(part) != std::string::npos;
  });
}

}  // namespace gateway::pictory
