// Replays the corpus: what once broke a promise, and what the fuzzer starts from.
#include "fuzz/targets.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace gateway::fuzz {
namespace {

namespace fs = std::filesystem;

TEST(Fuzz, TheCorpusBreaksNoPromise) {
  for (const Target& target : Targets()) {
    const fs::path folder = fs::path(PICTORY_CORPUS) / target.name;
    ASSERT_TRUE(fs::is_directory(folder)) << folder;
    int inputs = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
      SCOPED_TRACE(entry.path());
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string input((std::istreambuf_iterator<char>(file)), {});
      target.run(input);
      // And what a network or an editor makes of it.
      for (std::size_t cut = 0; cut < std::min<std::size_t>(input.size(), 512); ++cut) {
        target.run(std::string_view(input).substr(0, cut));
        std::string flipped = input;
        flipped[cut] = static_cast<char>(flipped[cut] ^ 0x20);
        target.run(flipped);
      }
      ++inputs;
    }
    EXPECT_GT(inputs, 2) << target.name;
  }
}

TEST(Fuzz, EveryFolderOfTheCorpusHasItsTarget) {
  std::set<std::string> folders, names;
  for (const auto& entry : fs::directory_iterator(PICTORY_CORPUS)) {
    folders.insert(entry.path().filename());
  }
  for (const Target& target : Targets()) names.insert(target.name);
  EXPECT_EQ(folders, names);
}

}  // namespace
}  // namespace gateway::fuzz
