#include "archive/archiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>

#include "base/ids.h"
#include "base/limits.h"
#include "jobs/archive_plan.h"
#include "jobs/snapshot.h"
#include "store/memory_job_store.h"
#include "support/fake_clock.h"
#include "support/records.h"

namespace gateway::archive {
namespace {

using jobs::JobKey;
using jobs::JobRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;
namespace v1 = jobs::v1;

constexpr char kVideo[] = "https://d1.cloudfront.net/v.mp4";
constexpr char kNewVideo[] = "https://d1.cloudfront.net/v.mp4?signed=anew";

std::string RenderWire(const std::string& video, const std::string& srt = "") {
  v1::Job job;
  job.mutable_render()->set_video_url(video);
  job.mutable_render()->set_srt_url(srt);
  return job.SerializeAsString();
}

class ArchiverTest : public testing::Test {
 protected:
  // The archiver of one process; another one stands for a restart.
  void Start(int places = 1, bool counted = true) {
    ArchiverHands hands;
    hands.keep = [this](const JobKey& job, const std::string& name, const std::string& url,
                        const std::atomic<bool>& stop) -> absl::StatusOr<WholeFile> {
      tried_.push_back(job.id + "/" + name + " " + url);
      if (during_) during_(stop);
      if (stop) return absl::CancelledError("stop");
      const auto why = failing_.find(url);
      if (why != failing_.end()) return why->second;
      return WholeFile{.name = name, .bytes = 3, .sha256 = "hash"};
    };
    hands.drop = [this](const JobKey&, const std::string& name) { dropped_.push_back(name); };
    hands.move = [this](const JobKey& from, const JobKey& to) {
      moved_.push_back(from.id + " to " + to.id);
      return move_;
    };
    hands.remove = [this](const JobKey& job) {
      removed_.push_back(job.id);
      return absl::OkStatus();
    };
    hands.ask = [this](const jobs::Job&, std::function<void(jobs::FreshLinks)> done) {
      ++asked_;
      done(fresh_);
    };
    hands.run = [this](int, std::function<void()> work) {
      held_ ? work_.push_back(std::move(work)) : work();
    };
    archiver_ = std::make_unique<Archiver>(
        ArchiverOptions{.places = places}, std::move(hands), *shards_, ledger_, store_, clock_,
        clock_, random_, ArchiverEvents{.ended = [this](const auto& job, const auto&) {
          ended_.push_back(job.job_id);
        }});
    if (counted) archiver_->Start();
  }
  void SetUp() override {
    ledger_.CompleteWith([](JobRecord& record) { jobs::PlanArchive(record.job); });
    ledger_.Observe([this](const JobRecord& record, const jobs::SnapshotPtr& seen) {
      seen == nullptr ? archiver_->Dismiss({record.job.tenant, record.job.job_id})
                      : archiver_->OnChange(record);
    });
    ledger_.ForgottenBy([this](const JobKey& key) { archiver_->Remove(key, nullptr); });
    Start();
  }

