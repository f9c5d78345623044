// ReadArchivedFile, through a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/limits.h"
#include "jobs/archive_plan.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using test::FromGrpc;
using test::MakeJob;
using test::RpcHouse;
using testing::ElementsAre;
using testing::HasSubstr;

class ArchiveTest : public testing::Test {
 protected:
  ArchiveTest() {
    for (int i = 0; i < 600'000; ++i) video_.push_back(static_cast<char>('a' + i % 23));
    jobs::Job job = MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 2);
    v1::Archive archive;
    Add(archive, "video.mp4", "video_url", v1::ARCHIVE_STATE_ARCHIVED);
    Add(archive, "video.srt", "srt_url", v1::ARCHIVE_STATE_PENDING).set_problem("the disk is full");
    Add(archive, "audio.mp3", "audio_url", v1::ARCHIVE_STATE_FAILED).set_problem("HTTP 404");
    archive.add_taken_over("adopted");
    jobs::SetArchive(archive, job);
    house_.hub.Publish(job);
    house_.on_read_archived = [this](const std::vector<jobs::JobKey>& places,
                                     const std::string& name, std::int64_t offset,
                                     std::int64_t max_bytes,
                                     const RpcHouse::Done<jobs::PartChunk>& done) {
      EXPECT_THAT(places,
                  ElementsAre(jobs::JobKey{"default", "j1"}, jobs::JobKey{"default", "adopted"}));
      EXPECT_EQ(name, "video.mp4");
      ++reads_;
      if (!broken_.ok()) return done(broken_);
      const auto from = std::min<std::size_t>(video_.size(), static_cast<std::size_t>(offset));
      done(jobs::PartChunk{.data = video_.substr(from, static_cast<std::size_t>(max_bytes)),
                           .total_bytes = static_cast<std::int64_t>(video_.size())});
    };
  }
  static v1::ArchivedFile& Add(v1::Archive& archive, const char* name, const char* field,
                               v1::ArchiveState state) {
    v1::ArchivedFile& file = *archive.add_files();
    file.set_name(name);
    file.set_field(field);
    file.set_state(state);
    return file;
  }

  // What a caller gets.
  struct Read {
    std::string bytes;
    std::vector<std::int64_t> offsets;
    std::string name;  // of the file, as the answer has it
    std::int64_t total = -1;
    absl::Status status;
    std::string reason() const { return std::string(errors::Reason(status)); }
  };
  Read Get(const std::string& job_id, const std::string& name = "", std::int64_t offset = 0) {
    grpc::ClientContext context;
    v1::ReadArchivedFileRequest request;
    request.set_job_id(job_id);
    request.set_name(name);
    request.set_offset(offset);
    const auto reader = house_.stub->ReadArchivedFile(&context, request);
    Read read;
    v1::ReadArchivedFileResponse response;
    while (reader->Read(&response)) {
      EXPECT_LE(response.data().size(), limits::kChunkMaxBytes);
      read.offsets.push_back(response.offset());
      read.bytes += response.data();
      read.total = response.total_bytes();
      read.name = response.name();
    }
    read.status = FromGrpc(reader->Finish());
    return read;
  }

  RpcHouse house_;
  std::string video_;
  absl::Status broken_;
  std::atomic<int> reads_{0};
};

TEST_F(ArchiveTest, StreamsAFileInChunks) {
  const Read whole = Get("j1", "video.mp4");
  EXPECT_TRUE(whole.status.ok()) << whole.status;
  EXPECT_EQ(whole.bytes, video_);
  EXPECT_EQ(whole.total, 600'000);
  EXPECT_THAT(whole.offsets, ElementsAre(0, 262'144, 524'288));
  EXPECT_EQ(Get("pictory-j1").bytes, video_) << "without a name it is the mp4";
  EXPECT_EQ(Get("j1", "", 599'990).bytes, video_.substr(599'990));
  EXPECT_EQ(Get("j1", "", 599'990).name, "video.mp4");
  EXPECT_EQ(Get("j1", "", 600'000).total, 600'000);
}

TEST_F(ArchiveTest, WhatIsNotThereIsNamed) {
  EXPECT_EQ(Get("j1", "video.vtt").reason(), "FILE_NOT_FOUND");
  EXPECT_EQ(Get("j1", "../j2/video.mp4").reason(), "FILE_NOT_FOUND");
  const Read pending = Get("j1", "video.srt");
  EXPECT_EQ(pending.reason(), "FILE_NOT_ARCHIVED");
  EXPECT_THAT(std::string(pending.status.message()),
              HasSubstr("not archived yet: the disk is full"));
  const Read failed = Get("j1", "audio.mp3");
  EXPECT_EQ(failed.reason(), "FILE_NOT_ARCHIVED");
  EXPECT_THAT(std::string(failed.status.message()), HasSubstr("could not be archived: HTTP 404"));
  house_.hub.Publish(MakeJob("running", v1::JOB_STATE_RUNNING, 1));
  EXPECT_EQ(Get("running").reason(), "JOB_NOT_FINISHED");
  house_.hub.Publish(MakeJob("unarchived", v1::JOB_STATE_SUCCEEDED, 1));
  EXPECT_EQ(Get("unarchived").reason(), "FILE_NOT_FOUND");
  EXPECT_EQ(reads_, 0);
}

TEST_F(ArchiveTest, OddRequestsAreRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(Get("").status));
  EXPECT_TRUE(absl::IsInvalidArgument(Get("j1", "", -1).status));
  EXPECT_TRUE(absl::IsInvalidArgument(Get("j1", std::string(65, 'x')).status));
  const Read past = Get("j1", "", 600'001);
  EXPECT_TRUE(absl::IsInvalidArgument(past.status));
  EXPECT_THAT(std::string(past.status.message()), HasSubstr("600000"));
}

TEST_F(ArchiveTest, AJobOfAnotherTenantIsAnUnknownOne) {
  jobs::Job foreign = MakeJob("foreign", v1::JOB_STATE_SUCCEEDED, 1);
  foreign.tenant = "another";
  v1::Archive archive;
  Add(archive, "video.mp4", "video_url", v1::ARCHIVE_STATE_ARCHIVED);
  jobs::SetArchive(archive, foreign);
  house_.hub.Publish(foreign);
  const absl::Status refused = Get("foreign").status;
  absl::Status unknown = Get("unknown").status;
  EXPECT_EQ(errors::Reason(refused), "JOB_NOT_FOUND");
  EXPECT_EQ(refused.code(), unknown.code());
  EXPECT_EQ(errors::Reason(refused), errors::Reason(unknown));
  EXPECT_EQ(reads_, 0);
}

TEST_F(ArchiveTest, WhatHasGoneSinceIsNotThere) {
  broken_ = absl::NotFoundError("The file is not there any more");
  EXPECT_EQ(Get("j1").reason(), "FILE_NOT_FOUND");
  broken_ = absl::InternalError("Input/output error");
  EXPECT_EQ(Get("j1").status.code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace gateway::rpc
