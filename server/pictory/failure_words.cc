#include "pictory/failure_words.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/errors.h"
#include "base/limits.h"
#include "json/check.h"
#include "pictory/envelope.h"

namespace gateway::pictory {
namespace {

using json::Type;

// The members that say what went wrong, and those that name it; the first that is there counts.
constexpr std::array<std::string_view, 7> kMessages = {
    "message", "error_message", "errorMessage", "error", "description", "detail", "reason"};
constexpr std::array<std::string_view, 3> kCodes = {"error_code", "errorCode", "code"};

template <std::size_t n>
bool IsOneOf(const std::array<std::string_view, n>& keys, std::string_view key) {
  return std::ranges::find(keys, key) != keys.end();
}

FailureWords Read(std::string_view json, int depth);

// The first member of `keys` that says anything.
template <std::size_t n>
FailureWords First(const std::array<std::string_view, n>& keys, const json::Outline& outline,
                   int depth) {
  for (const std::string_view key : keys) {
    const json::Member* const member = outline.Find(key);
    if (member == nullptr) continue;
    FailureWords words = Read(member->value, depth);
    if (!words.message.empty()) return words;
  }
  return {};
}

FailureWords ReadObject(const json::Outline& outline, int depth) {
  FailureWords words = First(kMessages, outline, depth);
  if (std::string code = First(kCodes, outline, depth).message; !code.empty()) words.code = code;
  std::string scene;
  std::vector<std::string> others;
  for (const json::Member& member : outline.members) {
    if (IsOneOf(kMessages, member.key) || IsOneOf(kCodes, member.key)) continue;
    const std::string said = Read(member.value, depth).message;
    if (said.empty()) continue;
    if (member.key == "scene") {
      scene = absl::StrCat("scene ", said);
    } else {
      others.push_back(absl::StrCat(member.key, ": ", said));
    }
  }
  std::vector<std::string> parts;
  if (!scene.empty()) parts.push_back(std::move(scene));
  if (!words.message.empty()) parts.push_back(std::move(words.message));
  words.message = absl::StrJoin(parts, ": ");
  words.is_text = false;
  if (words.message.empty()) {
    words.message = absl::StrJoin(others, ", ");
  } else if (!others.empty()) {
    absl::StrAppend(&words.message, " (", absl::StrJoin(others, ", "), ")");
  }
  return words;
}

FailureWords ReadList(const json::Outline& outline, int depth) {
  FailureWords words;
  std::vector<std::string> said;
  for (const json::Member& element : outline.members) {
    FailureWords one = Read(element.value, depth);
    if (words.code.empty()) words.code = std::move(one.code);
    if (!one.message.empty()) said.push_back(std::move(one.message));
  }
  words.message = absl::StrJoin(said, "; ");
  return words;
}

FailureWords Read(std::string_view json, int depth) {
  if (depth > limits::kFailureMaxDepth) return {};
  json::Outline outline;
  if (!json::Check(json, kReplyLimits, &outline).ok()) return {};
  switch (outline.type) {
    case Type::kObject:
      return ReadObject(outline, depth + 1);
    case Type::kArray:
      return ReadList(outline, depth + 1);
    case Type::kString: {
      std::string text = json::Text(outline.root);
      const std::size_t begin = text.find_first_not_of(" \t\r\n");
      if (begin != std::string::npos && (text[begin] == '{' || text[begin] == '[')) {
        FailureWords inside = Read(text, depth + 1);
        if (!inside.message.empty()) return inside;
      }
      return {.code = "", .message = std::move(text), .is_text = true};
    }
    default:
      return {.code = "", .message = json::Text(outline.root), .is_text = true};
  }
}

}  // namespace

FailureWords ReadFailure(std::string_view json) {
  const bool is_long = json.size() > limits::kFailureMaxBytes;
  if (is_long && !json.starts_with('"')) {
    return {.code = "", .message = "Pictory's reason is long"};
  }
  FailureWords words = is_long
                           ? FailureWords{.code = "", .message = json::Text(json), .is_text = true}
                           : Read(json, 0);
  return {.code = errors::Clean(words.code),
          .message = errors::Clean(words.message),
          .is_text = words.is_text};
}

}  // namespace gateway::pictory