  // Has a job end with this result.
  void Succeed(const std::string& id, const std::string& result_wire) {
    JobRecord record = test::RecordOf(jobs::SubmissionState::kAccepted, id, clock_.WallNow());
    record.job.state = v1::JOB_STATE_SUCCEEDED;
    record.job.finish_time = clock_.WallNow();
    record.job.result_wire = result_wire;
    record.job.request_id.clear();
    ledger_.Adopt(std::move(record),
                  [](const jobs::Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
  }
  void TakeUp() {
    store_.ReadArchiving(
        {0}, [this](const jobs::ShardJob& job) { archiver_->Follow(job); },
        [](const absl::Status& read) { ASSERT_TRUE(read.ok()) << read; });
  }
  JobRecord Stored(const std::string& id = "j1") {
    std::optional<JobRecord> stored;
    store_.Find("default", id, [&](const auto& found) { stored = *found; });
    return stored.value_or(JobRecord{});
  }
  v1::ArchivedFile File(int index = 0, const std::string& id = "j1") {
    return jobs::ArchiveOf(Stored(id).job).files(index);
  }

  test::FakeClock clock_;
  const std::unique_ptr<jobs::Shards> alone_ = std::make_unique<jobs::Shards>(true, clock_);
  jobs::Shards* shards_ = alone_.get();
  store::MemoryJobStore store_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  jobs::Hub hub_{jobs::HubOptions{}, store_, broadcaster_};
  jobs::Ledger ledger_{store_, store_, hub_};
  Random random_{1};

  std::map<std::string, absl::Status> failing_;  // by URL
  std::function<void(const std::atomic<bool>&)> during_;
  jobs::FreshLinks fresh_;
  bool held_ = false;  // work waits in `work_`
  std::deque<std::function<void()>> work_;
  std::vector<std::string> tried_, dropped_, moved_, removed_, ended_;
  absl::Status move_;
  int asked_ = 0;
  std::unique_ptr<Archiver> archiver_;
};

TEST_F(ArchiverTest, KeepsTheFilesOfAJobThatEndsAndSaysSo) {
  Succeed("j1", RenderWire(kVideo, "https://d1.cloudfront.net/v.srt"));
  EXPECT_THAT(tried_, ElementsAre(std::string("j1/video.mp4 ") + kVideo,
                                  "j1/video.srt https://d1.cloudfront.net/v.srt"));
  EXPECT_EQ(File(0).state(), v1::ARCHIVE_STATE_ARCHIVED);
  EXPECT_EQ(File(0).bytes(), 3);
  EXPECT_EQ(File(0).sha256(), "hash");
  EXPECT_EQ(File(1).state(), v1::ARCHIVE_STATE_ARCHIVED);
  EXPECT_THAT(ended_, ElementsAre("j1"));
  EXPECT_EQ(archiver_->waiting(), 0u);
  EXPECT_EQ(archiver_->counts().archived, 2u);
  EXPECT_EQ(hub_.Find("default", "j1")->revision, Stored().job.revision) << "callers see it";
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(clock_.pending(), 0u);
}

TEST_F(ArchiverTest, TriesAgainLaterAndOnlyWhatIsMissing) {
  failing_[kVideo] = absl::UnavailableError("The fetch broke off");
  Succeed("j1", RenderWire(kVideo, "https://d1.cloudfront.net/v.srt"));
  EXPECT_EQ(File(0).state(), v1::ARCHIVE_STATE_PENDING);
  EXPECT_EQ(File(0).problem(), "The fetch broke off");
  EXPECT_EQ(File(1).state(), v1::ARCHIVE_STATE_ARCHIVED);
  const std::int64_t revision = Stored().job.revision;
  clock_.Advance(10s);
  EXPECT_EQ(tried_.size(), 3u);
  EXPECT_EQ(Stored().job.revision, revision) << "the same trouble is no news";
  failing_.clear();
  clock_.Advance(30s);
  EXPECT_EQ(tried_.size(), 4u);
  EXPECT_EQ(File(0).state(), v1::ARCHIVE_STATE_ARCHIVED);
  EXPECT_EQ(File(0).problem(), "");
  EXPECT_EQ(File(0).refusals(), 0);
}

TEST_F(ArchiverTest, ARefusedLinkIsAskedForAnewOnceAndUsed) {
  failing_[kVideo] = absl::PermissionDeniedError("The file's server answered HTTP 403");
  fresh_ = {.asked = true, .result_wire = RenderWire(kNewVideo)};
  Succeed("j1", RenderWire(kVideo));
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(tried_.back(), std::string("j1/video.mp4 ") + kNewVideo);
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_ARCHIVED);
  EXPECT_EQ(Stored().job.result_wire, RenderWire(kVideo)) << "nothing else of the job changes";
}

TEST_F(ArchiverTest, ANewLinkIsUsedUntilTheFileIsHere) {
  failing_[kVideo] = absl::PermissionDeniedError("403");
  failing_[kNewVideo] = absl::UnavailableError("broke off");
  fresh_ = {.asked = true, .result_wire = RenderWire(kNewVideo)};
  Succeed("j1", RenderWire(kVideo));
  EXPECT_EQ(File().problem(), "broke off");
  failing_.erase(kNewVideo);
  clock_.Advance(10s);
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_ARCHIVED);
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(tried_.size(), 3u);
}

TEST_F(ArchiverTest, PictoryIsAskedOnceForAJobHoweverOftenItsLinkIsRefused) {
  failing_[kVideo] = absl::PermissionDeniedError("The file's server answered HTTP 403");
  fresh_ = {.asked = true, .result_wire = RenderWire(kVideo)};
  Succeed("j1", RenderWire(kVideo));
  EXPECT_EQ(tried_.size(), 1u) << "the same link is not tried twice";
  EXPECT_EQ(File().refusals(), 1);
  // A restart does not begin to count anew.
  Start();
  archiver_->Follow({{"default", "j1"}});
  EXPECT_EQ(File().refusals(), 2);
  clock_.Advance(24h);
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_FAILED);
  EXPECT_EQ(File().problem(), "The file's server answered HTTP 403");
  EXPECT_EQ(File().refusals(), 8);
  EXPECT_EQ(tried_.size(), 8u);
  EXPECT_EQ(asked_, 1);
  EXPECT_THAT(dropped_, ElementsAre("video.mp4"));
  EXPECT_EQ(Stored().job.state, v1::JOB_STATE_SUCCEEDED);
}

TEST_F(ArchiverTest, WherePictoryCannotBeAskedNothingCounts) {
  failing_[kVideo] = absl::PermissionDeniedError("The file's server answered HTTP 403");
  Succeed("j1", RenderWire(kVideo));
  EXPECT_EQ(File().refusals(), 0);
  EXPECT_THAT(File().problem(), HasSubstr("HTTP 403, and Pictory could not be asked"));
  fresh_ = {.asked = true, .result_wire = RenderWire(kNewVideo)};
  clock_.Advance(10s);
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_ARCHIVED);
}

