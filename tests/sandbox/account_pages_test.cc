// What the sandbox tells of an account: projects, charges, templates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sandbox/rig.h"
#include "sandbox/templates.h"

namespace gateway::sandbox {
namespace {

using ::testing::HasSubstr;

class AccountPagesTest : public Rig {
 protected:
  void SetUp() override { Start(); }
};

constexpr char kFile[] = R"({"name":"Letter","scenes":[
  {"sceneId":"s1","sentence":"Dear {{name}}, <strong>welcome</strong>."},
  {"sceneId":2,"sentence":"Yours.","image":"https://files.test/a.mp4"}]})";

TEST_F(AccountPagesTest, ProjectsArePagedTheNewestFirst) {
  std::string last;
  for (int i = 0; i < 21; ++i) last = FinishedPreview(R"(,"saveProject":true)");
  FinishedPreview();
  const JsonReply first = Api("GET", "/v2/projects");
  EXPECT_EQ(first.At("items").Size(), 20u);
  EXPECT_EQ(first.TextAt("items.0.id"), Job(last).TextAt("data.projectId"));
  EXPECT_EQ(first.TextAt("items.0.schemaVersion"), "v3");
  EXPECT_THAT(first.TextAt("items.0.savedDate"), HasSubstr("Z"));
  const std::string key = first.TextAt("pageKey");
  ASSERT_THAT(key, HasSubstr("="));
  const JsonReply rest = Api("GET", "/v2/projects?pagekey=" + key);
  EXPECT_EQ(rest.At("items").Size(), 1u);
  EXPECT_TRUE(rest.At("pageKey").IsNull());
  EXPECT_EQ(Api("GET", "/v2/projects?pagekey=nonsense").status, 400);

  const JsonReply one = Api("GET", "/v2/projects/" + first.TextAt("items.0.id"));
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.TextAt("project_id"), first.TextAt("items.0.id"));
  EXPECT_EQ(one.TextAt("projectName"), first.TextAt("items.0.name"));
  EXPECT_FALSE(one.TextAt("scenes.0.text").empty());
  EXPECT_EQ(Api("GET", "/v2/projects/none").status, 404);
}

// The object with its name and the text of its first scene changed.
std::string Renamed(const JsonReply& project, const std::string& name, const std::string& text) {
  Json changed;
  changed.CopyFrom(*project.json, changed.GetAllocator());
  auto& allocator = changed.GetAllocator();
  changed["projectName"].SetString(name.c_str(), allocator);
  changed["scenes"][0]["text"].SetString(text.c_str(), allocator);
  changed.AddMember("videoVolume", 50, allocator);
  return ToText(changed);
}

TEST_F(AccountPagesTest, AChangedProjectIsToldAndRendered) {
  KeepState();
  Restart();
  const std::string preview = FinishedPreview(R"(,"saveProject":true)");
  const std::string project = Job(preview).TextAt("data.projectId");
  const std::string path = "/v2/projects/" + project;
  const JsonReply before = Api("GET", path);
  ASSERT_EQ(before.At("scenes").Size(), 2u);
  clock_.Advance(60);
  const JsonReply done = Api("PUT", path, Renamed(before, "Other", "All <b>new</b>."));
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.TextAt("message"), "Project updated successfully");
  EXPECT_EQ(done.TextAt("project.projectName"), "Other");
  for (const bool again : {false, true}) {
    if (again) Restart();
    const JsonReply after = Api("GET", path);
    EXPECT_EQ(after.TextAt("project_id"), project);
    EXPECT_EQ(after.TextAt("projectName"), "Other");
    EXPECT_EQ(after.NumberAt("videoVolume"), 50);
    EXPECT_GT(after.TextAt("saveDate"), before.TextAt("saveDate"));
    EXPECT_EQ(Api("GET", "/v2/projects").TextAt("items.0.name"), "Other");
  }
  const std::string render = Submit("POST", path + "/render");
  clock_.Advance(600);
  const std::string film = Raw("GET", "/media/" + render + "/video.txt").body;
  EXPECT_THAT(film, HasSubstr("All new."));
  EXPECT_THAT(film, HasSubstr("So wait for it."));
  EXPECT_THAT(Raw("GET", "/media/" + render + "/video.srt").body, HasSubstr("00:00:02"));
  EXPECT_EQ(Job(preview).body.find("All new."), std::string::npos) << "the preview stays";
}

