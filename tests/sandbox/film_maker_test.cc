// With scripts in the place of ffmpeg: what it does with our orders is a matter for a look, what we
// do when it fails or hangs is not.
#include "sandbox/film_maker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace gateway::sandbox {
namespace {

class FilmMakerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "film-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    film_.seconds = 4;
    film_.scenes.push_back({0, 4, "Some words.", {{0, 4, "Some words."}}});
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  void StartWith(const std::string& script) {
    const std::filesystem::path program = dir_ / "ffmpeg";
    std::ofstream(program) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    maker_ = std::make_unique<FilmMaker>(program, dir_ / "films", true);
  }
  template <typename Condition>
  bool Await(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }

  std::filesystem::path dir_;
  Film film_;
  std::unique_ptr<FilmMaker> maker_;
};

TEST_F(FilmMakerTest, KeepsWhatSucceedsAndHandsTheWordsOverByFile) {
  StartWith("for last; do :; done; cat subtitles.ass > \"$last\"");
  maker_->Make("job-1", film_);
  ASSERT_TRUE(Await([&] { return maker_->Find("job-1").has_value(); }));
  std::ifstream in(*maker_->Find("job-1"));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_NE(text.find("Some words."), std::string::npos);
  EXPECT_FALSE(maker_->Find("job-2").has_value());
  maker_->Remove("job-1");
  EXPECT_FALSE(maker_->Find("job-1").has_value());
  maker_.reset();
  EXPECT_FALSE(std::filesystem::exists(dir_ / "films"));
}

TEST_F(FilmMakerTest, LeavesNothingOfWhatFails) {
  // Fails for the first order, succeeds for the second: by then the first is surely over.
  StartWith(
      "for last; do :; done; echo film > \"$last\"; [ -e ../again ] && exit 0; "
      "touch ../again; exit 1");
  maker_->Make("bad", film_);
  maker_->Make("good", film_);
  ASSERT_TRUE(Await([&] { return maker_->Find("good").has_value(); }));
  EXPECT_FALSE(maker_->Find("bad").has_value());
}

TEST_F(FilmMakerTest, EndsAHangingChildWhenItStops) {
  StartWith("touch ../begun; exec sleep 1000");
  maker_->Make("job-1", film_);
  ASSERT_TRUE(Await([&] { return std::filesystem::exists(dir_ / "begun"); }));
  const auto begin = std::chrono::steady_clock::now();
  maker_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(FilmMakerTest, AMissingProgramIsNoFilm) {
  maker_ = std::make_unique<FilmMaker>("/nonexistent/ffmpeg", dir_ / "films", false);
  maker_->Make("job-1", film_);
  maker_.reset();
  EXPECT_FALSE(std::filesystem::exists(dir_ / "films" / "job-1.mp4"));
}

}  // namespace
}  // namespace gateway::sandbox