// Only what Pictory's side has said counts.
TEST_F(ArchiverTest, AnAttemptThatTheEndOfTheProcessCutsOffCountsNothing) {
  failing_[kVideo] = absl::PermissionDeniedError("403");
  fresh_ = {.asked = true, .result_wire = RenderWire(kNewVideo)};
  during_ = [this](const std::atomic<bool>&) {
    if (tried_.size() == 2) archiver_->Stop();
  };
  Succeed("j1", RenderWire(kVideo));
  ASSERT_EQ(tried_.size(), 2u);
  EXPECT_EQ(File().refusals(), 0);
  EXPECT_EQ(File().problem(), "");
  Start();
  archiver_->Follow({{"default", "j1"}});
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_ARCHIVED) << "by a link that Pictory gave once more";
}

TEST_F(ArchiverTest, TimeInWhichNobodyTriedIsNotTheFilesFault) {
  failing_[kVideo] = absl::UnavailableError("HTTP 503");
  Succeed("j1", RenderWire(kVideo));
  archiver_->Stop();
  clock_.Advance(2 * limits::kArchiveGiveUpAfter);
  Start();
  archiver_->Follow({{"default", "j1"}});
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_PENDING);
  EXPECT_EQ(File().tried_seconds(), 0);
  clock_.Advance(limits::kArchiveGiveUpAfter - 2h);
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_PENDING);
  EXPECT_GE(File().tried_seconds(), std::chrono::seconds(limits::kArchiveGiveUpAfter - 4h).count());
  // Another process goes on counting.
  archiver_->Stop();
  Start();
  archiver_->Follow({{"default", "j1"}});
  clock_.Advance(5h);
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_FAILED);
}

TEST_F(ArchiverTest, OurOwnDiskIsNotTheFilesFault) {
  for (const absl::Status& ours :
       {absl::ResourceExhaustedError("The archive is full"), absl::InternalError("cannot write")}) {
    failing_[kVideo] = ours;
    const std::string id(ours.message());
    Succeed(id, RenderWire(kVideo));
    clock_.Advance(2 * limits::kArchiveGiveUpAfter);
    EXPECT_EQ(File(0, id).state(), v1::ARCHIVE_STATE_PENDING);
    EXPECT_EQ(File(0, id).problem(), ours.message());
    EXPECT_EQ(File(0, id).tried_seconds(), 0);
  }
}

TEST_F(ArchiverTest, NothingIsFetchedBeforeItIsKnownWhatThereIs) {
  Start(/*places=*/1, /*counted=*/false);
  Succeed("j1", RenderWire(kVideo));
  EXPECT_THAT(tried_, IsEmpty());
  archiver_->Remove({"default", "j2"}, nullptr);
  EXPECT_THAT(removed_, ElementsAre("j2")) << "who removes does not wait";
  archiver_->Start();
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_ARCHIVED);
}

