#include "base/clean_text.h"

#include <algorithm>

namespace gateway {
namespace {

// Whether a terminal, or the eye, would take the character for a command. It must be valid UTF-8.
bool Steers(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return lead < 0x20 || lead == 0x7F;
  const auto second = static_cast<unsigned char>(character[1]);
  if (character.size() == 2) return lead == 0xC2 && second < 0xA0;  // U+0080 to U+009F
  if (lead != 0xE2) return false;
  const auto third = static_cast<unsigned char>(character[2]);
  if (second == 0x80) return third == 0x8E || third == 0x8F || (third >= 0xA8 && third <= 0xAE);
  return second == 0x81 && third >= 0xA6 && third <= 0xA9;  // U+2066 to U+2069
}

}  // namespace

std::string CleanText(std::string_view text, std::size_t max_bytes) {
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    bool whole = (lead < 0x80 || (lead >= 0xC2 && lead <= 0xF4)) && i + length <= text.size();
    for (std::size_t k = 1; whole && k < length; ++k) {
      whole = (static_cast<unsigned char>(text[i + k]) & 0xC0) == 0x80;
    }
    if (length == 3 && whole) {  // overlong forms and surrogates
      const auto second = static_cast<unsigned char>(text[i + 1]);
      whole = !(lead == 0xE0 && second < 0xA0) && !(lead == 0xED && second >= 0xA0);
    } else if (length == 4 && whole) {
      const auto second = static_cast<unsigned char>(text[i + 1]);
      whole = !(lead == 0xF0 && second < 0x90) && !(lead == 0xF4 && second >= 0x90);
    }
    if ((whole ? length : 1) > max_bytes - std::min(max_bytes, out.size())) {
      out += "...";
      break;
    }
    if (!whole) {
      out.push_back('?');
      ++i;
    } else {
      if (Steers(text.substr(i, length))) {
        out.push_back(' ');
      } else {
        out.append(text.substr(i, length));
      }
      i += length;
    }
  }
  return out;
}

}  // namespace gateway
