// Files read and written whole.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace gateway::store {

inline std::string BytesOf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// In place: the file stays the same one.
inline void Overwrite(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace gateway::store