// A job that was submitted turns out to be one that was adopted.
class TakenOver : public ArchiverTest {
 protected:
  // Has a submit take over the adopted job of this name.
  void TakeOver(const std::string& adopted) {
    JobRecord record = test::RecordOf(jobs::SubmissionState::kSending, "s1", clock_.WallNow());
    ledger_.Begin(record, [](const auto& begun) { ASSERT_TRUE(begun.ok()); });
    record.version = 1;
    record.submission = jobs::SubmissionState::kAccepted;
    record.job.kind = v1::JOB_KIND_RENDER;
    record.job.state = v1::JOB_STATE_QUEUED;
    record.job.pictory_job_id = Stored(adopted).job.pictory_job_id;
    record.job.account = Stored(adopted).job.account;
    ledger_.Update({.record = record}, [](const jobs::Ledger::Outcome& outcome) {
      ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    });
  }
};

// They may be the only copy: Pictory's may be gone.
TEST_F(TakenOver, ItsFilesGoWithTheJobThatTakesOver) {
  Succeed("j1", RenderWire(kVideo));
  ASSERT_EQ(tried_.size(), 1u);
  failing_[kVideo] = absl::PermissionDeniedError("404");
  TakeOver("j1");
  EXPECT_EQ(File(0, "s1").state(), v1::ARCHIVE_STATE_ARCHIVED);
  EXPECT_EQ(File(0, "s1").sha256(), "hash");
  EXPECT_THAT(moved_, ElementsAre("j1 to s1"));
  EXPECT_THAT(removed_, IsEmpty());
  EXPECT_EQ(tried_.size(), 1u) << "nothing is fetched a second time";
  EXPECT_EQ(jobs::ArchiveOf(Stored("s1").job).taken_over_size(), 0);
}

TEST_F(TakenOver, AnotherProcessBringsWhatThisOneHasNot) {
  Succeed("j1", RenderWire(kVideo));
  move_ = absl::InternalError("the process was killed here");
  TakeOver("j1");
  EXPECT_THAT(jobs::ArchiveOf(Stored("s1").job).taken_over(), ElementsAre("j1"));
  archiver_->Stop();
  move_ = absl::OkStatus();
  Start();
  TakeUp();
  EXPECT_EQ(moved_.size(), 2u);
  EXPECT_EQ(jobs::ArchiveOf(Stored("s1").job).taken_over_size(), 0);
  EXPECT_EQ(File(0, "s1").state(), v1::ARCHIVE_STATE_ARCHIVED);
  EXPECT_THAT(removed_, IsEmpty());
}

TEST_F(TakenOver, WhatIsBeingFetchedIsGoneOnWithByTheOther) {
  Start(/*places=*/2);
  during_ = [this](const std::atomic<bool>& stop) {
    during_ = nullptr;
    TakeOver("j1");
    EXPECT_TRUE(stop) << "two must not write one file";
    EXPECT_THAT(moved_, IsEmpty());
  };
  Succeed("j1", RenderWire(kVideo));
  EXPECT_THAT(removed_, IsEmpty());
  clock_.Advance(10s);
  EXPECT_THAT(moved_, ElementsAre("j1 to s1"));
  EXPECT_EQ(tried_.back(), std::string("s1/video.mp4 ") + kVideo);
  EXPECT_EQ(File(0, "s1").state(), v1::ARCHIVE_STATE_ARCHIVED);
  EXPECT_EQ(archiver_->waiting(), 0u);
}

// What was deleted while there was no archive is told at the next start with one.
TEST_F(ArchiverTest, TheFilesOfAJobThatIsDeletedAreRemovedWhenItIsTakenUp) {
  Succeed("j1", RenderWire(kVideo));
  JobRecord record = Stored();
  record.submission = jobs::SubmissionState::kDeleted;
  store_.Delete(record, [](const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; });
  Start();
  TakeUp();
  EXPECT_THAT(removed_, ElementsAre("j1"));
  EXPECT_EQ(archiver_->waiting(), 0u);
}

