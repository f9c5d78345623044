#include "archive/disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "archive/archive_folder.h"
#include "archive/detail.h"
#include "base/limits.h"

namespace gateway::archive {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const jobs::JobKey kJob{"acme", "j1"};
// `printf abc | sha256sum`
constexpr char kHashOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

class DiskTest : public testing::Test {
 protected:
  std::unique_ptr<Disk> Open(std::int64_t max_bytes = 2 * kMiB) {
    auto disk = Disk::Open({.directory = folder_.path(), .max_bytes = max_bytes});
    EXPECT_TRUE(disk.ok()) << disk.status();
    if (!disk.ok()) return nullptr;
    while ((*disk)->CountMore()) {
    }
    return *std::move(disk);
  }
  static std::unique_ptr<Disk::Part> PartOf(Disk& disk, const std::string& name = "video.mp4") {
    auto part = disk.OpenPart(kJob, name);
    EXPECT_TRUE(part.ok()) << part.status();
    return part.ok() ? *std::move(part) : nullptr;
  }
  // Puts a whole file there.
  absl::StatusOr<WholeFile> Put(Disk& disk, const std::string& name, const std::string& bytes) {
    const auto part = PartOf(disk, name);
    EXPECT_TRUE(part->Restart("", static_cast<std::int64_t>(bytes.size())).ok());
    EXPECT_TRUE(part->Append(bytes).ok());
    return part->Complete(go_on_);
  }

  ArchiveFolder folder_;
  const std::atomic<bool> go_on_{false};
};

TEST_F(DiskTest, AFileHasItsNameOnceItIsWhole) {
  const auto disk = Open();
  const auto part = PartOf(*disk);
  ASSERT_TRUE(part->Restart("\"v1\"", 3).ok());
  ASSERT_TRUE(part->Append("ab").ok());
  EXPECT_EQ(disk->Find(kJob, "video.mp4", go_on_).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(part->Complete(go_on_).status().code(), absl::StatusCode::kDataLoss);
  ASSERT_TRUE(part->Append("c").ok());
  const auto file = part->Complete(go_on_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->name, "video.mp4");
  EXPECT_EQ(file->bytes, 3);
  EXPECT_EQ(file->sha256, kHashOfAbc);
  EXPECT_THAT(folder_.Files(), ElementsAre("acme/j1/video.mp4"));
  EXPECT_EQ(folder_.Text("acme/j1/video.mp4"), "abc");
  EXPECT_EQ(disk->Find(kJob, "video.mp4", go_on_)->sha256, kHashOfAbc);
  EXPECT_EQ(disk->used_bytes(), 3);
}

TEST_F(DiskTest, ThePartIsGoneOnWithByTheNextProcess) {
  {
    const auto disk = Open();
    const auto part = PartOf(*disk);
    ASSERT_TRUE(part->Restart("\"v1\"", 6).ok());
    ASSERT_TRUE(part->Append("abc").ok());
  }
  const auto disk = Open();
  EXPECT_EQ(disk->used_bytes(), 3);
  const auto part = PartOf(*disk);
  EXPECT_EQ(part->had(), 3);
  EXPECT_EQ(part->total(), 6);
  EXPECT_EQ(part->validator(), "\"v1\"");
  ASSERT_TRUE(part->Append("def").ok());
  ASSERT_TRUE(part->Complete(go_on_).ok());
  EXPECT_EQ(folder_.Text("acme/j1/video.mp4"), "abcdef");
}

// Nobody knows what of it the disk has.
TEST_F(DiskTest, APartFromBeforeTheMachineWasStartedAnewIsNotBelieved) {
  {
    const auto disk = Open();
    ASSERT_TRUE(PartOf(*disk)->Restart("\"v1\"", 6).ok());
    ASSERT_TRUE(PartOf(*disk)->Append("abc").ok());
  }
  std::string note = folder_.Text("acme/j1/.video.mp4.note");
  folder_.Write("acme/j1/.video.mp4.note", "another-boot" + note.substr(note.find('\n')));
  const auto disk = Open();
  EXPECT_EQ(PartOf(*disk)->had(), 0);
  EXPECT_EQ(disk->used_bytes(), 0);
}

TEST_F(DiskTest, APartWithoutANoteIsNotBelieved) {
  folder_.Write("acme/j1/.video.mp4.part", "what is this");
  const auto disk = Open();
  EXPECT_EQ(PartOf(*disk)->had(), 0);
}

TEST_F(DiskTest, APictureGetsTheNameOfItsKindAndIsFoundUnderIt) {
  const auto disk = Open();
  const auto file = Put(*disk, "image.jpg", "\x89PNG\r\n\x1a\n and so on");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->name, "image.png");
  EXPECT_THAT(folder_.Files(), ElementsAre("acme/j1/image.png"));
  const auto found = disk->Find(kJob, "image.jpg", go_on_);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->name, "image.png");
  EXPECT_EQ(found->sha256, file->sha256);
}

