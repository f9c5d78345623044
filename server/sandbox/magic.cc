#include "sandbox/magic.h"

#include <algorithm>
#include <cctype>

namespace gateway::sandbox {
namespace {

constexpr int kMinutesMax = 10'000;  // about 250 MB

constexpr struct {
  std::string_view word;
  bool Magic::* flag;
} kWords[] = {
    // Longer words first: "sandbox-fail" begins "sandbox-fail-render".
    {"sandbox-fail-render", &Magic::fail_render},
    {"sandbox-fail-summary", &Magic::fail_summary},
    {"sandbox-fail-object", &Magic::fail_object},
    {"sandbox-fail-list", &Magic::fail_list},
    {"sandbox-fail-text", &Magic::fail_text},
    {"sandbox-fail-silent", &Magic::fail_silent},
    {"sandbox-fail", &Magic::fail},
    {"sandbox-no-credits", &Magic::no_credits},
    {"sandbox-stuck", &Magic::stuck},
    {"sandbox-slow", &Magic::slow},
    {"sandbox-no-video", &Magic::no_video},
};
constexpr std::string_view kMinutes = "sandbox-minutes-";

// Cuts every `what` out of `text` and tells whether there was one.
bool CutOut(std::string* text, std::string_view what) {
  bool found = false;
  for (std::size_t at; (at = text->find(what)) != std::string::npos; found = true) {
    text->erase(at, what.size());
  }
  return found;
}

// The number of "sandbox-minutes-600"; 0 if there is none.
int FindMinutes(std::string_view text) {
  const std::size_t at = text.find(kMinutes);
  if (at == std::string_view::npos) return 0;
  int minutes = 0;
  for (const char c : text.substr(at + kMinutes.size())) {
    if (c < '0' || c > '9' || minutes > kMinutesMax) break;
    minutes = minutes * 10 + (c - '0');
  }
  return std::min(minutes, kMinutesMax);
}

}  // namespace

Magic FindMagic(std::string_view text) {
  Magic magic;
  std::string left(text);
  for (const auto& [word, flag] : kWords) magic.*flag = CutOut(&left, word);
  magic.minutes = FindMinutes(text);
  return magic;
}

bool IsKnownSpeaker(std::string_view speaker) {
  std::string lower;
  for (const char c : speaker) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (lower.empty()) return false;
  for (const char* word : {"invalid", "unknown", "nobody"}) {
    if (lower.find(word) != std::string::npos) return false;
  }
  return true;
}

}  // namespace gateway::sandbox
