// Several accounts in one sandbox: none sees the jobs of another.

#include <gtest/gtest.h>

#include <string>

#include "sandbox/rig.h"

namespace gateway::sandbox {
namespace {

constexpr char kSavedStory[] =
    R"({"videoName":"v","saveProject":true,"scenes":[{"story":"One sentence."}]})";

class SandboxAccountsTest : public Rig {
 protected:
  SandboxAccountsTest() {
    options_.client_id = "sandbox";
    options_.accounts = true;
  }
  static std::string With(const std::string& key) { return "Authorization: " + key + "\r\n"; }
  std::string Make(const std::string& key) {
    return Api("POST", "/v2/video/storyboard", kSavedStory, With(key)).TextAt("data.jobId");
  }
  int Get(const std::string& key, const std::string& job) {
    return Api("GET", "/v1/jobs/" + job, "", With(key)).status;
  }
  unsigned Listed(const std::string& key) {
    return Api("GET", "/v1/jobs", "", With(key)).At("items").Size();
  }
  std::string TokenOf(const std::string& client_id) {
    return Api("POST", "/v1/oauth2/token",
               R"({"client_id":")" + client_id + R"(","client_secret":"s"})", "")
        .TextAt("access_token");
  }

  const std::string bare_ = "pictai_sandbox";
  const std::string east_ = "pictai_sandbox_east";
};

TEST_F(SandboxAccountsTest, NobodySeesOrUsesTheJobsOfAnother) {
  Start();
  const std::string job = Make(east_);
  ASSERT_FALSE(job.empty());
  EXPECT_EQ(Get(east_, job), 200);
  EXPECT_EQ(Get(TokenOf("sandbox_east"), job), 200);
  clock_.Advance(1000);
  for (const std::string& other :
       {bare_, bare_ + "_west", TokenOf("sandbox"), TokenOf("sandbox_west")}) {
    EXPECT_EQ(Get(other, job), 404);
    EXPECT_EQ(Listed(other), 0u);
    EXPECT_EQ(Api("PUT", "/v2/video/render/" + job, "", With(other)).status, 404);
    EXPECT_EQ(Api("DELETE", "/v1/jobs/" + job + "/clean", "", With(other)).status, 404);
  }
  EXPECT_EQ(Api("PUT", "/v2/video/render/" + job, "", With(east_)).status, 200);
  EXPECT_EQ(Listed(east_), 2u);
}

TEST_F(SandboxAccountsTest, NobodySeesOrDeletesAProjectOfAnother) {
  Start();
  const std::string job = Make(east_);
  clock_.Advance(1000);
  const std::string path =
      "/v2/projects/" + Api("GET", "/v1/jobs/" + job, "", With(east_)).TextAt("data.projectId");
  EXPECT_EQ(Api("GET", path, "", With(bare_)).status, 404);
  EXPECT_EQ(Api("PUT", path, "{}", With(bare_)).status, 404);
  EXPECT_EQ(Api("DELETE", path, "", With(bare_)).status, 403) << "as documented for this call";
  EXPECT_EQ(Api("GET", path, "", With(east_)).status, 200);
  Api("POST", "/v1/aistudio/images", R"({"prompt":"a lake"})", With(east_));
  clock_.Advance(10);
  EXPECT_EQ(Api("GET", "/v1/aistudio/images", "", With(bare_)).At("items").Size(), 0u);
  EXPECT_EQ(Api("GET", "/v1/aistudio/images", "", With(east_)).At("items").Size(), 1u);
}

TEST_F(SandboxAccountsTest, TheyLastAcrossARestart) {
  KeepState();
  Start();
  const std::string of_east = Make(east_);
  const std::string of_bare = Make(bare_);
  Restart();
  EXPECT_EQ(Get(east_, of_east), 200);
  EXPECT_EQ(Get(bare_, of_east), 404);
  EXPECT_EQ(Get(bare_, of_bare), 200);
}

TEST_F(SandboxAccountsTest, WithoutThemTheOneKeyIsAll) {
  options_.accounts = false;
  Start();
  EXPECT_EQ(Get(east_, "a"), 401);
  EXPECT_EQ(Get(bare_, "a"), 404);
}

}  // namespace
}  // namespace gateway::sandbox