TEST_F(DiskTest, ReadsWhereItIsTold) {
  const auto disk = Open();
  ASSERT_TRUE(Put(*disk, "video.mp4", "0123456789").ok());
  const auto chunk = disk->Read(kJob, "video.mp4", 3, 4);
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(chunk->data, "3456");
  EXPECT_EQ(chunk->total_bytes, 10);
  EXPECT_EQ(disk->Read(kJob, "video.mp4", 8, 4)->data, "89");
  EXPECT_EQ(disk->Read(kJob, "video.mp4", 99, 4)->data, "");
  EXPECT_TRUE(absl::IsNotFound(disk->Read(kJob, "video.srt", 0, 4).status()));
  EXPECT_TRUE(absl::IsNotFound(disk->Read({"other", "j1"}, "video.mp4", 0, 4).status()));
}

TEST_F(DiskTest, RemovesAllOfAJobAndNothingElse) {
  const auto disk = Open();
  ASSERT_TRUE(Put(*disk, "video.mp4", "abc").ok());
  ASSERT_TRUE(PartOf(*disk, "audio.mp3")->Restart("", 9).ok());
  ASSERT_TRUE(PartOf(*disk, "audio.mp3")->Append("ab").ok());
  const auto part = disk->OpenPart({"acme", "j2"}, "video.mp4");
  ASSERT_TRUE((*part)->Restart("", 1).ok());
  ASSERT_TRUE((*part)->Append("x").ok());
  EXPECT_TRUE(disk->Remove(kJob).ok());
  EXPECT_TRUE(disk->Remove(kJob).ok()) << "there is nothing";
  EXPECT_THAT(folder_.Files(), ElementsAre("acme/j2/.video.mp4.note", "acme/j2/.video.mp4.part"));
  EXPECT_EQ(disk->used_bytes(), 1);
}

TEST_F(DiskTest, TheBoundHoldsForAllTogether) {
  const auto disk = Open(1 * kMiB);
  ASSERT_TRUE(Put(*disk, "video.mp4", std::string(600 * 1024, 'x')).ok());
  EXPECT_TRUE(disk->CheckRoom("acme", 400 * 1024).ok());
  const absl::Status full = disk->CheckRoom("acme", 500 * 1024);
  EXPECT_TRUE(absl::IsResourceExhausted(full));
  EXPECT_THAT(std::string(full.message()), HasSubstr("1 MiB (--archive-max-mib)"));
  const auto part = PartOf(*disk, "audio.mp3");
  ASSERT_TRUE(part->Restart("", -1).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(part->Append(std::string(500 * 1024, 'y'))));
  part->Forget();
  EXPECT_EQ(disk->used_bytes(), 600 * 1024);
  EXPECT_THAT(folder_.Files(), ElementsAre("acme/j1/video.mp4"));
}

