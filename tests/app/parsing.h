// Command lines for tests, in an environment without PICTORY_… variables but their own.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/config.h"
#include "app/environment.h"

namespace gateway::app {

inline Parsed Parse(std::vector<const char*> args) {
  args.insert(args.begin(), "pictory-gateway");
  return ParseCommandLine(static_cast<int>(args.size()), args.data());
}

// Written for its owner only.
inline std::string SecretFile(const std::string& name, const std::string& text) {
  const auto file = std::filesystem::path(testing::TempDir()) / name;
  std::filesystem::remove(file);
  std::ofstream(file, std::ios::binary) << text;
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  return file.string();
}

inline void Set(const char* name, const char* value) { setenv(name, value, 1); }

// Clean before and after.
class ParsingTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [name, value] : ProcessVariables()) {
      const std::string begin = name.substr(0, 3);
      if (begin == "PIC" || begin == "pic" || begin == "Pic") unsetenv(name.c_str());
    }
  }
  void TearDown() override { SetUp(); }
};

}  // namespace gateway::app
