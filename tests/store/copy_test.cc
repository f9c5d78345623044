// Copies from one store to another, of each kind (store/copier.h).
#include "copy_ground.h"  // first, see store_calls.h

#include <algorithm>
#include <map>
#include <set>

#include "base/limits.h"
#include "jobs/restart.h"
#include "random_record.h"

namespace gateway::store {
namespace {

const WallTime kNow = At(1'800'000'000);

// Hands everything on to a store, and lets a test break some of it.
class Broken final : public Copyable {
 public:
  explicit Broken(Copyable& store) : store_(store) {}

  int pages = -1;  // so many pages of jobs are written, then no more; -1: all
  std::function<void(std::vector<CopiedJob>&)> spoil = [](auto&) {};

  absl::StatusOr<std::string> ReadStoreId() override { return store_.ReadStoreId(); }
  absl::StatusOr<CopyCounts> Count() override { return store_.Count(); }
  absl::StatusOr<CopiedRest> ReadRest() override { return store_.ReadRest(); }
  absl::StatusOr<std::vector<CopiedJob>> ReadJobs(const jobs::JobKey& after) override {
    return store_.ReadJobs(after);
  }
  absl::StatusOr<std::vector<CopiedSlice>> ReadSlices(const jobs::JobKey& job, int part,
                                                      std::int64_t after_slice) override {
    return store_.ReadSlices(job, part, after_slice);
  }
  absl::StatusOr<std::vector<jobs::JobKey>> FindSlices(const jobs::JobKey& after,
                                                       const jobs::JobKey& last) override {
    return store_.FindSlices(after, last);
  }
  absl::StatusOr<std::optional<CopyMark>> ReadMark() override { return store_.ReadMark(); }
  absl::Status SetMark(const std::optional<CopyMark>& mark) override {
    return store_.SetMark(mark);
  }
  absl::Status Clear(const std::optional<CopyMark>& mark) override { return store_.Clear(mark); }
  absl::Status WriteSlices(std::vector<CopiedSlice> slices) override {
    return store_.WriteSlices(std::move(slices));
  }
  absl::Status WriteJobs(std::vector<CopiedJob> jobs) override {
    if (pages-- == 0) return absl::UnavailableError("broken here");
    spoil(jobs);
    return store_.WriteJobs(std::move(jobs));
  }
  absl::Status WriteRest(CopiedRest rest) override { return store_.WriteRest(std::move(rest)); }

 private:
  Copyable& store_;
};

class CopyTest : public ::testing::TestWithParam<CopyBackend> {
 protected:
  // Runs `with` on a place as a gateway has it.
  void Serve(CopyPlace& place, const std::function<void(jobs::Store&, StoreCalls&)>& with) {
    absl::StatusOr<OpenedPlace> opened = place.Open(/*copying=*/false);
    ASSERT_TRUE(opened.ok()) << opened.status();
    StoreCalls calls(*opened->store);
    with(*opened->store, calls);
    opened->store->Close();
  }
  void Fill(int jobs) {
    Serve(*from_, [&](jobs::Store&, StoreCalls& calls) {
      for (int i = 0; i < jobs; ++i) {
        const std::string id = "j" + std::to_string(i);
        ASSERT_TRUE(calls.Adopt(Accepted(id, "p" + std::to_string(i))).ok());
      }
    });
  }
  std::string WhyNotServed(CopyPlace& place) {
    const absl::StatusOr<OpenedPlace> opened = place.Open(/*copying=*/false);
    return opened.ok() ? "it is" : std::string(opened.status().message());
  }
  absl::StatusOr<CopyReport> CopyBroken(CopyPlace& from, CopyPlace& to,
                                        const std::function<void(Broken&)>& breakage) {
    const absl::StatusOr<OpenedPlace> source = from.Open(/*copying=*/true);
    if (!source.ok()) return source.status();
    const absl::StatusOr<OpenedPlace> target = to.Open(/*copying=*/true);
    if (!target.ok()) return target.status();
    Broken broken(*target->copyable);
    breakage(broken);
    return Copy(source->end("the old one"), {.store = &broken, .place = "the new one"}, kNow, {});
  }
  absl::StatusOr<CopyReport> CopyAll(CopyPlace& from, CopyPlace& to) {
    return CopyBroken(from, to, [](Broken&) {});
  }
  absl::StatusOr<CopyReport> CopyAll() { return CopyAll(*from_, *to_); }
  absl::Status Undo() {
    const absl::StatusOr<OpenedPlace> source = from_->Open(/*copying=*/true);
    const absl::StatusOr<OpenedPlace> target = to_->Open(/*copying=*/true);
    if (!source.ok() || !target.ok()) return absl::InternalError("cannot open");
    return UndoCopy(source->end("the old one"), target->end("the new one"));
  }

  const std::unique_ptr<CopyPlace> from_ = GetParam().from();
  const std::unique_ptr<CopyPlace> to_ = GetParam().to();
};

TEST_P(CopyTest, EveryFieldOfEveryKindOfRecordComesOver) {
  constexpr int kRecords = 600;
  std::vector<jobs::JobRecord> records;
  RandomRecords random(11);
  Serve(*from_, [&](jobs::Store&, StoreCalls& calls) {
    for (int i = 0; i < kRecords; ++i) {
      records.push_back(random.Next(i % 3 == 0 ? "acme" : "other\n", "job" + std::to_string(i)));
      ASSERT_TRUE(calls.Begin(records.back()).ok());
    }
  });
  ASSERT_TRUE(CopyAll().ok());
  int ended = 0;
  Serve(*to_, [&](jobs::Store&, StoreCalls& calls) {
    for (const jobs::JobRecord& record : records) {
      const auto found = calls.FindRequest(record.job.tenant, record.job.request_id);
      ASSERT_TRUE(found.ok() && found->has_value()) << record.job.job_id;
      const std::optional<jobs::JobRecord> interrupted = jobs::Interrupted(record, kNow);
      if (interrupted.has_value()) ++ended;
      EXPECT_EQ(**found, interrupted.value_or(record)) << record.job.job_id;
    }
  });
  EXPECT_GT(ended, 50);
}

TEST_P(CopyTest, EverythingThatBelongsToAJobComesOver) {
  using Part = pictory::JobResult::Part;
  const std::string large(2 * limits::kStoreGroupMaxBytes + 12'345, 'x');
  jobs::JobRecord unknown = Begun("hinted", "r-hinted");
  unknown.submission = jobs::SubmissionState::kUnknown;
  unknown.job.state = jobs::v1::JOB_STATE_UNCONFIRMED;
  unknown.minted_request_id = true;
  unknown.sent_at = kNow;
  jobs::JobRecord labelled = Accepted("labelled", "p-labelled");
  labelled.job.labels = {{"team", "a"}, {"", ""}};
  const jobs::Asked asked{.answered = At(7), .since = At(5)};
  Serve(*from_, [&](jobs::Store& store, StoreCalls& calls) {
    unknown.owner_epoch = store.Recover(kNow).value().epoch;
    ASSERT_TRUE(calls.Begin(labelled).ok());
    ASSERT_TRUE(calls
                    .Update(labelled, {Part{jobs::v1::RESULT_PART_TXT, large},
                                       Part{jobs::v1::RESULT_PART_SRT, ""}})
                    .ok());
    ASSERT_TRUE(calls.Begin(unknown).ok());
    ASSERT_TRUE(calls.KeepHints("acme", "hinted", {"h2", "h1"}).ok());
    ASSERT_TRUE(calls.Claim("acme", "hinted", 0).value());
    ASSERT_TRUE(calls.Adopt(Adopted("adopted", "p-taken")).ok());
    jobs::JobRecord taker = Begun("taker", "r-taker");
    ASSERT_TRUE(calls.Begin(taker).ok());
    taker.submission = jobs::SubmissionState::kAccepted;
    taker.job.pictory_job_id = "p-taken";
    ASSERT_EQ(calls.TakeOver(taker).value(), "adopted");
    ASSERT_TRUE(calls.NoteAsked(asked, "second").ok());
  });
  const absl::StatusOr<CopyReport> report = CopyAll();
  ASSERT_TRUE(report.ok()) << report.status();
  const std::int64_t slices =
      1 + (large.size() + limits::kPartSliceBytes - 1) / limits::kPartSliceBytes;
  EXPECT_EQ(
      report->counts,
      (CopyCounts{
          .jobs = 3, .labels = 2, .slices = slices, .aliases = 1, .hints = 2, .accounts = 1}));
  Serve(*to_, [&](jobs::Store& store, StoreCalls& calls) {
    const auto recovered = store.Recover(kNow);
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    EXPECT_EQ(recovered->hints,
              (std::vector<jobs::Hint>{{{"acme", "hinted"}, "h2"}, {{"acme", "hinted"}, "h1"}}));
    EXPECT_EQ(recovered->asked, (jobs::AskedOfAccounts{{"second", asked}}));
    // The gateway before did not say that its answer arrived.
    ASSERT_EQ(recovered->owed.size(), 1u);
    EXPECT_EQ(recovered->owed[0].job_id, "hinted");
    EXPECT_EQ(recovered->owed[0].claims, 1);
    EXPECT_EQ(recovered->unfinished_jobs(), 3u);
    EXPECT_EQ(calls.Find("acme", "adopted").value()->job.job_id, "taker");
    EXPECT_EQ(Ids(calls.List("acme", {.labels = {{"team", "a"}}, .limit = 9}).value()),
              (std::vector<std::string>{"labelled"}));
    const auto whole = calls.ReadPart("acme", "labelled", jobs::v1::RESULT_PART_TXT, 0,
                                      static_cast<std::int64_t>(large.size()));
    ASSERT_TRUE(whole.ok());
    EXPECT_EQ(whole->total_bytes, static_cast<std::int64_t>(large.size()));
    EXPECT_TRUE(calls.ReadPart("acme", "labelled", jobs::v1::RESULT_PART_SRT, 0, 9).ok());
  });
}

TEST_P(CopyTest, WhatEndedInOrderOwesNothing) {
  Serve(*from_, [&](jobs::Store& store, StoreCalls& calls) {
    const auto recovered = store.Recover(kNow);
    ASSERT_TRUE(recovered.ok());
    jobs::JobRecord said = Accepted("said", "p");
    said.minted_request_id = true;
    said.sent_at = kNow;
    said.owner_epoch = recovered->epoch;
    ASSERT_TRUE(calls.Begin(said).ok());
    ASSERT_TRUE(calls.EndEpoch({}).ok());
  });
  ASSERT_TRUE(CopyAll().ok());
  Serve(*to_, [&](jobs::Store& store, StoreCalls&) {
    const auto recovered = store.Recover(kNow);
    ASSERT_TRUE(recovered.ok());
    EXPECT_EQ(recovered->owed.size(), 0u);
  });
}

TEST_P(CopyTest, WhatWasUnderWayIsUnconfirmedAndNeverSentAgain) {
  jobs::JobRecord sending = Begun("sending", "r-1");
  sending.submission = jobs::SubmissionState::kSending;
  Serve(*from_, [&](jobs::Store&, StoreCalls& calls) {
    ASSERT_TRUE(calls.Begin(sending).ok());
    ASSERT_TRUE(calls.Begin(Begun("intent", "r-2")).ok());
  });
  const absl::StatusOr<CopyReport> report = CopyAll();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->interrupted, 2);
  Serve(*to_, [&](jobs::Store&, StoreCalls& calls) {
    const jobs::JobRecord found = *calls.FindRequest("acme", "r-1").value();
    EXPECT_EQ(found.submission, jobs::SubmissionState::kUnknown);
    EXPECT_EQ(found.job.state, jobs::v1::JOB_STATE_UNCONFIRMED);
    // A retry gets that job, and is not begun.
    EXPECT_FALSE(calls.Begin(sending)->begun);
    EXPECT_EQ(calls.FindRequest("acme", "r-2").value()->submission,
              jobs::SubmissionState::kNotSent);
  });
}

TEST_P(CopyTest, GatewaysAreRefusedByNameWhereTheJobsWere) {
  Fill(1);
  EXPECT_EQ(WhyNotServed(*from_), "it is");
  ASSERT_TRUE(CopyAll().ok());
  EXPECT_NE(WhyNotServed(*from_).find("were moved to the new one"), std::string::npos)
      << WhyNotServed(*from_);
  EXPECT_EQ(WhyNotServed(*to_), "it is");
}

TEST_P(CopyTest, OneThatEndsInTheMiddleIsFinishedByTheNext) {
  Fill(limits::kCopyJobs * 2 + 7);
  const absl::StatusOr<CopyReport> broken =
      CopyBroken(*from_, *to_, [](Broken& target) { target.pages = 1; });
  EXPECT_EQ(broken.status().message(), "broken here");
  EXPECT_NE(WhyNotServed(*from_).find("are being moved to the new one"), std::string::npos);
  EXPECT_NE(WhyNotServed(*to_).find("copy of the old one"), std::string::npos);
  const absl::StatusOr<CopyReport> report = CopyAll();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->resumed);
  EXPECT_EQ(report->counts.jobs, limits::kCopyJobs * 2 + 7);
  // And once more changes nothing.
  const absl::StatusOr<CopyReport> again = CopyAll();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->already);
  EXPECT_EQ(again->counts, report->counts);
}

TEST_P(CopyTest, GoesBackWithWhatWasAddedMeanwhile) {
  Fill(3);
  ASSERT_TRUE(CopyAll().ok());
  Serve(*to_, [](jobs::Store& store, StoreCalls& calls) {
    ASSERT_TRUE(store.Recover(kNow).ok());
    ASSERT_TRUE(calls.Adopt(Adopted("later", "p-later")).ok());
  });
  EXPECT_NE(CopyAll().status().message().find("it is the newer one"), std::string::npos);
  EXPECT_NE(Undo().message().find("Copy from there to here"), std::string::npos);
  const absl::StatusOr<CopyReport> back = CopyAll(*to_, *from_);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->counts.jobs, 4);
  Serve(*from_, [](jobs::Store&, StoreCalls& calls) {
    EXPECT_TRUE(calls.Find("acme", "later").value().has_value());
  });
  EXPECT_NE(WhyNotServed(*to_).find("were moved to"), std::string::npos);
  // And there again.
  const absl::StatusOr<CopyReport> there = CopyAll();
  ASSERT_TRUE(there.ok()) << there.status();
  EXPECT_EQ(there->counts.jobs, 4);
}

