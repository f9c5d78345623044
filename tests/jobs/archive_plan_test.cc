#include "jobs/archive_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/limits.h"
#include "jobs/snapshot.h"
#include "pictory/bindings.h"
#include "support/records.h"

namespace gateway::jobs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Job Rendered() {
  JobRecord record = test::RecordOf(SubmissionState::kAccepted);
  record.job.state = v1::JOB_STATE_SUCCEEDED;
  v1::Job shown;
  shown.mutable_render()->set_video_url("https://x/v.mp4");
  shown.mutable_render()->set_share_url("https://x/page");
  shown.mutable_render()->set_vtt_url("https://x/v.vtt");
  record.job.result_wire = shown.SerializeAsString();
  return record.job;
}

std::vector<std::string> Names(const Job& job) {
  std::vector<std::string> names;
  const v1::Archive archive = ArchiveOf(job);
  for (const v1::ArchivedFile& file : archive.files()) names.push_back(file.name());
  return names;
}

TEST(ArchivePlan, EachFileOfAResultIsPlannedAndItsPagesAreNot) {
  Job job = Rendered();
  PlanArchive(job);
  EXPECT_THAT(Names(job), ElementsAre("video.mp4", "video.vtt"));
  const v1::Archive archive = ArchiveOf(job);
  EXPECT_EQ(archive.files(1).field(), "vtt_url");
  EXPECT_EQ(archive.files(1).state(), v1::ARCHIVE_STATE_PENDING);
  EXPECT_EQ(UrlOf(job, archive.files(1)), "https://x/v.vtt");
  EXPECT_EQ(ToProto(job).archive().files_size(), 2) << "callers see it";
}

TEST(ArchivePlan, OnlyOfWhatHasSucceededAndHasFiles) {
  Job failed = Rendered();
  failed.state = v1::JOB_STATE_FAILED;
  PlanArchive(failed);
  EXPECT_EQ(failed.archive_wire, "");
  Job empty = Rendered();
  empty.result_wire.clear();
  PlanArchive(empty);
  EXPECT_EQ(empty.archive_wire, "");
  Job preview = Rendered();
  v1::Job shown;
  shown.mutable_preview()->set_preview_url("https://x/page");
  preview.result_wire = shown.SerializeAsString();
  PlanArchive(preview);
  EXPECT_EQ(preview.archive_wire, "");
}

TEST(ArchivePlan, APlanIsMadeOnce) {
  Job job = Rendered();
  PlanArchive(job);
  v1::Archive archive = ArchiveOf(job);
  archive.mutable_files(0)->set_state(v1::ARCHIVE_STATE_ARCHIVED);
  SetArchive(archive, job);
  PlanArchive(job);
  EXPECT_EQ(ArchiveOf(job).files(0).state(), v1::ARCHIVE_STATE_ARCHIVED);
}

TEST(ArchivePlan, AJobIsArchivingUntilNothingIsPending) {
  JobRecord record = test::RecordOf(SubmissionState::kAccepted);
  record.job = Rendered();
  EXPECT_FALSE(IsArchiving(record));
  PlanArchive(record.job);
  EXPECT_TRUE(IsArchiving(record));
  v1::Archive archive = ArchiveOf(record.job);
  archive.mutable_files(0)->set_state(v1::ARCHIVE_STATE_ARCHIVED);
  SetArchive(archive, record.job);
  EXPECT_TRUE(IsArchiving(record));
  archive.mutable_files(1)->set_state(v1::ARCHIVE_STATE_FAILED);
  SetArchive(archive, record.job);
  EXPECT_FALSE(IsArchiving(record));
  record.submission = SubmissionState::kDeleted;
  PlanArchive(record.job);
  EXPECT_FALSE(IsArchiving(record)) << "callers do not see it";
}

TEST(ArchivePlan, AFileIsFoundByItsNameOrAsTheMainOne) {
  Job job = Rendered();
  PlanArchive(job);
  const v1::Archive archive = ArchiveOf(job);
  EXPECT_EQ(FindFile(archive, "")->name(), "video.mp4");
  EXPECT_EQ(FindFile(archive, "video.vtt")->field(), "vtt_url");
  EXPECT_EQ(FindFile(archive, "../video.vtt"), nullptr);
  EXPECT_EQ(FindFile(v1::Archive(), ""), nullptr);
}

TEST(ArchivePlan, WhatTheStoreGivesBackBrokenIsNoArchive) {
  Job job = Rendered();
  job.archive_wire = "\xff\xff";
  EXPECT_THAT(Names(job), IsEmpty());
}

// The names stand in paths and in an RPC.
TEST(ArchivePlan, EveryNameThatIsDeclaredFits) {
  const auto* const results = v1::Job::descriptor()->FindOneofByName("result");
  int names = 0;
  for (int i = 0; i < results->field_count(); ++i) {
    const auto* const result = results->field(i)->message_type();
    std::set<std::string> of_one;
    for (int j = 0; j < result->field_count(); ++j) {
      const std::string& name = pictory::MappingOf(result->field(j)).archived_as();
      if (name.empty()) continue;
      ++names;
      EXPECT_TRUE(of_one.insert(name).second) << name;
      EXPECT_LE(name.size(), limits::kArchiveNameMaxBytes);
      EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-."), std::string::npos)
          << name;
      EXPECT_NE(name.front(), '.') << name;
    }
  }
  EXPECT_EQ(names, 11);
}

}  // namespace
}  // namespace gateway::jobs
