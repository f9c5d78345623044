#include "base/clean_text.h"

#include <algorithm>
#include <cstdio>

namespace gateway {
namespace {

// Whether a terminal, or the eye, would take the character for a command. It must be valid UTF-8.
bool Steers(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return lead < 0x20 || lead == 0x7F;
  const auto second = static_cast<unsigned char>(character[1]);
  if (character.size() == 2) {
    return (lead == 0xC2 && second < 0xA0) || (lead == 0xD8 && second == 0x9C);  // C1 and U+061C
  }
  if (lead != 0xE2) return false;
  const auto third = static_cast<unsigned char>(character[2]);
  if (second == 0x80) return third == 0x8E || third == 0x8F || (third >= 0xA8 && third <= 0xAE);
  return second == 0x81 && third >= 0xA6 && third <= 0xA9;  // U+2066 to U+2069
}

// How long the character at the beginning of `text` is; 0 if the bytes are no valid UTF-8.
std::size_t CharacterBytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((static_cast<unsigned char>(text[k]) & 0xC0) != 0x80) return 0;
  }
  if (length < 3) return length;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second >= 0xA0;
  return overlong || surrogate || (lead == 0xF4 && second >= 0x90) ? 0 : length;
}

// Appends each character of `text` as `put` says it, until that returns false.
template <class Put>
void ForEachCharacter(std::string_view text, Put put) {
  while (!text.empty()) {
    const std::size_t length = CharacterBytes(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (!put(character, length > 0)) return;
    text.remove_prefix(character.size());
  }
}

// The number of a valid character of at most three bytes, as those that steer are.
unsigned CodePoint(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0);
  if (character.size() == 2) return (byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU);
  return (byte(0) & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
}

}  // namespace

std::string CleanText(std::string_view text, std::size_t max_bytes) {
  std::string out;
  ForEachCharacter(text, [&](std::string_view character, bool whole) {
    if (character.size() > max_bytes - std::min(max_bytes, out.size())) {
      out += "...";
      return false;
    }
    out.append(!whole ? "?" : Steers(character) ? " " : character);
    return true;
  });
  return out;
}

std::string CleanLines(std::string_view text) {
  std::string out;
  ForEachCharacter(text, [&](std::string_view character, bool whole) {
    const bool stays = character == "\n" || character == "\t";
    out.append(!whole ? "?" : Steers(character) && !stays ? " " : character);
    return true;
  });
  return out;
}

std::string CleanJson(std::string_view json) {
  std::string out;
  ForEachCharacter(json, [&](std::string_view character, bool whole) {
    const bool stays = character == "\n" || character == "\t" || character == "\r";
    if (!whole || stays || !Steers(character)) {
      out.append(whole ? character : "?");
      return true;
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\u%04x", CodePoint(character));
    out.append(escape);
    return true;
  });
  return out;
}

std::size_t UnfinishedBytes(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;  // goes on
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

}  // namespace gateway
