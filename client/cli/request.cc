#include "request.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "base/media_type.h"
#include "json_text.h"
#include "submit_commands.h"

namespace pictory_jobs::cli {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

absl::StatusOr<std::string> ReadStream(std::istream& in, const std::string& name,
                                       std::size_t max_bytes) {
  std::string bytes;
  std::array<char, 65536> block;
  while (in.read(block.data(), block.size()) || in.gcount() > 0) {
    bytes.append(block.data(), static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > max_bytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": larger than ", max_bytes / gateway::limits::kMiB, " MiB",
          max_bytes == gateway::limits::kRequestMaxBytes ? ", the most a gateway takes" : ""));
    }
  }
  if (in.bad()) return absl::InvalidArgumentError(absl::StrCat(name, ": cannot be read"));
  if (bytes.compare(0, kByteOrderMark.size(), kByteOrderMark) == 0)
    bytes.erase(0, kByteOrderMark.size());
  return bytes;
}

absl::StatusOr<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  if (path == "-") return ReadStream(std::cin, "stdin", max_bytes);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is a directory"));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, std::filesystem::exists(path, ignored) ? ": cannot be read" : ": no such file"));
  }
  return ReadStream(in, path, max_bytes);
}

}  // namespace

Files Files::Real() {
  return {
      [](const std::string& path) {
        std::error_code ignored;
        return std::filesystem::is_regular_file(path, ignored) ||
               std::filesystem::is_fifo(path, ignored);
      },
      [](const std::string& path) { return ReadFile(path, gateway::limits::kRequestMaxBytes); },
      [](const std::string& path) { return ReadFile(path, gateway::limits::kBatchFileMaxBytes); }};
}

std::string Shown(const std::string& path) { return path == "-" ? "stdin" : path; }

absl::StatusOr<std::string> ReadJson(const Files& files, const std::string& path,
                                     std::string_view kinds, std::string_view wanted) {
  absl::StatusOr<std::string> text = files.read(path);
  if (!text.ok()) return text;
  if (const auto error = CheckJson(*text)) {
    return absl::InvalidArgumentError(absl::StrCat(
        Shown(path), ":", error->line, ":", error->column, ": this is not JSON: ", error->what));
  }
  if (kinds.find(JsonKind(*text)) == kinds.npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(Shown(path), ": the JSON must be ", std::string(wanted)));
  }
  return text;
}

bool LooksLikeFile(const std::string& source) {
  return source.find('/') != std::string::npos || source.find('.') != std::string::npos;
}

bool IsUrl(const std::string& source) {
  return source.rfind("https://", 0) == 0 || source.rfind("http://", 0) == 0;
}

// Media that no transcription takes count too: they are then refused under their own name, and not
// as bad JSON.
bool UploadsFirst(const Invocation& invocation) {
  const SubmitCommand* const submit = invocation.submit;
  if (submit == nullptr || submit->take_upload == nullptr || IsUrl(invocation.source)) return false;
  constexpr std::array<std::string_view, 8> kOtherMedia = {"mkv",  "webm", "flac", "ogg",
                                                           "opus", "aac",  "wmv",  "m4v"};
  const std::string extension = gateway::ExtensionOf(invocation.source);
  return gateway::MediaTypeOf(invocation.source).has_value() ||
         std::find(kOtherMedia.begin(), kOtherMedia.end(), extension) != kOtherMedia.end();
}

}  // namespace pictory_jobs::cli
