#include "face/file_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/file_names.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::face {
namespace {

namespace v1 = ::pictory::jobs::v1;

struct RangeRow {
  const char* range;
  bool honoured;
  std::int64_t first;
  std::int64_t last;  // -1: to the end
  bool from_end;
};

TEST(FileAnswerTest, ReadsRanges) {
  for (const RangeRow& row :
       {RangeRow{"bytes=0-", true, 0, -1, false}, RangeRow{"bytes=5-9", true, 5, 9, false},
        RangeRow{"bytes=-5", true, 5, -1, true}, RangeRow{"bytes=7-7", true, 7, 7, false},
        RangeRow{"bytes=9-5", false, 0, 0, false}, RangeRow{"bytes=", false, 0, 0, false},
        RangeRow{"bytes=-", false, 0, 0, false}, RangeRow{"bytes=a-b", false, 0, 0, false},
        RangeRow{"bytes=0-1,3-4", false, 0, 0, false}, RangeRow{"bytes=--5", false, 0, 0, false},
        RangeRow{"bytes=99999999999999999999-", false, 0, 0, false},
        RangeRow{"lines=1-2", false, 0, 0, false}, RangeRow{"", false, 0, 0, false}}) {
    const std::string text = row.range;
    const auto range = ReadRange(&text);
    ASSERT_EQ(range.has_value(), row.honoured) << text;
    if (!range) continue;
    EXPECT_EQ(range->first, row.first) << text;
    EXPECT_EQ(range->last.value_or(-1), row.last) << text;
    EXPECT_EQ(range->from_end, row.from_end) << text;
  }
  EXPECT_FALSE(ReadRange(nullptr).has_value());
}

TEST(FileAnswerTest, KnowsTypes) {
  v1::ReadJobResultRequest part;
  EXPECT_EQ(FileType(part, ""), "application/json");
  part.set_part(v1::RESULT_PART_SRT);
  EXPECT_EQ(FileType(part, ""), "application/x-subrip");
  const v1::ReadArchivedFileRequest file;
  EXPECT_EQ(FileType(file, "video.mp4"), "video/mp4");
  EXPECT_EQ(FileType(file, "audio.mp3"), "audio/mpeg");
  EXPECT_EQ(FileType(file, "page.html"), "application/octet-stream");
  EXPECT_EQ(FileType(file, ""), "application/octet-stream");
}

// Whatever a picture's bytes are, its name says so.
TEST(FileAnswerTest, KnowsTheTypeOfEachPictureInTheArchive) {
  for (const std::string& name : archive::NamesOf("image.jpg")) {
    EXPECT_THAT(FileType(v1::ReadArchivedFileRequest(), name), testing::StartsWith("image/"))
        << name;
  }
}

TEST(FileAnswerTest, TheTagIsThatOfTheWholeFile) {
  v1::ReadArchivedFileRequest file;
  file.set_job_id("j1");
  const std::string tag = FileTag(file, 10);
  file.set_offset(5);
  EXPECT_EQ(FileTag(file, 10), tag);
  EXPECT_NE(FileTag(file, 11), tag);
  file.set_name("video.mp4");
  EXPECT_NE(FileTag(file, 10), tag);
}

TEST(FileAnswerTest, KnowsWhichMethodsSendFiles) {
  EXPECT_TRUE(IsFilePiece(*v1::ReadJobResultResponse::descriptor()));
  EXPECT_TRUE(IsFilePiece(*v1::ReadArchivedFileResponse::descriptor()));
  EXPECT_FALSE(IsFilePiece(*v1::WatchJobResponse::descriptor()));
}

}  // namespace
}  // namespace gateway::face
