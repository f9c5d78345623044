#include "sandbox/journal.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>
#include <sstream>

#include "sandbox/rig.h"

namespace gateway::sandbox {
namespace {

using ::testing::HasSubstr;

class JournalTest : public Rig {
 protected:
  void SetUp() override { KeepState(); }
  std::filesystem::path File() const { return state_dir_ / "journal.jsonl"; }
  std::string ReadFile() const {
    std::ifstream in(File(), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void Append(const std::string& text) const {
    std::ofstream(File(), std::ios::binary | std::ios::app) << text;
  }
};

TEST_F(JournalTest, KeepsBodiesByteForByte) {
  Start();
  const std::string body =
      "{ \"videoName\" : \"a\",\n\t\"webhook\":\"https://h.test/x\",\"scenes\":[{\"story\":"
      "\"\\u00e4 \xc3\xa4 \\/ 1e2 \"}], \"n\":1.50, \"n\":2 }";
  const std::string id = Submit("POST", "/v2/video/storyboard", body);
  const JsonReply journal = Control("GET", "/journal");
  EXPECT_EQ(journal.TextAt("entries.0.body"), body);
  EXPECT_EQ(journal.TextAt("entries.0.job_id"), id);
  EXPECT_EQ(journal.TextAt("entries.0.method"), "POST");
  EXPECT_EQ(journal.TextAt("entries.0.path"), "/v2/video/storyboard");
  EXPECT_EQ(journal.TextAt("entries.0.webhook"), "https://h.test/x");
  EXPECT_EQ(journal.TextAt("entries.0.body_hash"), BodyHash(body));
  EXPECT_EQ(journal.NumberAt("entries.0.body_bytes"), static_cast<double>(body.size()));
}

TEST_F(JournalTest, EverythingSurvivesARestart) {
  Start();
  const std::string preview = FinishedPreview(R"(,"saveProject":true)");
  Api("PUT", "/v2/video/storyboard/" + preview + "/elements",
      R"([{"id":"SceneText_0001","elementType":"SceneText","type":"text","startTime":0,)"
      R"("duration":2,"text":"Changed words."}])");
  const std::string render = Submit("PUT", "/v2/video/render/" + preview);
  const std::string project = Job(preview).TextAt("data.projectId");
  const std::string rendered_project = Submit("POST", "/v2/projects/" + project + "/render");
  const std::string transcription =
      Submit("POST", "/v2/transcription", R"({"fileUrl":"https://files.test/a.mp4"})");
  clock_.Advance(3);
  const std::string summary = Submit("POST", "/v2/transcription/" + transcription + "/highlights",
                                     R"({"highlight_duration":10})");
  clock_.Advance(1);
  Api("DELETE", "/v1/jobs/" + transcription + "/clean");
  const std::vector<std::string> ids = {preview, render, rendered_project, transcription, summary};
  std::vector<std::string> before;
  for (const std::string& id : ids) before.push_back(Job(id).body);
  EXPECT_THAT(before[1], HasSubstr("RUNNING"));

  options_.seed = 0;  // another one, and a random one
  Restart();
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(Job(ids[i]).body, before[i]);
  clock_.Advance(4);
  EXPECT_EQ(Job(render).TextAt("data.status"), "completed");
  EXPECT_EQ(Job(transcription).TextAt("data.status"), "cleaned");
  EXPECT_EQ(Job(summary).TextAt("data.status"), "completed");
  EXPECT_THAT(Raw("GET", "/media/" + render + "/video.txt").body, HasSubstr("Changed words."));
  const std::string page = Api("GET", "/v1/jobs").body;
  EXPECT_LT(page.find(summary), page.find(render));
}

TEST_F(JournalTest, TheOlderGenerationSurvivesARestartToo) {
  Start();
  const std::string story = R"({"videoName":"Old","scenes":[{"text":"Words of long ago."}]})";
  const std::string preview = Api("POST", "/v1/video/storyboard", story).TextAt("jobId");
  const std::string transcription =
      Api("POST", "/v1/transcription", R"({"fileUrl":"https://files.test/a.mp4"})")
          .TextAt("data.job_id");
  const std::string summary =
      Api("POST", "/v1/transcription/highlights",
          R"({"highlight_duration":2,"transcript":[{"text":"Hi","start":0,"end":1}]})")
          .TextAt("data.job_id");
  clock_.Advance(3);
  const std::string by_id = Api("PUT", "/v1/video/render/" + preview, "{}").TextAt("data.job_id");
  const std::string params = ToText(Job(preview).At("data.renderParams"));
  const std::string by_params = Api("POST", "/v1/video/render", params).TextAt("data.job_id");
  const std::string broken = Api("POST", "/v1/video/render", "{}").TextAt("data.job_id");
  clock_.Advance(8);
  std::vector<std::string> before;
  const std::vector<std::string> ids = {preview, transcription, summary, by_id, by_params, broken};
  for (const std::string& id : ids) before.push_back(Job(id).body);
  EXPECT_THAT(before[3], HasSubstr("shareVideoURL"));
  EXPECT_THAT(before[5], HasSubstr("failed"));
  Restart();
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(Job(ids[i]).body, before[i]);
  EXPECT_EQ(Raw("GET", "/media/" + by_id + "/video.txt").body, "Words of long ago.\n");
}

// testdata/journal-0.1.jsonl was written by a sandbox that did not know the older generation yet.
TEST_F(JournalTest, ReadsJournalsOfEarlierReleases) {
  std::filesystem::copy_file(PICTORY_TESTDATA "/journal-0.1.jsonl", File());
  Start();
  const JsonReply journal = Control("GET", "/journal");
  ASSERT_EQ(journal.At("entries").Size(), 7u);
  clock_.Advance(60);
  int kinds = 0;
  for (const char* key : {"renderParams", "videoURL", "transcript", R"("highlight":true)"}) {
    kinds += Api("GET", "/v1/jobs").body.find(key) != std::string::npos;
  }
  EXPECT_EQ(kinds, 4);
  EXPECT_THAT(Job(journal.TextAt("entries.0.job_id")).body, HasSubstr("Changed words."));
  EXPECT_EQ(Job(journal.TextAt("entries.6.job_id")).TextAt("data.status"), "cleaned");
}

TEST_F(JournalTest, TimePassesWhileItIsDown) {
  Start();
  const std::string id = FinishedPreview();
  const std::string render = Submit("PUT", "/v2/video/render/" + id);
  sandbox_.reset();
  clock_.Advance(8);
  Start();
  EXPECT_EQ(Job(render).TextAt("data.status"), "completed");
}

TEST_F(JournalTest, IdsNeverComeAgain) {
  std::set<std::string> ids;
  for (int run = 0; run < 4; ++run) {
    Restart();
    for (int i = 0; i < 5; ++i) ids.insert(FinishedPreview());
  }
  EXPECT_EQ(ids.size(), 20u);
}

TEST_F(JournalTest, ATornLastLineIsForgotten) {
  Start();
  const std::string id = FinishedPreview();
  sandbox_.reset();
  const std::string whole = ReadFile();
  Append(whole.substr(0, whole.size() / 2));
  Start();
  EXPECT_EQ(Job(id).TextAt("data.status"), "completed");
  const std::string next = FinishedPreview();
  EXPECT_NE(next, id);
  Restart();
  EXPECT_EQ(Job(next).TextAt("data.status"), "completed");
  EXPECT_EQ(Control("GET", "/journal").At("entries").Size(), 2u);
}

TEST_F(JournalTest, DamageElsewhereIsAnError) {
  Start();
  FinishedPreview();
  sandbox_.reset();
  Append("{}\n");
  const auto sandbox = Sandbox::Start(options_);
  ASSERT_FALSE(sandbox.ok());
  EXPECT_THAT(std::string(sandbox.status().message()), HasSubstr("line 2 is damaged"));
}

TEST_F(JournalTest, AChangedBodyIsDamage) {
  Start();
  FinishedPreview();
  sandbox_.reset();
  std::string text = ReadFile();
  text.replace(text.find("Bread"), 5, "Stone");
  std::ofstream(File(), std::ios::binary | std::ios::trunc) << text;
  EXPECT_FALSE(Sandbox::Start(options_).ok());
}

TEST_F(JournalTest, TwoSandboxesDoNotShareADirectory) {
  Start();
  const auto second = Sandbox::Start(options_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another sandbox is using it"));
}

// A process that is killed outright has on disk whatever it acknowledged.
TEST_F(JournalTest, SurvivesKill) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto journal = Journal::Open(state_dir_);
    for (int i = 0; journal.ok(); ++i) {
      const std::string name = "job-" + std::to_string(i);
      if (!(*journal)->Append({WallTime(), "POST", "/x", name, "{}", ""}).ok()) break;
      const char byte = 'a';
      if (::write(pipe_ends[1], &byte, 1) != 1) break;
    }
    ::_exit(1);
  }
  ::close(pipe_ends[1]);
  char bytes[64];
  std::size_t acknowledged = 0;
  while (acknowledged < 50) {
    const ssize_t got = ::read(pipe_ends[0], bytes, sizeof bytes);
    ASSERT_GT(got, 0);
    acknowledged += static_cast<std::size_t>(got);
  }
  ::kill(child, SIGKILL);
  for (ssize_t got; (got = ::read(pipe_ends[0], bytes, sizeof bytes)) > 0;) {
    acknowledged += static_cast<std::size_t>(got);
  }
  ::close(pipe_ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  auto journal = Journal::Open(state_dir_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_GE((*journal)->entries().size(), acknowledged);
  EXPECT_LE((*journal)->entries().size(), acknowledged + 1);
}

TEST_F(JournalTest, WithoutADirectoryNothingIsKept) {
  options_.state_dir.clear();
  Start();
  const std::string id = FinishedPreview();
  Restart();
  EXPECT_EQ(Job(id).status, 404);
}

}  // namespace
}  // namespace gateway::sandbox