TEST_P(CopyTest, IsUndoneIfNoGatewayHasUsedTheTarget) {
  Fill(3);
  ASSERT_TRUE(CopyAll().ok());
  ASSERT_TRUE(Undo().ok());
  EXPECT_EQ(WhyNotServed(*from_), "it is");
  const absl::StatusOr<OpenedPlace> target = to_->Open(/*copying=*/true);
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->copyable->Count().value(), CopyCounts{});
  EXPECT_EQ(target->copyable->ReadMark().value(), std::nullopt);
  target->store->Close();
  EXPECT_NE(Undo().message().find("nothing to undo"), std::string::npos);
}

TEST_P(CopyTest, OneBegunBeforeAnUndoIsNotGoneOnWith) {
  Fill(limits::kCopyJobs + 7);
  EXPECT_FALSE(CopyBroken(*from_, *to_, [](Broken& target) { target.pages = 1; }).ok());
  {
    const absl::StatusOr<OpenedPlace> source = from_->Open(/*copying=*/true);
    ASSERT_TRUE(source.ok());
    ASSERT_TRUE(UndoCopy(source->end("the old one"), std::nullopt).ok());
  }
  Serve(*from_, [](jobs::Store&, StoreCalls& calls) {
    jobs::JobRecord first = Accepted("j0", "p0");
    first.job.message = "changed since";
    first.job.request_id = "request-of-j0";
    ASSERT_TRUE(calls.Update(first).ok());
  });
  const absl::StatusOr<CopyReport> report = CopyAll();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->resumed);
  Serve(*to_, [](jobs::Store&, StoreCalls& calls) {
    EXPECT_EQ(calls.Find("acme", "j0").value()->job.message, "changed since");
  });
}

