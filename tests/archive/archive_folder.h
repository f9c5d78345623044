// A folder for an archive, which goes with the test.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "base/limits.h"

namespace gateway::archive {

inline constexpr auto kMiB = static_cast<std::int64_t>(limits::kMiB);

class ArchiveFolder {
 public:
  ArchiveFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "archive-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~ArchiveFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ArchiveFolder(const ArchiveFolder&) = delete;
  ArchiveFolder& operator=(const ArchiveFolder&) = delete;

  std::string path() const { return path_.string(); }
  // The files below the folder but its lock, by their paths in it.
  std::set<std::string> Files() const {
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      if (entry.is_regular_file() && entry.path().filename() != "archive.lock") {
        files.insert(std::filesystem::relative(entry.path(), path_).string());
      }
    }
    return files;
  }
  std::string Text(const std::string& file) const {
    std::ostringstream text;
    text << std::ifstream(path_ / file, std::ios::binary).rdbuf();
    return text.str();
  }
  void Write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file, std::ios::binary) << text;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace gateway::archive
