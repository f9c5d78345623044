// Parts of results and archived files over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "face_house.h"
#include "jobs/archive_plan.h"

namespace gateway::face {
namespace {

namespace v1 = ::pictory::jobs::v1;
using test::FaceHouse;
using test::MakeJob;
using test::PlainReply;
using testing::HasSubstr;

class FaceFilesTest : public testing::Test {
 protected:
  FaceFilesTest() {
    for (int i = 0; i < 600'000; ++i) video_.push_back(static_cast<char>('a' + i % 23));
    jobs::Job job = MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 2);
    v1::Archive archive;
    v1::ArchivedFile& file = *archive.add_files();
    file.set_name("video.mp4");
    file.set_field("video_url");
    file.set_state(v1::ARCHIVE_STATE_ARCHIVED);
    jobs::SetArchive(archive, job);
    house_.rpc.hub.Publish(job);
    house_.rpc.fake.PutPart("j1", v1::RESULT_PART_RESULT_JSON, R"({"a":1})");
    house_.rpc.on_read_archived = [this](const std::vector<jobs::JobKey>&, const std::string&,
                                         std::int64_t offset, std::int64_t max_bytes,
                                         const rpc::Backend::Done<jobs::PartChunk>& done) {
      const auto from = std::min<std::size_t>(video_.size(), static_cast<std::size_t>(offset));
      done(jobs::PartChunk{.data = video_.substr(from, static_cast<std::size_t>(max_bytes)),
                           .total_bytes = static_cast<std::int64_t>(video_.size())});
    };
  }

  PlainReply Video(const std::string& range = "", const std::string& more = "") {
    return house_.Get("/v1/jobs/j1/files/video.mp4",
                      (range.empty() ? "" : "Range: " + range + "\r\n") + more);
  }

  std::string video_;
  FaceHouse house_;
};

TEST_F(FaceFilesTest, SendsTheWholeFile) {
  const PlainReply got = Video();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.headers.at("content-length"), "600000");
  EXPECT_EQ(got.headers.at("content-type"), "video/mp4");
  EXPECT_EQ(got.headers.at("accept-ranges"), "bytes");
  EXPECT_TRUE(got.body == video_);
}

// A <video> asks for the middle of it.
TEST_F(FaceFilesTest, AFileWithoutANameHasItsTypeWhereverItIsReadFrom) {
  for (const char* const range : {"", "Range: bytes=0-\r\n", "Range: bytes=10-20\r\n",
                                  "Range: bytes=-5\r\n", "Range: bytes=300000-\r\n"}) {
    EXPECT_EQ(house_.Get("/v1/jobs/j1:file", range).headers.at("content-type"), "video/mp4")
        << range;
  }
}

struct PartRow {
  const char* range;
  std::size_t first;
  std::size_t count;
};

TEST_F(FaceFilesTest, SendsThePartThatIsAskedFor) {
  for (const PartRow& row :
       {PartRow{"bytes=0-9", 0, 10}, PartRow{"bytes=300000-", 300'000, 300'000},
        PartRow{"bytes=-5", 599'995, 5}, PartRow{"bytes=599999-", 599'999, 1},
        PartRow{"bytes=10-9999999", 10, 599'990},
        PartRow{"bytes=0-9223372036854775807", 0, 600'000},
        PartRow{"bytes=7-9223372036854775807", 7, 599'993}, PartRow{"bytes=-9999999", 0, 600'000},
        PartRow{"bytes=262143-262144", 262'143, 2}}) {
    const PlainReply got = Video(row.range);
    EXPECT_EQ(got.status, 206) << row.range;
    EXPECT_TRUE(got.body == video_.substr(row.first, row.count)) << row.range << got.body.size();
    EXPECT_EQ(got.headers.at("content-range"), "bytes " + std::to_string(row.first) + "-" +
                                                   std::to_string(row.first + row.count - 1) +
                                                   "/600000");
  }
}

TEST_F(FaceFilesTest, SaysHowLongTheFileIsWhereTheRangeIsNot) {
  for (const char* const range : {"bytes=600000-", "bytes=700000-", "bytes=-0"}) {
    const PlainReply got = Video(range);
    EXPECT_EQ(got.status, 416) << range;
    EXPECT_EQ(got.headers.at("content-range"), "bytes */600000") << range;
  }
  // A part's offset has fewer bits than some ranges.
  EXPECT_EQ(house_.Get("/v1/jobs/j1:read", "Range: bytes=5000000000-\r\n").status, 416);
}

TEST_F(FaceFilesTest, KnowsWhatTheCallerHas) {
  const std::string tag = Video().headers.at("etag");
  EXPECT_EQ(Video("", "If-None-Match: " + tag + "\r\n").status, 304);
  EXPECT_EQ(Video("", "If-None-Match: \"other\"\r\n").status, 200);
  EXPECT_EQ(Video("bytes=1-2", "If-Range: " + tag + "\r\n").status, 206);
  const PlainReply whole = Video("bytes=1-2", "If-Range: \"other\"\r\n");
  EXPECT_EQ(whole.status, 200);
  EXPECT_TRUE(whole.body == video_);
}

TEST_F(FaceFilesTest, WhatIsNotSentIsNotRead) {
  const std::string tag = Video().headers.at("etag");
  Video("", "If-None-Match: " + tag + "\r\n");
  Video("bytes=700000-");
  Video("bytes=-5");
  test::Await([&] { return house_.rpc.ended().size() >= 6; }, "all calls");
  house_.rpc.server->inside_calls().AwaitNone();
  test::Await([&] { return house_.rpc.server->open_calls() == 0; }, "the end of all calls");
}

TEST_F(FaceFilesTest, SendsAPartOfAResultAsItIs) {
  const PlainReply got = house_.Get("/v1/jobs/j1:read");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, R"({"a":1})");
  EXPECT_EQ(got.headers.at("content-type"), "application/json");
  EXPECT_EQ(house_.Get("/v1/jobs/j1:read", "Range: bytes=1-3\r\n").body, R"("a")");
  EXPECT_EQ(house_.Get("/v1/jobs/j1:read?part=RESULT_PART_SRT").status, 404);
  const PlainReply offset = house_.Get("/v1/jobs/j1:read?offset=1");
  EXPECT_EQ(offset.status, 400);
  EXPECT_THAT(offset.body, HasSubstr("Range"));
}

}  // namespace
}  // namespace gateway::face