// Of several processes one archives a job: the one that has its shard.
TEST_F(ArchiverTest, FilesAreFetchedWhereTheShardIs) {
  jobs::Shards shards(/*alone=*/false, clock_);
  shards_ = &shards;
  auto hold = [&, epoch = 0](const std::set<std::int32_t>& held) mutable {
    ++epoch;
    std::vector<jobs::Lease> leases;
    for (const std::int32_t shard : held) {
      leases.push_back({.shard = shard, .epoch = epoch, .until = clock_.BootNow() + 24h * 365});
    }
    shards.Set(leases);
  };
  hold({});
  Start();
  Succeed("j1", RenderWire(kVideo));
  TakeUp();
  EXPECT_EQ(archiver_->waiting(), 0u);
  EXPECT_THAT(tried_, IsEmpty());
  hold({0});
  failing_[kVideo] = absl::UnavailableError("HTTP 503");
  TakeUp();
  EXPECT_EQ(tried_.size(), 1u);
  EXPECT_EQ(archiver_->waiting(), 1u);
  hold({});
  archiver_->DropLost();
  EXPECT_EQ(archiver_->waiting(), 0u);
  clock_.Advance(2h);
  EXPECT_EQ(tried_.size(), 1u) << "somebody else tries again";
  hold({0});
  TakeUp();
  EXPECT_EQ(tried_.size(), 2u);
  failing_.clear();
  during_ = [&](const std::atomic<bool>& stop) {
    hold({});
    archiver_->DropLost();
    EXPECT_TRUE(stop);
  };
  clock_.Advance(2h);
  EXPECT_EQ(tried_.size(), 3u);
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_PENDING);
  EXPECT_EQ(archiver_->waiting(), 0u);
}

TEST_F(ArchiverTest, AfterAWeekOfTryingItIsGivenUp) {
  failing_[kVideo] = absl::UnavailableError("HTTP 503");
  Succeed("j1", RenderWire(kVideo));
  clock_.Advance(limits::kArchiveGiveUpAfter - 2h);
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_PENDING);
  clock_.Advance(4h);
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_FAILED);
  EXPECT_THAT(ended_, ElementsAre("j1"));
  EXPECT_EQ(clock_.pending(), 0u);
}

TEST_F(ArchiverTest, AsManyJobsAsThereArePlacesAreFetchedAtOnce) {
  Start(/*places=*/2);
  held_ = true;
  for (const char* id : {"j1", "j2", "j3"}) Succeed(id, RenderWire(kVideo));
  EXPECT_EQ(work_.size(), 2u);
  EXPECT_EQ(archiver_->waiting(), 3u);
  work_.front()();
  EXPECT_EQ(work_.size(), 3u) << "the place is free for the third";
}

TEST_F(ArchiverTest, WhatIsRemovedWhileItIsFetchedIsRemovedAfterwards) {
  bool removed = false;
  during_ = [&](const std::atomic<bool>& stop) {
    archiver_->Remove({"default", "j1"}, [&](const absl::Status& status) {
      EXPECT_TRUE(status.ok());
      removed = true;
    });
    EXPECT_TRUE(stop);
    EXPECT_FALSE(removed);
  };
  Succeed("j1", RenderWire(kVideo));
  EXPECT_TRUE(removed);
  EXPECT_THAT(removed_, ElementsAre("j1"));
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_PENDING);
  EXPECT_EQ(archiver_->waiting(), 0u);
  EXPECT_EQ(clock_.pending(), 0u) << "nobody tries it again";
}

TEST_F(ArchiverTest, WhatSomebodyElseHasChangedMeanwhileStays) {
  during_ = [this](const std::atomic<bool>&) {
    JobRecord record = Stored();
    record.job.labels = {{"changed", "meanwhile"}};
    ledger_.Update({.record = record}, [](const jobs::Ledger::Outcome& outcome) {
      ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    });
  };
  Succeed("j1", RenderWire(kVideo));
  EXPECT_EQ(Stored().job.labels.at("changed"), "meanwhile");
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_ARCHIVED);
}

TEST_F(ArchiverTest, WhatEndsMeanwhileIsLeftAlone) {
  held_ = true;
  Succeed("j1", RenderWire(kVideo));
  archiver_->Stop();
  held_ = false;
  work_.front()();
  EXPECT_THAT(tried_, IsEmpty());
  EXPECT_EQ(File().state(), v1::ARCHIVE_STATE_PENDING);
  EXPECT_EQ(File().problem(), "");
}

TEST_F(ArchiverTest, TheSweepTakesOldJobsThatNobodyKnows) {
  Random random(7);
  const auto id = [&](Duration ago) {
    return MintJobId(clock_.WallNow() - std::chrono::duration_cast<WallTime::duration>(ago),
                     random);
  };
  const std::string known = id(40 * 24h), gone = id(40 * 24h), young = id(24h);
  Succeed(known, "");
  archiver_->Sweep(
      {{"default", known}, {"default", gone}, {"default", young}, {"default", "notes"}},
      clock_.WallNow() - std::chrono::duration_cast<WallTime::duration>(Duration(30 * 24h)));
  EXPECT_THAT(removed_, ElementsAre(gone));
}

}  // namespace
}  // namespace gateway::archive
