// AI studio: pictures and clips from a prompt.

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "sandbox/rig.h"

namespace gateway::sandbox {
namespace {

using ::testing::HasSubstr;

class StudioTest : public Rig {
 protected:
  void SetUp() override { Start(); }

  void ExpectRefused(const std::string& path, const std::string& body, const std::string& field) {
    const JsonReply reply = Api("POST", path, body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(reply.TextAt("code"), "INVALID_REQUEST_BODY") << reply.body;
    EXPECT_EQ(reply.TextAt("fields.0.name"), field) << reply.body;
  }
};

TEST_F(StudioTest, APictureHasALinkASizeAndAPrice) {
  const std::string id =
      Submit("POST", "/v1/aistudio/images",
             R"({"prompt":"a lake","model":"nanobanana-pro","aspectRatio":"9:16","style":"vintage",
                 "referenceImageUrl":"https://files.test/a.png"})");
  EXPECT_EQ(Job(id).TextAt("data.status"), "in-progress");
  clock_.Advance(2);
  const std::string url = "http://localhost/media/" + id + "/image.jpg";
  EXPECT_EQ(Job(id).body, R"({"job_id":")" + id +
                              R"(","success":true,"data":{"status":"completed","url":")" + url +
                              R"(","width":720,"height":1280,"aiCreditsUsed":14.0}})");
  EXPECT_EQ(Raw("GET", "/media/" + id + "/image.jpg").status, 200);
  EXPECT_EQ(Raw("GET", "/media/" + id + "/video.mp4").status, 404);
  EXPECT_EQ(Api("GET", "/v1/quota").NumberAt("aiCredits.used"), 14);
}

TEST_F(StudioTest, AClipCostsItsSeconds) {
  const std::string id =
      Submit("POST", "/v1/aistudio/videos", R"({"prompt":"a drone over trees"})");
  EXPECT_EQ(Raw("GET", "/media/" + id + "/video.mp4").status, 404) << "is not made yet";
  clock_.Advance(6);
  const JsonReply done = Job(id);
  EXPECT_EQ(done.TextAt("data.url"), "http://localhost/media/" + id + "/video.mp4");
  EXPECT_EQ(done.TextAt("data.duration"), "5s");
  EXPECT_EQ(done.NumberAt("data.width"), 1280);
  EXPECT_EQ(done.NumberAt("data.aiCreditsUsed"), 8);
  for (const char* file : {"video.mp4", "thumbnail.jpg", "last-frame.jpg", "preview.jpg"}) {
    EXPECT_EQ(Raw("GET", "/media/" + id + "/" + file).status, 200) << file;
  }
  EXPECT_THAT(Raw("GET", "/").body, HasSubstr("pixverse5.5"));
}

TEST_F(StudioTest, ABodyThatPictoryRefusesIsRefused) {
  const std::string images = "/v1/aistudio/images";
  ExpectRefused(images, "{}", "prompt");
  ExpectRefused(images, R"({"prompt":"four"})", "prompt");
  ExpectRefused(images, R"({"prompt":"a lake","model":"veo3.1"})", "model");
  ExpectRefused(images, R"({"prompt":"a lake","aspectRatio":"4:3"})", "aspectRatio");
  ExpectRefused(images, R"({"prompt":"a lake","style":"gloomy"})", "style");
  ExpectRefused(images, R"({"prompt":"a lake","referenceImageUrl":"a.png"})", "referenceImageUrl");
  const std::string videos = "/v1/aistudio/videos";
  ExpectRefused(videos, R"({"prompt":"a lake","model":"veo3.1","duration":"5s"})", "duration");
  ExpectRefused(videos, R"({"prompt":"a lake","model":"veo3.1","aspectRatio":"1:1"})",
                "aspectRatio");
  ExpectRefused(videos, R"({"prompt":"a lake","referenceImageUrls":[]})", "referenceImageUrls");
  ExpectRefused(videos,
                R"({"prompt":"a lake","firstFrameImageUrl":"https://f.test/a.png",
                    "extendVideoUrl":"https://f.test/a.mp4"})",
                "firstFrameImageUrl");
}

TEST_F(StudioTest, APromptCanAskForAFailure) {
  const std::string id =
      Submit("POST", "/v1/aistudio/images", R"({"prompt":"a lake, sandbox-no-credits"})");
  clock_.Advance(2);
  EXPECT_EQ(Job(id).TextAt("data.error_code"), "INSUFFICIENT_CREDITS");
}

