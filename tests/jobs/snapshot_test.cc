#include "jobs/snapshot.h"

#include <gtest/gtest.h>

#include <unordered_set>

#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/fake_store.h"

namespace gateway::jobs {
namespace {

using test::MakeJob;

Job Finished() {
  Job job = MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 5);
  job.kind = v1::JOB_KIND_TRANSCRIPTION;
  job.progress_percent = 0.0;
  job.labels = {{"team", "a"}, {"cost", "b"}};
  job.finish_time = job.update_time;
  job.credits_used = 2.5;
  v1::Job result;
  result.mutable_transcription()->set_txt("what was said");
  result.mutable_transcription()->set_edit_video_url("https://edit");
  result.add_omitted_parts(v1::RESULT_PART_TRANSCRIPT_JSON);
  job.result_wire = result.SerializeAsString();
  return job;
}

TEST(SnapshotTest, LabelsAreInOneOrder) {
  Job job = Finished();
  for (int i = 0; i < 30; ++i) job.labels["key" + std::to_string(i)] = "v";
  const std::string first = *JobFrame(MakeSnapshot(job), false);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(*JobFrame(MakeSnapshot(job), false), first);
}

TEST(SnapshotTest, FrameIsTheResponseOfEveryMethodThatHoldsAJob) {
  const Job job = Finished();
  const SnapshotPtr snapshot = MakeSnapshot(job);
  const std::string& bytes = *JobFrame(snapshot, false);

  v1::GetJobResponse get;
  ASSERT_TRUE(get.ParseFromString(bytes));
  EXPECT_EQ(get.job().SerializeAsString().size(), ToProto(job).SerializeAsString().size());
  EXPECT_EQ(get.job().transcription().txt(), "what was said");
  EXPECT_EQ(get.job().labels().at("team"), "a");
  EXPECT_TRUE(get.job().has_progress_percent());
  EXPECT_EQ(get.job().create_time().seconds(), 1'700'000'000);
  EXPECT_FALSE(get.job().upstream_degraded());

  v1::WatchJobResponse watch;
  ASSERT_TRUE(watch.ParseFromString(bytes));
  EXPECT_EQ(watch.job().revision(), 5);
  v1::SummarizeResponse summarize;
  ASSERT_TRUE(summarize.ParseFromString(bytes));
  EXPECT_EQ(summarize.job().job_id(), "j1");
}

TEST(SnapshotTest, EverythingIsKeptOnce) {
  const Job job = Finished();
  const SnapshotPtr snapshot = MakeSnapshot(job);
  EXPECT_EQ(snapshot->result_wire(), job.result_wire);
  EXPECT_EQ(snapshot->job_id(), job.job_id);
  EXPECT_EQ(snapshot->pictory_job_id(), job.pictory_job_id);
  for (const std::string_view name : {snapshot->job_id(), snapshot->pictory_job_id()}) {
    EXPECT_GE(name.data(), snapshot->frame.data());
    EXPECT_LT(name.data(), snapshot->frame.data() + snapshot->frame.size());
  }
}

TEST(SnapshotTest, IsFoundByTheNameThatStandsInIt) {
  struct Holder {
    SnapshotPtr job;
  };
  struct HeldJob {
    JobKeyView operator()(const Holder& holder) const { return holder.job->key(); }
  };
  std::unordered_set<std::unique_ptr<Holder>, ByName<HeldJob>, ByName<HeldJob>> holders;
  for (const char* id : {"j1", "j2"}) {
    holders.insert(
        std::make_unique<Holder>(Holder{MakeSnapshot(MakeJob(id, v1::JOB_STATE_QUEUED, 1))}));
  }
  EXPECT_FALSE(holders
                   .insert(std::make_unique<Holder>(
                       Holder{MakeSnapshot(MakeJob("j1", v1::JOB_STATE_RUNNING, 2))}))
                   .second);
  EXPECT_EQ((*holders.find(JobKeyView{"default", "j2"}))->job->job_id(), "j2");
  EXPECT_EQ(holders.find(JobKeyView{"other", "j2"}), holders.end());
  EXPECT_EQ(std::hash<JobKey>()({"default", "j1"}), std::hash<JobKeyView>()({"default", "j1"}));
}

TEST(SnapshotTest, AJobOfWhichPictoryHasNoIdYet) {
  Job job = Finished();
  job.pictory_job_id.clear();
  EXPECT_TRUE(MakeSnapshot(job)->pictory_job_id().empty());
  EXPECT_EQ(ToProto(*MakeSnapshot(job)).job_id(), "j1");
}

TEST(SnapshotTest, SharedWithoutACopyUnlessDegraded) {
  const SnapshotPtr snapshot = MakeSnapshot(Finished());
  EXPECT_EQ(JobFrame(snapshot, false).get(), &snapshot->frame);
  v1::GetJobResponse get;
  ASSERT_TRUE(get.ParseFromString(*JobFrame(snapshot, true)));
  EXPECT_TRUE(get.job().upstream_degraded());
  EXPECT_EQ(get.job().transcription().txt(), "what was said");
}

TEST(SnapshotTest, FullFrameHasTheOtherResultInsteadOfTheBasicOne) {
  const SnapshotPtr snapshot = MakeSnapshot(Finished());
  v1::Job full;
  full.mutable_transcription()->add_transcript()->set_text("one");
  v1::GetJobResponse get;
  ASSERT_TRUE(get.ParseFromString(*FullFrame(*snapshot, full.SerializeAsString(), true)));
  EXPECT_EQ(get.job().job_id(), "j1");
  EXPECT_EQ(get.job().transcription().transcript_size(), 1);
  EXPECT_EQ(get.job().transcription().txt(), "");
  EXPECT_EQ(get.job().omitted_parts_size(), 0);
  EXPECT_TRUE(get.job().upstream_degraded());
}

TEST(SnapshotTest, ListsLeaveTextsOutAndSaySo) {
  const v1::Job listed = ToListProto(Finished());
  EXPECT_EQ(listed.transcription().txt(), "");
  EXPECT_EQ(listed.transcription().edit_video_url(), "https://edit");
  ASSERT_EQ(listed.omitted_parts_size(), 2);
  EXPECT_EQ(listed.omitted_parts(1), v1::RESULT_PART_TXT);
}

TEST(SnapshotTest, HeartbeatNamesTheRevision) {
  v1::WatchJobResponse watch;
  ASSERT_TRUE(watch.ParseFromString(*HeartbeatFrame(7, true, false)));
  EXPECT_EQ(watch.heartbeat().revision(), 7);
  EXPECT_TRUE(watch.heartbeat().upstream_degraded());
  EXPECT_FALSE(watch.heartbeat().store_away());
  ASSERT_TRUE(watch.ParseFromString(*HeartbeatFrame(7, false, true)));
  EXPECT_TRUE(watch.heartbeat().store_away());
}

TEST(SnapshotTest, TimesBeforeTheEpochAreWholeTimestamps) {
  Job job = MakeJob("j", v1::JOB_STATE_QUEUED, 1);
  job.create_time = WallTime(std::chrono::microseconds(-1));
  EXPECT_EQ(ToProto(job).create_time().seconds(), -1);
  EXPECT_EQ(ToProto(job).create_time().nanos(), 999'999'000);
}

}  // namespace
}  // namespace gateway::jobs
