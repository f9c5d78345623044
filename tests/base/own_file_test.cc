#include "base/own_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

namespace gateway {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr uid_t kSomebody = 12345;

class OwnFileTest : public ::testing::Test {
 protected:
  ~OwnFileTest() override { fs::remove_all(directory_); }

  static void Write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
  static std::string TextOf(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Gives it to another user. Only root can.
  static bool GiveAway(const fs::path& path) { return lchown(path.c_str(), kSomebody, 0) == 0; }

  // The name is refused by a check, and by opening it, in the same words.
  static void ExpectRefused(const fs::path& path, const std::string& why) {
    for (const absl::Status& refused :
         {CheckOwnFile(path), OpenOwnFile(path, O_RDWR | O_CREAT).status(),
          OpenOwnFile(path, O_RDONLY).status()}) {
      EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
      EXPECT_THAT(std::string(refused.message()), AllOf(HasSubstr(path), HasSubstr(why)));
    }
  }
  static void ExpectDirectoryRefused(const fs::path& path, const std::string& why) {
    const absl::Status refused = CheckOwnDirectory(path);
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
    EXPECT_THAT(std::string(refused.message()), AllOf(HasSubstr(path), HasSubstr(why)));
  }

  const fs::path directory_ = [] {
    std::string name = testing::TempDir() + "own-XXXXXX";
    return fs::path(mkdtemp(name.data()));
  }();
  const fs::path file_ = directory_ / "file";
};

TEST_F(OwnFileTest, IsReplacedAsAWhole) {
  const std::string beside = file_.string() + ".new";
  Write(beside, "what a power cut has left");
  ASSERT_TRUE(ReplaceOwnFile(file_, "first").ok());
  EXPECT_EQ(TextOf(file_), "first");
  ASSERT_TRUE(ReplaceOwnFile(file_, "second").ok());
  EXPECT_EQ(TextOf(file_), "second");
  EXPECT_FALSE(fs::exists(beside));
  EXPECT_EQ(fs::status(file_).permissions(), fs::perms::owner_read | fs::perms::owner_write);

  fs::create_directory(beside);
  const absl::Status refused = ReplaceOwnFile(file_, "third");
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.message()), HasSubstr(beside));
  EXPECT_EQ(TextOf(file_), "second") << "as it was";
}

TEST_F(OwnFileTest, IsMadeForThisUserAlone) {
  EXPECT_TRUE(CheckOwnFile(file_).ok());
  const absl::StatusOr<int> fd = OpenOwnFile(file_, O_RDWR | O_CREAT);
  ASSERT_TRUE(fd.ok()) << fd.status();
  close(*fd);
  EXPECT_EQ(fs::status(file_).permissions(), fs::perms(0600));
  EXPECT_TRUE(CheckOwnFile(file_).ok());
}

TEST_F(OwnFileTest, ThatThereIsKeepsWhatItHolds) {
  Write(file_, "kept");
  const absl::StatusOr<int> fd = OpenOwnFile(file_, O_RDWR | O_CREAT);
  ASSERT_TRUE(fd.ok()) << fd.status();
  close(*fd);
  EXPECT_EQ(TextOf(file_), "kept");
}

TEST_F(OwnFileTest, NothingIsWrittenThroughALink) {
  const fs::path other = directory_ / "other";
  Write(other, "of another program");
  fs::create_symlink(other, file_);
  ExpectRefused(file_, "symbolic link");
  EXPECT_EQ(TextOf(other), "of another program");
  fs::remove(other);  // a link that leads nowhere would create a file there
  ExpectRefused(file_, "symbolic link");
  EXPECT_FALSE(fs::exists(other));
}

TEST_F(OwnFileTest, AnewItReplacesALink) {
  const fs::path other = directory_ / "other";
  Write(other, "of another program");
  fs::create_symlink(other, file_);
  const absl::StatusOr<int> fd = CreateOwnFile(file_);
  ASSERT_TRUE(fd.ok()) << fd.status();
  EXPECT_EQ(write(*fd, "new", 3), 3);
  close(*fd);
  EXPECT_EQ(TextOf(other), "of another program");
  EXPECT_EQ(TextOf(file_), "new");
  EXPECT_FALSE(fs::is_symlink(file_));
}

TEST_F(OwnFileTest, WhatIsNoFileIsNotWaitedFor) {
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  ExpectRefused(file_, "not a regular file");
  fs::remove(file_);
  fs::create_directory(file_);
  ExpectRefused(file_, "not a regular file");
}

TEST_F(OwnFileTest, ThatOthersMayWriteOrThatIsAnothersIsRefused) {
  Write(file_, "");
  fs::permissions(file_, fs::perms(0666));
  ExpectRefused(file_, "chmod o-w");
  fs::permissions(file_, fs::perms(0664));  // as Kubernetes leaves the files of a volume
  EXPECT_TRUE(CheckOwnFile(file_).ok());
  if (!GiveAway(file_)) GTEST_SKIP() << "only root can give files away";
  ExpectRefused(file_, "belongs to user 12345, and the gateway runs as user 0 (root)");
}

TEST_F(OwnFileTest, ADirectoryThatOthersMayWriteToOrThatIsAnothersIsRefused) {
  EXPECT_TRUE(CheckOwnDirectory(directory_).ok());
  EXPECT_TRUE(CheckOwnDirectory(directory_ / "none").ok());
  for (const int open : {0777, 01777, 0703}) {
    fs::permissions(directory_, fs::perms(open));
    ExpectDirectoryRefused(directory_, "can be written by everybody");
  }
  fs::permissions(directory_, fs::perms(02770));  // as Kubernetes gives a volume to a pod
  EXPECT_TRUE(CheckOwnDirectory(directory_).ok());
  fs::create_directory(directory_ / "moved");
  const fs::path link = directory_ / "link";
  fs::create_directory_symlink(directory_ / "moved", link);
  EXPECT_TRUE(CheckOwnDirectory(link).ok()) << "an operator keeps it on another disk";
  if (!GiveAway(link)) GTEST_SKIP() << "only root can give files away";
  ExpectDirectoryRefused(link, "belongs to user 12345");
  ASSERT_TRUE(GiveAway(directory_ / "moved"));
  ExpectDirectoryRefused(directory_ / "moved", "belongs to user 12345");
}

TEST_F(OwnFileTest, ASecretIsItsOwnersAndOfRootsFilesTheGroups) {
  const uid_t self = geteuid() == 0 ? kSomebody : geteuid();
  const auto others_may_read = [](uid_t owner, mode_t mode) {
    struct stat info{};
    info.st_uid = owner;
    info.st_mode = S_IFREG | mode;
    return OthersMayRead(info);
  };
  for (const mode_t mode : {0400, 0600}) {
    EXPECT_FALSE(others_may_read(self, mode));
    EXPECT_FALSE(others_may_read(0, mode));
  }
  for (const mode_t mode : {0440, 0640}) {
    EXPECT_TRUE(others_may_read(self, mode));
    EXPECT_EQ(others_may_read(0, mode), geteuid() == 0) << "Kubernetes shows a pod a secret so";
  }
  for (const mode_t mode : {0444, 0644, 0604, 0602, 0660}) {
    EXPECT_TRUE(others_may_read(self, mode));
    EXPECT_TRUE(others_may_read(0, mode));
  }
}

}  // namespace
}  // namespace gateway