TEST_P(CopyTest, ATargetWithJobsOfItsOwnIsLeftAlone) {
  Fill(1);
  Serve(*to_, [](jobs::Store&, StoreCalls& calls) {
    ASSERT_TRUE(calls.Adopt(Adopted("own", "p-own")).ok());
  });
  EXPECT_NE(CopyAll().status().message().find("is not empty"), std::string::npos);
  EXPECT_EQ(WhyNotServed(*from_), "it is");
  EXPECT_EQ(WhyNotServed(*to_), "it is");
}

TEST_P(CopyTest, AStoreIsNotCopiedToItself) {
  Fill(1);
  const absl::StatusOr<OpenedPlace> opened = from_->Open(/*copying=*/true);
  ASSERT_TRUE(opened.ok());
  const auto copied = Copy(opened->end("here"), opened->end("here"), kNow, {});
  EXPECT_EQ(copied.status().message(), "Both stores are the same one");
}

TEST_P(CopyTest, WhatIsReadBackOtherThanItWasIsFound) {
  Fill(3);
  const absl::StatusOr<CopyReport> report = CopyBroken(*from_, *to_, [](Broken& target) {
    target.spoil = [](std::vector<CopiedJob>& jobs) { jobs[1].record.job.message += "!"; };
  });
  EXPECT_EQ(report.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(report.status().message().find("job j1"), std::string::npos) << report.status();
  EXPECT_NE(WhyNotServed(*to_), "it is");
  ASSERT_TRUE(Undo().ok());
  EXPECT_EQ(WhyNotServed(*from_), "it is");
}

TEST_P(CopyTest, PositionsInTheFeedOfBeforeAreNoPositionsOfTheCopy) {
  std::string position;
  Fill(1);
  Serve(*to_, [&](jobs::Store&, StoreCalls& calls) { position = calls.FindFeedEnd().value(); });
  ASSERT_TRUE(CopyAll().ok());
  Serve(*to_, [&](jobs::Store&, StoreCalls& calls) {
    EXPECT_EQ(calls.ReadFeed(position, 9).status().code(), absl::StatusCode::kOutOfRange);
  });
}

// A table that is added stands here, too, once the copy has it or leaves it out on purpose.
TEST_P(CopyTest, EveryTableIsCopiedOrLeftOut) {
  const std::set<std::string> copied = {"jobs",  "labels",   "parts", "aliases",
                                        "hints", "accounts", "store"};
  const std::set<std::string> left_out = {"copy",  // the mark
                                          "feed",  // these two begin anew
                                          "tombstones",
                                          "gateways",  // these four are of processes
                                          "shards",      "writers",
                                          "spending",    "spenders",  // counted anew from the jobs
                                          "stops",    // and told anew by their files
                                          "secrets",  // the first gateway's, from its directory
                                          "clean_epochs"};  // one number in the copy
  Fill(1);
  ASSERT_TRUE(CopyAll().ok());
  for (CopyPlace* place : {from_.get(), to_.get()}) {
    std::set<std::string> unknown;
    for (const std::string& table : place->Tables()) {
      if (!copied.contains(table) && !left_out.contains(table)) unknown.insert(table);
    }
    EXPECT_EQ(unknown, std::set<std::string>{});
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, CopyTest, ::testing::ValuesIn(CopyBackends()),
                         [](const auto& backend) { return std::string(backend.param.name); });

}  // namespace
}  // namespace gateway::store
