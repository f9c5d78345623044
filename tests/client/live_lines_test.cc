// Lines that are redrawn in place, in every width.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/fake_server.h"
#include "progress.h"
#include "transfer_line.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

using fake::MakeJob;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kId[] = "01hx2v3k4m5n6p7q8r9s0t1v2w";

Screen Into(std::string& text, const ScreenSize& size) {
  return {[&text](const std::string& more) { text += more; }, [&size] { return size; }};
}

Job Running() {
  Job job = MakeJob(kId, v1::JOB_STATE_RUNNING);
  job.set_progress_percent(50);
  job.mutable_create_time()->set_seconds(1000);
  job.set_message("Making\nscenes");
  return job;
}

const absl::Time kNow = absl::FromUnixSeconds(1065);

TEST(Width, IsThatOfATerminal) {
  EXPECT_EQ(Columns("abc"), 3);
  EXPECT_EQ(Columns("héllo"), 5);
  EXPECT_EQ(Columns("e\xCC\x81"), 1) << "an accent of its own";
  EXPECT_EQ(Columns("映画"), 4);
  EXPECT_EQ(Columns("🎬"), 2);
  EXPECT_EQ(Columns("한글"), 4);
  EXPECT_EQ(Columns("❤\xEF\xB8\x8F"), 2) << "made an emoji";
  EXPECT_EQ(Columns("…"), 1);
  EXPECT_EQ(Columns("\xff\xff"), 2) << "no UTF-8";
  EXPECT_EQ(Columns(""), 0);
}

TEST(Width, FitNeverCutsACharacterInTwo) {
  EXPECT_EQ(Fit("映画館", 6), "映画館");
  EXPECT_EQ(Fit("映画館", 5), "映画…");
  EXPECT_EQ(Fit("映画館", 4), "映…");
  EXPECT_EQ(Fit("映画館", 1), "…");
  EXPECT_EQ(Fit("映画館", 0), "");
  EXPECT_EQ(FitEnd("a映画", 4), "映画");
  EXPECT_EQ(FitEnd("a映画", 3), "画");
  EXPECT_EQ(Pad("映", 3), "映 ");
}

TEST(ProgressLines, DropTheIdFirstThenTheBar) {
  const Job job = Running();
  EXPECT_EQ(ProgressLine(job, kNow, 200),
            "render 01hx2v3k4m5n6p7q8r9s0t1v2w  RUNNING      [##########----------]  50 %  1m05s  "
            "Making scenes");
  EXPECT_EQ(ProgressLine(job, kNow, 90),
            "render …9s0t1v2w  RUNNING      [##########----------]  50 %  1m05s  Making scenes");
  EXPECT_EQ(ProgressLine(job, kNow, 75),
            "render  RUNNING      [##########----------]  50 %  1m05s  Making scenes");
  EXPECT_EQ(ProgressLine(job, kNow, 50), "render  RUNNING       50 %  1m05s  Making scenes");
  EXPECT_EQ(ProgressLine(job, kNow, 36), "RUNNING   50 %  1m05s  Making scenes");
  EXPECT_EQ(ProgressLine(job, kNow, 14), "RUNNING   50 %");
  EXPECT_EQ(ProgressLine(job, kNow, 10), "RUNNING  …");
}

TEST(ProgressLines, FitEveryWidth) {
  Job odd = Running();
  odd.set_message(
      "映画を作っています 🎬🎬🎬 e\xCC\x81 ❤\xEF\xB8\x8F 👩\xE2\x80\x8D👩\xE2\x80\x8D👧 and more");
  Job failed = MakeJob(kId, v1::JOB_STATE_FAILED);
  failed.mutable_error()->set_message(odd.message());
  for (const Job& job : {Running(), odd, failed, MakeJob("j", v1::JOB_STATE_UNCONFIRMED)}) {
    for (int columns = 1; columns <= 200; ++columns) {
      const std::string line = ProgressLine(job, kNow, columns);
      EXPECT_LE(Columns(line), columns) << line;
      if (columns >= 11) {
        EXPECT_THAT(line, HasSubstr(StateWord(job.state()))) << columns;
      }
      if (columns >= 14 && job.has_progress_percent()) {
        EXPECT_THAT(line, HasSubstr("50 %")) << columns;
      }
    }
  }
}

TEST(ProgressLines, AreRedrawnInPlaceFromTheFirstOfThem) {
  std::string text;
  const ScreenSize size{80, 24};
  Progress live(Progress::Mode::kLive, Into(text, size));
  live.Update(MakeJob("a", v1::JOB_STATE_QUEUED), absl::UnixEpoch());
  live.Update(MakeJob("b", v1::JOB_STATE_QUEUED), absl::UnixEpoch());
  text.clear();
  live.Update(MakeJob("a", v1::JOB_STATE_RUNNING), absl::UnixEpoch());
  EXPECT_EQ(text, "\r\x1b[J\x1b[?7lrender a  RUNNING\nrender b  QUEUED\x1b[?7h\x1b[1A\r");
  text.clear();
  live.Note("lost", absl::UnixEpoch());
  EXPECT_EQ(text, "\r\x1b[Jlost\n\x1b[?7lrender a  RUNNING\nrender b  QUEUED\x1b[?7h\x1b[1A\r");
  text.clear();
  live.End(absl::UnixEpoch());
  EXPECT_THAT(text, EndsWith("\r\x1b[J\x1b[?7lrender a  RUNNING\nrender b  QUEUED\x1b[?7h\n"));
  text.clear();
  live.End(absl::UnixEpoch());
  EXPECT_EQ(text, "");
}

