#include "base/media_type.h"

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace gateway {
namespace {

struct Row {
  std::string_view extension;
  MediaType type;
};

constexpr std::array<Row, 12> kTypes = {{
    {"mp4", {"video/mp4", true}},
    {"mov", {"video/quicktime", true}},
    {"avi", {"video/x-msvideo", true}},
    {"mp3", {"audio/mpeg", true}},
    {"wav", {"audio/wav", true}},
    {"m4a", {"audio/mp4", true}},
    {"png", {"image/png"}},
    {"jpg", {"image/jpeg"}},
    {"jpeg", {"image/jpeg"}},
    {"gif", {"image/gif"}},
    {"ppt", {"application/vnd.ms-powerpoint"}},
    {"pptx", {"application/vnd.openxmlformats-officedocument.presentationml.presentation"}},
}};

// Whether a character may stand in a token of RFC 9110 (tchar).
bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string ExtensionOf(std::string_view file_name) {
  const std::size_t slash = file_name.rfind('/');
  if (slash != std::string_view::npos) file_name.remove_prefix(slash + 1);
  const std::size_t dot = file_name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return "";  // `.mp4` is a name
  std::string extension(file_name.substr(dot + 1));
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension;
}

std::optional<MediaType> MediaTypeOf(std::string_view file_name) {
  const std::string extension = ExtensionOf(file_name);
  for (const Row& row : kTypes) {
    if (row.extension == extension) return row.type;
  }
  return std::nullopt;
}

bool IsContentType(std::string_view text) {
  if (text.size() > limits::kContentTypeMaxBytes) return false;
  const std::string_view type = text.substr(0, text.find(';'));
  const std::size_t slash = type.find('/');
  if (slash == std::string_view::npos) return false;
  std::string_view subtype = type.substr(slash + 1);
  const bool parameters = type.size() < text.size();
  while (parameters && !subtype.empty() && subtype.back() == ' ') subtype.remove_suffix(1);
  return IsToken(type.substr(0, slash)) && IsToken(subtype) && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace gateway
