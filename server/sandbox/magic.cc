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
    {"fail-render", &Magic::fail_render}, {"fail", &Magic::fail},
    {"no-credits", &Magic::no_credits},   {"stuck", &Magic::stuck},
    {"slow", &Magic::slow},               {"no-video", &Magic::no_video},
};

std::string Bracketed(std::string_view word) { return "[" + std::string(word) + "]"; }

// Cuts every `what` out of `text`; whether there was one.
bool CutOut(std::string* text, std::string_view what) {
  bool found = false;
  for (std::size_t at; (at = text->find(what)) != std::string::npos; found = true) {
    text->erase(at, what.size());
  }
  return found;
}

// The number of "[minutes-600]" or "sandbox-minutes-600"; 0 if there is none.
int FindMinutes(std::string_view text) {
  for (const std::string_view before : {"[minutes-", "sandbox-minutes-"}) {
    const std::size_t at = text.find(before);
    if (at == std::string_view::npos) continue;
    int minutes = 0;
    for (const char c : text.substr(at + before.size())) {
      if (c < '0' || c > '9' || minutes > kMinutesMax) break;
      minutes = minutes * 10 + (c - '0');
    }
    return std::min(minutes, kMinutesMax);
  }
  return 0;
}

}  // namespace

Magic FindMagic(std::string_view text) {
  Magic magic;
  std::string left(text);
  for (const auto& [word, flag] : kWords) {
    const bool bracketed = CutOut(&left, Bracketed(word));
    const bool dashed = CutOut(&left, "sandbox-" + std::string(word));
    magic.*flag = bracketed || dashed;
  }
  magic.minutes = FindMinutes(text);
  return magic;
}

std::string WithoutMagic(std::string_view name) {
  std::string left(name);
  for (const auto& [word, flag] : kWords) CutOut(&left, Bracketed(word));
  return left;
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
