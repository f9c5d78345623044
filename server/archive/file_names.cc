#include "archive/file_names.h"

#include <array>

namespace gateway::archive {
namespace {

constexpr std::string_view kPlannedPicture = ".jpg";
constexpr std::array<std::string_view, 3> kOtherPictures = {".png", ".webp", ".gif"};

// The ending for a picture that begins with these bytes; empty if it is none that is known.
std::string_view PictureEnding(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return ".png";
  if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) return ".gif";
  if (bytes.starts_with("RIFF") && bytes.substr(0, kFirstBytes).ends_with("WEBP")) return ".webp";
  return "";
}

}  // namespace

std::string NameByBytes(const std::string& planned, std::string_view first_bytes) {
  const std::string_view ending = PictureEnding(first_bytes);
  if (!planned.ends_with(kPlannedPicture) || ending.empty()) return planned;
  return planned.substr(0, planned.size() - kPlannedPicture.size()).append(ending);
}

std::vector<std::string> NamesOf(const std::string& planned) {
  std::vector<std::string> names{planned};
  if (!planned.ends_with(kPlannedPicture)) return names;
  const std::string stem = planned.substr(0, planned.size() - kPlannedPicture.size());
  for (const std::string_view ending : kOtherPictures) names.push_back(stem + std::string(ending));
  return names;
}

}  // namespace gateway::archive