TEST_F(AccountPagesTest, AProjectIsChangedAsAWhole) {
  const std::string preview = FinishedPreview(R"(,"saveProject":true)");
  const std::string path = "/v2/projects/" + Job(preview).TextAt("data.projectId");
  const std::string id = Api("GET", path).TextAt("scenes.0.sceneId");
  const std::string scene = R"({"sceneId":")" + id + R"(","text":"x"})";
  const struct {
    std::string body, field;
  } cases[] = {
      {R"({"scenes":[)" + scene + "]}", "projectName"},
      {R"({"projectName":"x"})", "scenes"},
      {R"({"projectName":"x","scenes":[]})", "scenes"},
      {R"({"projectName":"x","scenes":[{"text":"x"}]})", "scenes[0].sceneId"},
      {R"({"projectName":"x","scenes":[{"sceneId":")" + id + "9\",\"text\":\"x\"}]}",
       "scenes[0].sceneId"},
      {R"({"projectName":"x","scenes":[)" + scene + "," + scene + "]}", "scenes[1].sceneId"},
      {R"({"projectName":"x","scenes":[{"sceneId":")" + id + "\"}]}", "scenes[0].text"},
  };
  for (const auto& one : cases) {
    const JsonReply reply = Api("PUT", path, one.body);
    EXPECT_EQ(reply.status, 400) << one.body;
    EXPECT_EQ(reply.TextAt("fields.0.name"), one.field) << one.body;
  }
  EXPECT_EQ(Api("PUT", path, "[]").status, 400);
  EXPECT_EQ(Api("PUT", "/v2/projects/none", "{}").status, 404);
  EXPECT_EQ(Api("GET", path).TextAt("projectName"), "Bread");
  // A scene that is left out is gone.
  ASSERT_EQ(Api("PUT", path, R"({"projectName":"x","scenes":[)" + scene + "]}").status, 200);
  const std::string render = Submit("POST", path + "/render");
  clock_.Advance(600);
  EXPECT_EQ(Raw("GET", "/media/" + render + "/video.txt").body, "x\n");
}

TEST_F(AccountPagesTest, ADeletedProjectIsGoneAndItsJobStays) {
  KeepState();
  Restart();
  const std::string kept = FinishedPreview(R"(,"saveProject":true)");
  const std::string gone = FinishedPreview(R"(,"saveProject":true)");
  const std::string path = "/v2/projects/" + Job(gone).TextAt("data.projectId");
  const JsonReply done = Api("DELETE", path);
  EXPECT_EQ(done.body, R"({"success":true,"message":"Project deleted successfully"})");
  for (const bool again : {false, true}) {
    if (again) Restart();
    for (const char* method : {"GET", "PUT", "DELETE"}) {
      EXPECT_EQ(Api(method, path, "{}").status, 404) << method;
    }
    EXPECT_EQ(Api("POST", path + "/render").status, 404);
    const JsonReply left = Api("GET", "/v2/projects");
    ASSERT_EQ(left.At("items").Size(), 1u);
    EXPECT_EQ(left.TextAt("items.0.id"), Job(kept).TextAt("data.projectId"));
    EXPECT_EQ(Job(gone).TextAt("data.status"), "completed");
  }
}

TEST_F(AccountPagesTest, ThePageBehindADeletedProjectIsStillThere) {
  for (int i = 0; i < 22; ++i) FinishedPreview(R"(,"saveProject":true)");
  const JsonReply first = Api("GET", "/v2/projects");
  Api("DELETE", "/v2/projects/" + first.TextAt("items.19.id"));
  const JsonReply rest = Api("GET", "/v2/projects?pagekey=" + first.TextAt("pageKey"));
  EXPECT_EQ(rest.At("items").Size(), 2u);
}