TEST_F(StudioTest, WhatWasMadeIsListedTheNewestFirst) {
  const std::string images = "/v1/aistudio/images";
  EXPECT_EQ(Api("GET", images).body, R"({"items":[]})");
  const std::string first = Submit("POST", images,
                                   R"({"prompt":"a lake","style":"vintage",
                                       "referenceImageUrl":"https://files.test/a.png"})");
  Submit("POST", images, R"({"prompt":"a lake, sandbox-fail"})");
  const std::string clip = Submit(
      "POST", "/v1/aistudio/videos",
      R"({"prompt":"a drone","aspectRatio":"9:16","referenceImageUrls":["https://f.test/a"]})");
  clock_.Advance(6);
  const std::string running = Submit("POST", images, R"({"prompt":"a hill"})");
  const JsonReply made = Api("GET", images);
  ASSERT_EQ(made.At("items").Size(), 1u) << "what has failed or still runs is not in it";
  EXPECT_EQ(made.TextAt("items.0.id"), first);
  EXPECT_EQ(made.TextAt("items.0.prompt"), "a lake");
  EXPECT_EQ(made.TextAt("items.0.model"), "seedream3.0");
  EXPECT_EQ(made.TextAt("items.0.aspectRatio"), "1:1");
  EXPECT_EQ(made.TextAt("items.0.style"), "vintage");
  EXPECT_EQ(made.TextAt("items.0.referenceImageUrl"), "https://files.test/a.png");
  EXPECT_EQ(made.TextAt("items.0.url"), Job(first).TextAt("data.url"));
  EXPECT_THAT(made.TextAt("items.0.createdDate"), HasSubstr("Z"));
  EXPECT_FALSE(made.Has("nextPageKey"));
  const JsonReply clips = Api("GET", "/v1/aistudio/videos");
  ASSERT_EQ(clips.At("items").Size(), 1u);
  EXPECT_EQ(clips.TextAt("items.0.id"), clip);
  EXPECT_EQ(clips.TextAt("items.0.duration"), "5s");
  EXPECT_EQ(clips.TextAt("items.0.referenceImageUrls.0"), "https://f.test/a");
  EXPECT_FALSE(clips.Has("items.0.style"));
  clock_.Advance(2);
  EXPECT_EQ(Api("GET", images).TextAt("items.0.id"), running);
  Api("DELETE", "/v1/jobs/" + running + "/clean");
  EXPECT_EQ(Api("GET", images).TextAt("items.0.id"), first);
  EXPECT_EQ(Api("GET", images, "", "Authorization: pictai_bad\r\n").status, 401);
}

TEST_F(StudioTest, AListHasAHundredOnAPage) {
  for (int i = 0; i < 201; ++i) Submit("POST", "/v1/aistudio/images", R"({"prompt":"a lake"})");
  clock_.Advance(2);
  std::set<std::string> seen;
  std::vector<std::size_t> sizes;
  std::string key;
  do {
    const JsonReply page = Api("GET", "/v1/aistudio/images?nextPageKey=" + key);
    ASSERT_EQ(page.status, 200) << page.body;
    sizes.push_back(page.At("items").Size());
    for (const Value& item : page.At("items").GetArray()) seen.emplace(FindText(item, "id"));
    key = page.TextAt("nextPageKey");
  } while (!key.empty());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{100, 100, 1}));
  EXPECT_EQ(seen.size(), 201u);
  EXPECT_EQ(Api("GET", "/v1/aistudio/images?nextPageKey=bmV4dDpub25l").status, 400);
}

TEST_F(StudioTest, ARestartForgetsNothing) {
  KeepState();
  Restart();
  const std::string id = Submit("POST", "/v1/aistudio/videos", R"({"prompt":"a drone"})");
  clock_.Advance(6);
  const std::string before = Job(id).body;
  EXPECT_EQ(Api("GET", "/v1/aistudio/videos").TextAt("items.0.id"), id);
  Restart();
  EXPECT_EQ(Api("GET", "/v1/aistudio/videos").TextAt("items.0.prompt"), "a drone");
  EXPECT_EQ(Job(id).body, before);
}

}  // namespace
}  // namespace gateway::sandbox