TEST_F(DiskTest, WhatMustStayFreeStaysFree) {
  const auto disk = Disk::Open(
      {.directory = folder_.path(), .max_bytes = kMiB, .min_free_bytes = std::int64_t{1} << 60});
  ASSERT_TRUE(disk.ok()) << "a gateway must serve all the same: " << disk.status();
  const absl::Status full = (*disk)->CheckRoom("acme", 0);
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  EXPECT_THAT(std::string(full.message()), HasSubstr("--archive-min-free-mib"));
}

TEST_F(DiskTest, ASecondOneIsRefused) {
  const auto disk = Open();
  const auto second = Disk::Open({.directory = folder_.path(), .max_bytes = kMiB});
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another gateway uses"));
}

TEST_F(DiskTest, CountsWhatItFinds) {
  folder_.Write("acme/j1/video.mp4", "abc");
  folder_.Write("umbra/j2/.video.mp4.part", "ab");
  folder_.Write("umbra/j2/.video.mp4.note", "not counted");
  const auto disk = Open();
  EXPECT_EQ(disk->used_bytes(), 5);
  EXPECT_EQ(disk->used_by_tenant().at("umbra"), 2);
  EXPECT_THAT(disk->TakeFound(), ElementsAre(kJob, jobs::JobKey{"umbra", "j2"}));
}

// A disk of its own has a lost+found, and people leave things; jobs must not wait for that.
TEST_F(DiskTest, WhatElseStandsThereKeepsItFromNothing) {
  folder_.Write("acme/j1/video.mp4", "abc");
  folder_.Write("acme/notes.txt", "hello");
  folder_.Write("lost+found/#12", "hello");
  const std::filesystem::path loop = std::filesystem::path(folder_.path()) / "loop";
  std::filesystem::create_symlink(loop, loop);
  const auto disk = Open();
  EXPECT_EQ(disk->TakeFound().size(), 1u);
  EXPECT_EQ(disk->used_bytes(), 3);
}

TEST_F(DiskTest, ALinkInThePlaceOfAFileIsNotFollowed) {
  folder_.Write("secret", "secret");
  std::filesystem::create_directories(folder_.path() + "/acme/j1");
  std::filesystem::create_symlink(folder_.path() + "/secret",
                                  folder_.path() + "/acme/j1/video.mp4");
  const auto disk = Open();
  EXPECT_FALSE(disk->Read(kJob, "video.mp4", 0, 9).ok());
}

// Else one tenant could fill it for all.
TEST_F(DiskTest, ATenantHasItsShareAndNoMore) {
  const auto disk = *Disk::Open(
      {.directory = folder_.path(), .max_bytes = kMiB, .share_of = [](const std::string& tenant) {
         return tenant == "acme" ? 5 : 0;
       }});
  ASSERT_FALSE(disk->CountMore());
  ASSERT_TRUE(Put(*disk, "video.mp4", "abc").ok());
  EXPECT_TRUE(disk->CheckRoom("acme", 2).ok());
  const absl::Status full = disk->CheckRoom("acme", 3);
  EXPECT_TRUE(absl::IsResourceExhausted(full));
  EXPECT_THAT(std::string(full.message()), HasSubstr("may have 5 bytes (archive_bytes)"));
  const auto part = PartOf(*disk, "audio.mp3");
  ASSERT_TRUE(part->Restart("", -1).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(part->Append("def")));
  EXPECT_TRUE(disk->CheckRoom("umbra", 1000).ok()) << "others have theirs";
  EXPECT_TRUE(disk->Remove(kJob).ok());
  EXPECT_TRUE(disk->CheckRoom("acme", 5).ok());
}