TEST_F(AccountPagesTest, ChargesAreThoseOfWhatHasEndedAndNameNoJob) {
  const std::string id =
      Submit("POST", "/v1/aistudio/images", R"({"prompt":"A lake","model":"nanobanana"})");
  EXPECT_EQ(Api("GET", "/v1/aicredits/usage").json->Size(), 1u) << "the month's grant alone";
  clock_.Advance(600);
  const JsonReply charges = Api("GET", "/v1/aicredits/usage");
  ASSERT_EQ(charges.json->Size(), 2u) << charges.body;
  EXPECT_EQ(charges.TextAt("0.type"), "debit");
  EXPECT_EQ(charges.NumberAt("0.amount"), 4);
  EXPECT_EQ(charges.TextAt("0.source"), "Text-to-Image");
  EXPECT_EQ(charges.body.find(id), std::string::npos);
  EXPECT_EQ(charges.TextAt("1.type"), "credit");
  EXPECT_EQ(Api("GET", "/v1/aicredits/usage?year=2001&month=3").json->Size(), 1u);
  const JsonReply half = Api("GET", "/v1/aicredits/usage?year=2026");
  EXPECT_EQ(half.status, 400);
  EXPECT_EQ(half.TextAt("code"), "INVALID_REQUEST");
}

TEST_F(AccountPagesTest, TemplatesAreKeptAndMakePreviews) {
  const JsonReply made = Api("POST", "/v1/templates", kFile);
  ASSERT_EQ(made.status, 200) << made.body;
  const std::string id = made.TextAt("templateId");
  EXPECT_EQ(made.TextAt("name"), "Letter");
  EXPECT_EQ(made.TextAt("variables.name"), "NAME");
  EXPECT_EQ(made.TextAt("scenes.0.subtitles.0.text"), "Dear {{name}}, welcome.");
  EXPECT_EQ(Api("GET", "/v1/templates").TextAt("items.0.templateId"), id);
  EXPECT_TRUE(Api("GET", "/v1/templates/" + id).At("depricated").IsFalse());

  const std::string body = R"({"templateId":")" + id +
                           R"(","variables":{"name":"Ann"},"scenes":[)"
                           R"({"text":"Hello.","insertBeforeSceneId":"s1"}]})";
  const std::string preview = Submit("POST", "/v1/video/from-template", body);
  clock_.Advance(600);
  const JsonReply done = Job(preview);
  EXPECT_THAT(done.body, HasSubstr("Dear Ann, "));
  EXPECT_LT(done.body.find("Hello."), done.body.find("Dear Ann"));
  for (const char* version : {"v1", "v2"}) {
    EXPECT_EQ(Api("PUT", "/" + std::string(version) + "/video/render/" + preview, "{}").status, 200)
        << version;
  }
  EXPECT_EQ(Api("POST", "/v1/video/from-template", "{}").TextAt("fields.0.name"), "templateId");
  EXPECT_EQ(Api("POST", "/v1/video/from-template", R"({"templateId":"none"})").status, 404);
  EXPECT_EQ(Api("POST", "/v1/video/from-template",
                R"({"templateId":")" + id + R"(","scenes":[{"sceneId":"nobody"}]})")
                .TextAt("fields.0.name"),
            "scenes[0].sceneId");

  const JsonReply changed =
      Api("PUT", "/v1/templates/" + id, R"({"scenes":[{"sceneId":"s9","text":"New."}]})");
  EXPECT_EQ(changed.TextAt("templateId"), id);
  EXPECT_EQ(Api("GET", "/v1/templates/" + id).TextAt("scenes.0.sceneId"), "s9");
  EXPECT_EQ(Api("PUT", "/v1/templates/" + id, "{}").TextAt("fields.0.name"), "scenes");
  EXPECT_EQ(Api("DELETE", "/v1/templates/" + id).TextAt("message"),
            "Template deleted successfully");
  EXPECT_EQ(Api("DELETE", "/v1/templates/" + id).status, 404);
  EXPECT_EQ(Api("POST", "/v1/templates", "no file").status, 400);
}