TEST(ProgressLines, TakeTheWidthOfEachMoment) {
  std::string text;
  ScreenSize size{120, 24};
  Progress live(Progress::Mode::kLive, Into(text, size));
  live.Update(Running(), kNow);
  EXPECT_THAT(text, HasSubstr(kId));
  size.columns = 40;
  text.clear();
  live.Tick(kNow);
  EXPECT_THAT(text, AllOf(HasSubstr("50 %"), Not(HasSubstr(kId)), Not(HasSubstr("#"))));
  size.columns = 120;
  live.Tick(kNow);
  EXPECT_THAT(text, HasSubstr(kId));
}

TEST(ProgressLines, ManyJobsShowThoseAtWork) {
  std::string text;
  const ScreenSize size{80, 4};
  Progress live(Progress::Mode::kLive, Into(text, size));
  for (const char* id : {"a", "b", "c", "d"})
    live.Update(MakeJob(id, v1::JOB_STATE_RUNNING), absl::UnixEpoch());
  text.clear();
  live.Update(MakeJob("a", v1::JOB_STATE_SUCCEEDED), absl::UnixEpoch());
  EXPECT_THAT(text, Not(HasSubstr("render a")));
  EXPECT_THAT(text, HasSubstr("render b"));
  EXPECT_THAT(text, HasSubstr("… and 2 more"));
}

TEST(ProgressLines, PlainOnesAreFew) {
  std::vector<std::string> lines;
  Progress plain(Progress::Mode::kPlain,
                 {[&lines](const std::string& line) { lines.push_back(line); }, nullptr});
  Job job = MakeJob("a", v1::JOB_STATE_QUEUED, 1);
  plain.Update(job, kNow);
  job.set_state(v1::JOB_STATE_RUNNING);
  for (int i = 0; i < 100; ++i) {  // a change each tenth of a second
    job.set_revision(2 + i);
    job.set_progress_percent(i);
    plain.Update(job, kNow + absl::Milliseconds(100 * i));
  }
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[1], StartsWith("render a  RUNNING"));
  plain.Tick(kNow + absl::Seconds(11));
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[2], HasSubstr(" 99 %")) << "what the others said last";
  plain.Tick(kNow + absl::Seconds(30));
  EXPECT_THAT(lines, SizeIs(3)) << "nothing new";
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  plain.Update(job, kNow + absl::Seconds(31));
  EXPECT_THAT(lines, SizeIs(4));
  plain.End(kNow);
  EXPECT_THAT(lines, SizeIs(4));
}

TEST(TransferLines, ShowBarBytesAndSpeed) {
  EXPECT_EQ(TransferText("talk.mp4", 50, 200, 0, 79),
            "talk.mp4  [#####---------------]  25 %  50 B of 200 B");
  EXPECT_THAT(TransferText("talk.mp4", 200, 200, 3.1e6, 79),
              HasSubstr("] 100 %  200 B of 200 B  3.1 MB/s"));
  EXPECT_EQ(TransferText("talk.mp4", 50, 0, 0, 79), "talk.mp4  50 B") << "length unknown";
  EXPECT_THAT(TransferText("a\x1b[2J", 0, 0, 0, 79), Not(HasSubstr("\x1b")));
}

TEST(TransferLines, FitEveryWidth) {
  for (const char* name : {"talk.mp4", "映画 🎬 映画 🎬 映画.mp4"}) {
    for (int columns = 1; columns <= 200; ++columns) {
      const std::string line = TransferText(name, 40'000'000, 200'000'000, 3.1e6, columns);
      EXPECT_LE(Columns(line), columns) << line;
      if (columns >= 5) {
        EXPECT_THAT(line, HasSubstr("20 %")) << columns;
      }
      if (columns < 40) {
        EXPECT_THAT(line, Not(HasSubstr("#"))) << columns;
      }
    }
    EXPECT_THAT(TransferText(name, 40'000'000, 200'000'000, 3.1e6, 100), StartsWith(name));
  }
}

TEST(TransferLines, PlainOnesAreFew) {
  std::vector<std::string> lines;
  const TransferLine::Time begin{};
  TransferLine line(Progress::Mode::kPlain, "a.mp4", begin,
                    {[&lines](const std::string& text) { lines.push_back(text); }, nullptr});
  for (int i = 0; i <= 250; ++i) line.Update(i * 4000, 1'000'000, begin + milliseconds(i * 100));
  line.End();
  line.Summary(1'000'000, begin + std::chrono::seconds(25));
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[0], "a.mp4  [########------------]  40 %  400.0 kB of 1.0 MB  40.0 kB/s\n");
  EXPECT_EQ(lines[2], "a.mp4  1.0 MB in 25s, 40.0 kB/s\n");
}

TEST(TransferLines, LiveOnesAreRedrawnInPlaceAndGo) {
  std::string text;
  const ScreenSize size{80, 24};
  const TransferLine::Time begin{};
  TransferLine line(Progress::Mode::kLive, "a.mp4", begin, Into(text, size));
  line.Update(100, 1000, begin + milliseconds(300));
  line.Update(200, 1000, begin + milliseconds(350));
  line.End();
  EXPECT_THAT(text, HasSubstr("\r\x1b[J\x1b[?7la.mp4  [##"));
  EXPECT_THAT(text, Not(HasSubstr("200 B")));
  EXPECT_THAT(text, EndsWith("\r\x1b[J"));
}

}  // namespace
}  // namespace pictory_jobs::cli