TEST_F(DiskTest, WhatStandsUnderAnotherNameIsBroughtAsItIs) {
  const auto disk = Open();
  ASSERT_TRUE(Put(*disk, "video.mp4", "abc").ok());
  {
    const auto part = PartOf(*disk, "audio.mp3");
    ASSERT_TRUE(part->Restart("\"v1\"", 9).ok());
    ASSERT_TRUE(part->Append("ab").ok());
  }
  const jobs::JobKey to{"acme", "j2"};
  ASSERT_TRUE(disk->Move(kJob, to).ok());
  EXPECT_TRUE(disk->Move(kJob, to).ok()) << "there is nothing any more";
  EXPECT_THAT(folder_.Files(), ElementsAre("acme/j2/.audio.mp3.note", "acme/j2/.audio.mp3.part",
                                           "acme/j2/video.mp4"));
  EXPECT_EQ((*disk->OpenPart(to, "audio.mp3"))->had(), 2);
  EXPECT_EQ(disk->used_bytes(), 5);
}

TEST_F(DiskTest, WhatStandsUnderBothNamesIsBroughtTogether) {
  folder_.Write("acme/j1/video.mp4", "abc");
  folder_.Write("acme/j1/video.srt", "de");
  folder_.Write("acme/j2/video.mp4", "other");
  const auto disk = Open();
  ASSERT_TRUE(disk->Move(kJob, {"acme", "j2"}).ok());
  EXPECT_THAT(folder_.Files(), ElementsAre("acme/j2/video.mp4", "acme/j2/video.srt"));
  EXPECT_EQ(folder_.Text("acme/j2/video.mp4"), "abc");
  EXPECT_EQ(disk->used_bytes(), 5);
}

// It takes as long as there are files, and nobody waits for it.
TEST_F(DiskTest, WhatIsRemovedOrComesWhileItIsCountedIsCountedOnce) {
  for (int i = 0; i < 2 * limits::kArchiveCountAtOnce; ++i) {
    folder_.Write("acme/j" + std::to_string(1000 + i) + "/video.mp4", "abc");
  }
  const auto disk = *Disk::Open({.directory = folder_.path(), .max_bytes = kMiB});
  EXPECT_EQ(disk->used_bytes(), 0);
  ASSERT_TRUE(disk->CountMore());
  EXPECT_EQ(disk->used_bytes(), 3 * limits::kArchiveCountAtOnce);
  const int last = 1000 + 2 * limits::kArchiveCountAtOnce - 1;
  for (const int i : {1000, last}) {
    EXPECT_TRUE(disk->Remove({"acme", "j" + std::to_string(i)}).ok());
  }
  ASSERT_TRUE(Put(*disk, "video.mp4", "new").ok());
  while (disk->CountMore()) {
  }
  EXPECT_EQ(disk->used_bytes(), 3 * (2 * limits::kArchiveCountAtOnce - 1));
  EXPECT_EQ(disk->TakeFound().size(), 2u * limits::kArchiveCountAtOnce);
}

// Callers read these words.
TEST_F(DiskTest, ATroubleOfTheDiskNamesItsPathToTheLogAlone) {
  std::filesystem::create_directories(folder_.path() + "/acme/j1/.video.mp4.part");
  std::filesystem::create_directories(folder_.path() + "/acme/j1/audio.mp3");
  const auto disk = Open();
  for (const absl::Status& trouble :
       {disk->OpenPart(kJob, "video.mp4").status(), disk->Read(kJob, "audio.mp3", 0, 1).status(),
        disk->Find(kJob, "audio.mp3", go_on_).status()}) {
    EXPECT_TRUE(absl::IsInternal(trouble)) << trouble;
    EXPECT_THAT(std::string(trouble.message()), testing::Not(HasSubstr(folder_.path())));
    EXPECT_THAT(DetailOf(trouble), HasSubstr(folder_.path()));
  }
}

TEST(FolderName, StaysInItsDirectory) {
  EXPECT_EQ(FolderName("acme"), "acme");
  EXPECT_EQ(FolderName(".."), "%2E%2E");
  EXPECT_EQ(FolderName(".hidden"), "%2Ehidden");
  EXPECT_EQ(FolderName("a/b"), "a%2Fb");
  for (const char* name : {"acme", "..", ".hidden", "a/b", "50%", "ü"}) {
    EXPECT_EQ(NameOfFolder(FolderName(name)), name);
  }
}

}  // namespace
}  // namespace gateway::archive