// So many of the same, with commas between them.
std::string ListOf(std::size_t count, const std::string& one) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) list += (i > 0 ? "," : "") + one;
  return list;
}

TEST_F(AccountPagesTest, TemplatesAreNoLargerThanTheirBounds) {
  const auto upload = [this](const std::string& scenes) {
    return Api("POST", "/v1/templates", R"({"scenes":[)" + scenes + "]}");
  };
  const auto preview = [this](const std::string& id, const std::string& more) {
    return Api("POST", "/v1/video/from-template", R"({"templateId":")" + id + "\"," + more + "}");
  };
  const auto text = [](std::size_t variables) {
    return R"({"sentence":")" + ListOf(variables, "{{a}}") + "\"}";
  };
  const std::size_t scenes = kTemplateScenesMax;
  const JsonReply many = upload(ListOf(scenes + 1, text(1)));
  EXPECT_EQ(many.status, 400);
  EXPECT_EQ(many.TextAt("fields.0.name"), "scenes");
  const JsonReply dense = upload(text(1) + "," + text(kTemplateVariablesMax + 1));
  EXPECT_EQ(dense.status, 400);
  EXPECT_EQ(dense.TextAt("fields.0.name"), "scenes[1]");

  const std::string one = upload(text(kTemplateVariablesMax)).TextAt("templateId");
  const auto value = [](std::size_t bytes) {
    return R"("variables":{"a":")" + std::string(bytes, 'v') + "\"}";
  };
  const JsonReply large = preview(one, value(kTemplateTextMaxBytes / kTemplateVariablesMax + 1));
  EXPECT_EQ(large.status, 400);
  EXPECT_EQ(large.TextAt("fields.0.name"), "variables");
  EXPECT_EQ(preview(one, value(100)).status, 200);
  EXPECT_EQ(preview(one, R"("scenes":[)" + ListOf(scenes, text(1)) + "]").TextAt("fields.0.name"),
            "scenes");
  EXPECT_EQ(
      preview(one, R"("scenes":[)" + text(kTemplateVariablesMax + 1) + "]").TextAt("fields.0.name"),
      "scenes[0]");
}

TEST_F(AccountPagesTest, ScenesOfARequestArePlacedInATemplate) {
  const std::string id = Api("POST", "/v1/templates", kFile).TextAt("templateId");
  const std::string preview =
      Submit("POST", "/v1/video/from-template", R"({"templateId":")" + id + R"(","scenes":[
      {"insertAfterSceneId":"s1","text":"Two."},{"insertBeforeSceneId":"s1","text":"Zero."},
      {"sceneId":"s1","text":"One."},{"insertBeforeSceneId":"new2","text":"Mid."},
      {"text":"Last."}]})");
  clock_.Advance(600);
  const std::string body = Job(preview).body;
  std::size_t at = 0;
  for (const char* text : {"Zero.", "One.", "Mid.", "Two.", "Yours.", "Last."}) {
    const std::size_t found = body.find(text, at);
    ASSERT_NE(found, std::string::npos) << text << " after byte " << at << " of " << body;
    at = found;
  }
}

TEST_F(AccountPagesTest, TemplatesSurviveARestart) {
  KeepState();
  Restart();
  const std::string kept = Api("POST", "/v1/templates", kFile).TextAt("templateId");
  const std::string gone = Api("POST", "/v1/templates", kFile).TextAt("templateId");
  EXPECT_NE(kept, gone);
  Api("PUT", "/v1/templates/" + kept, R"({"scenes":[{"sceneId":"s9","text":"New {{x}}."}]})");
  Api("DELETE", "/v1/templates/" + gone);
  const std::string preview =
      Submit("POST", "/v1/video/from-template", R"({"templateId":")" + kept + "\"}");
  const std::string before = Api("GET", "/v1/templates/" + kept).body;
  Restart();
  EXPECT_EQ(Api("GET", "/v1/templates/" + kept).body, before);
  EXPECT_EQ(Api("GET", "/v1/templates/" + gone).status, 404);
  EXPECT_EQ(Job(preview).status, 200);
}

}  // namespace
}  // namespace gateway::sandbox
