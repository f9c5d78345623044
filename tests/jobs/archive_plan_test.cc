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

TEST(ArchivePlan, AJobIsArchivingUntilNothingIsToBeDone) {
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
  EXPECT_TRUE(IsArchiving(record)) << "its files are still to go";
  record.job.archive_wire.clear();
  EXPECT_FALSE(IsArchiving(record));
}

JobRecord Adopted(JobKind kind = v1::JOB_KIND_RENDER) {
  JobRecord record = test::RecordOf(SubmissionState::kAccepted, "adopted");
  record.job = Rendered();
  record.job.job_id = "adopted";
  record.job.kind = kind;
  PlanArchive(record.job);
  v1::Archive archive = ArchiveOf(record.job);
  archive.mutable_files(0)->set_state(v1::ARCHIVE_STATE_ARCHIVED);
  archive.mutable_files(0)->set_sha256("hash");
  archive.mutable_files(1)->set_refusals(3);
  SetArchive(archive, record.job);
  return record;
}

TEST(TakeOverArchive, WhatIsKeptStaysKeptAndTheRestIsGoneOnWith) {
  const JobRecord adopted = Adopted();
  JobRecord taking = adopted;
  taking.job.job_id = "submitted";
  TakeOverArchive(adopted.job, taking.job);
  const v1::Archive archive = ArchiveOf(taking.job);
  ASSERT_THAT(Names(taking.job), ElementsAre("video.mp4", "video.vtt"));
  EXPECT_EQ(archive.files(0).sha256(), "hash");
  EXPECT_EQ(archive.files(1).refusals(), 3);
  EXPECT_THAT(archive.taken_over(), ElementsAre("adopted"));
  EXPECT_THAT(PlacesOf("acme", "submitted", archive),
              ElementsAre(JobKey{"acme", "submitted"}, JobKey{"acme", "adopted"}));
}

TEST(TakeOverArchive, AJobWithoutFilesLeavesNothing) {
  JobRecord adopted = Adopted();
  adopted.job.archive_wire.clear();
  Job taking = Adopted().job;
  TakeOverArchive(adopted.job, taking);
  EXPECT_EQ(taking.archive_wire, "");
}

// Its video may be the only copy, whatever it is called now.
TEST(TakeOverArchive, AResultThatIsReadAsAnotherKindKeepsItsFiles) {
  const JobRecord adopted = Adopted();
  Job taking = adopted.job;
  v1::Job shown;
  shown.mutable_video()->set_url("https://x/v.mp4");
  shown.mutable_video()->set_thumbnail_image_url("https://x/t.png");
  taking.result_wire = shown.SerializeAsString();
  TakeOverArchive(adopted.job, taking);
  v1::Archive archive = ArchiveOf(taking);
  ASSERT_THAT(Names(taking), ElementsAre("video.mp4", "thumbnail.jpg"));
  EXPECT_EQ(archive.files(0).sha256(), "hash");
  EXPECT_EQ(archive.files(0).field(), "url");
  EXPECT_EQ(archive.files(1).state(), v1::ARCHIVE_STATE_PENDING);
  // A picture's name ends as its bytes said.
  JobRecord with_picture = adopted;
  v1::ArchivedFile& picture = *archive.mutable_files(1);
  picture.set_name("thumbnail.png");
  picture.set_state(v1::ARCHIVE_STATE_ARCHIVED);
  SetArchive(archive, with_picture.job);
  TakeOverArchive(with_picture.job, taking);
  EXPECT_THAT(Names(taking), ElementsAre("video.mp4", "thumbnail.png"));
  shown.mutable_preview();
  taking.result_wire = shown.SerializeAsString();
  TakeOverArchive(adopted.job, taking);
  archive = ArchiveOf(taking);
  EXPECT_THAT(Names(taking), ElementsAre("video.mp4")) << "what is here, and nothing else";
  EXPECT_EQ(archive.files(0).sha256(), "hash");
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
