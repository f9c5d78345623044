#include "pictory/translate.h"

#include <gtest/gtest.h>

#include <set>

#include "base/limits.h"
#include "json/check.h"
#include "pictory/bindings.h"
#include "pictory/from_text.h"
#include "pictory/kinds.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

// What the referenced transcription made.
constexpr char kStored[] = R"([ {"words":[{"word":"Hi","start_time":0.10000000000000001}]} ])";

struct Case {
  const char* name;
  std::shared_ptr<google::protobuf::Message> request;
  v1::PathVersion version;
  const char* method;
  const char* path;
  const char* body;
};

template <class Request>
Case Make(const char* name, const char* text, v1::PathVersion version, const char* method,
          const char* path, const char* body) {
  return {name, std::make_shared<Request>(Parse<Request>(text)), version, method, path, body};
}

constexpr auto kV1 = v1::PATH_VERSION_V1;
constexpr auto kV2 = v1::PATH_VERSION_V2;

std::vector<Case> GoldenCases() {
  return {
      Make<v1::CreatePreviewRequest>(
          "typed preview sends what is set and nothing else",
          R"(request_id: "r" labels { key: "a" value: "b" } storyboard {
               video_name: "n" scenes { story: "Hi" create_scene_on_new_line: false minimum_duration: 1.5 }
               save_project: false video_width: 1920 video_height: 1080
               variables { key: "z" value: "1" } variables { key: "a" value: "2" }
               webhook_input { fields { key: "k" value { number_value: 1 } } } extra_json: "{\"newKey\": [1]}" })",
          kV2, "POST", "/v2/video/storyboard",
          R"({"videoName":"n","scenes":[{"story":"Hi","createSceneOnNewLine":false,"minimumDuration":1.5}],"videoWidth":1920,"videoHeight":1080,"saveProject":false,"variables":{"a":"2","z":"1"},"webhookInput":{"k":1},"newKey": [1]})"),
      Make<v1::CreatePreviewRequest>("raw preview, v2",
                                     R"(storyboard_json: " { \"videoName\" : \"n\" } ")", kV2,
                                     "POST", "/v2/video/storyboard", R"( { "videoName" : "n" } )"),
      Make<v1::CreatePreviewRequest>("raw preview, v1",
                                     R"(storyboard_json: "{\"videoName\":\"n\"}")", kV1, "POST",
                                     "/v1/video/storyboard", R"({"videoName":"n"})"),
      Make<v1::CreatePreviewRequest>(
          "a preview from a template, whatever the version",
          R"(from_template { template_id: "t" variables { key: "b" value: "2" }
                             variables { key: "a" value: "1" }
                             scenes_json: "[ {\"sceneId\":1.50} ]" extra_json: "{\"audio\":{}}" })",
          kV2, "POST", "/v1/video/from-template",
          R"({"templateId":"t","variables":{"a":"1","b":"2"},"scenes":[ {"sceneId":1.50} ],"audio":{}})"),
      Make<v1::CreatePreviewRequest>("a raw preview from a template",
                                     R"(from_template_json: " {\"templateId\":\"t\"} ")", kV1,
                                     "POST", "/v1/video/from-template", R"( {"templateId":"t"} )"),
      Make<v1::RenderRequest>("render from a preview", R"(preview_job_id: "ours")", kV2, "PUT",
                              "/v2/video/render/p%2Fi%3F", "{}"),
      Make<v1::RenderRequest>("render from a preview, v1, with overrides",
                              R"(preview_job_id: "ours" extra_json: "{\"videoName\":\"x\"}")", kV1,
                              "PUT", "/v1/video/render/p%2Fi%3F", R"({"videoName":"x"})"),
      Make<v1::RenderRequest>(
          "render parameters keep every byte",
          R"(render_params_json: "{\"asset_id\": 1, \"b\": \"1\", \"d\":1.50}")", kV1, "POST",
          "/v1/video/render", R"({"asset_id": 1, "b": "1", "d":1.50})"),
      Make<v1::RenderRequest>("render parameters, v2, with more members",
                              R"(render_params_json: "{\"output\":{}}" extra_json: "{ \"x\":1 }")",
                              kV2, "POST", "/v2/video/render", R"({"output":{},"x":1})"),
      Make<v1::RenderRequest>("straight from a storyboard",
                              R"(storyboard { video_name: "n" } extra_json: "{\"x\":1}")", kV2,
                              "POST", "/v2/video/storyboard/render", R"({"videoName":"n","x":1})"),
      Make<v1::RenderRequest>("straight from a raw storyboard", R"(storyboard_json: "{}")", kV2,
                              "POST", "/v2/video/storyboard/render", "{}"),
      Make<v1::RenderRequest>("a saved project", R"(project_id: "12/..x?y")", kV2, "POST",
                              "/v2/projects/12%2F..x%3Fy/render", "{}"),
      Make<v1::TranscribeRequest>("transcription of a URL only", R"(file_url: "https://x/a.mp4")",
                                  kV2, "POST", "/v2/transcription",
                                  R"({"fileUrl":"https://x/a.mp4"})"),
      Make<v1::TranscribeRequest>(
          "transcription with everything",
          R"(file_url: "https://x/a" media_type: "audio" language: "de-DE" transcript_json: "[{\"a\": 1}]"
             highlights { start: 0 end: 2.5 } extra_json: "{\"k\":null}")",
          kV1, "POST", "/v1/transcription",
          R"({"fileUrl":"https://x/a","mediaType":"audio","language":"de-DE","transcript":[{"a": 1}],"highlights":[{"start":0,"end":2.5}],"k":null})"),
      Make<v1::SummarizeRequest>(
          "summary of a transcription",
          R"(transcription_job_id: "ours" highlight_duration_seconds: 60 language: "en")", kV2,
          "POST", "/v2/transcription/p%2Fi%3F/highlights",
          R"({"highlight_duration":60,"language":"en"})"),
      Make<v1::SummarizeRequest>("summary of a length that Pictory picks",
                                 R"(transcription_job_id: "ours")", kV2, "POST",
                                 "/v2/transcription/p%2Fi%3F/highlights", "{}"),
      Make<v1::SummarizeRequest>(
          "summary of a typed transcript",
          R"(typed_transcript { sentences { uid: "s" speaker_id: 0 words { word: "Hi" start_time: 0 end_time: 0.48 is_pause: false } } }
             highlight_duration_seconds: 30 duration_seconds: 65.6)",
          kV2, "POST", "/v2/transcription/highlights",
          R"({"transcript":[{"uid":"s","speakerId":0,"words":[{"word":"Hi","start_time":0,"end_time":0.48,"is_pause":false}]}],"highlight_duration":30,"duration":65.6})"),
      Make<v1::SummarizeRequest>(
          "summary of a free transcript, v1",
          R"(transcript { values { struct_value { fields { key: "start" value { number_value: 0.48 } } } } }
             highlight_duration_seconds: 30)",
          kV1, "POST", "/v1/transcription/highlights",
          R"({"highlight_duration":30,"transcript":[{"start":0.48}]})"),
      Make<v1::SummarizeRequest>(
          "summary of a raw transcript, v1",
          R"(transcript_json: "[ {\"words\":[]} ]" highlight_duration_seconds: 60)", kV1, "POST",
          "/v1/transcription/highlights",
          R"({"transcript":[ {"words":[]} ],"highlight_duration":60})"),
      Make<v1::SummarizeRequest>(
          "summary of a transcription, v1: what it made, in place of its id",
          R"(transcription_job_id: "ours" highlight_duration_seconds: 60 language: "en"
             extra_json: "{\"k\":1}")",
          kV1, "POST", "/v1/transcription/highlights",
          R"({"transcript":[ {"words":[{"word":"Hi","start_time":0.10000000000000001}]} ],"highlight_duration":60,"language":"en","k":1})"),
      Make<v1::GenerateImageRequest>(
          "a picture",
          R"(prompt: "a lake" model: "nanobanana" aspect_ratio: "16:9" style: "vintage"
             reference_image_url: "https://x/a.png" extra_json: "{\"seed\":1}")",
          kV1, "POST", "/v1/aistudio/images",
          R"({"prompt":"a lake","model":"nanobanana","aspectRatio":"16:9","style":"vintage","referenceImageUrl":"https://x/a.png","seed":1})"),
      Make<v1::GenerateVideoRequest>(
          "a clip, under the generation that AI studio does not have",
          R"(prompt: "a lake" duration: "8s" reference_image_urls: "https://x/a.png"
             reference_image_urls: "https://x/b.png")",
          kV2, "POST", "/v1/aistudio/videos",
          R"({"prompt":"a lake","duration":"8s","referenceImageUrls":["https://x/a.png","https://x/b.png"]})"),
  };
}

TranslateOptions Under(v1::PathVersion version) {
  TranslateOptions options;
  for (const KindFacts& kind : Kinds()) options.versions[kind.kind] = version;
  return options;
}

TEST(Translate, EveryArmAsItIsSent) {
  for (const Case& c : GoldenCases()) {
    const auto submission = Translate(*c.request, "p/i?", "", Under(c.version), kStored);
    ASSERT_TRUE(submission.ok()) << c.name << ": " << submission.status();
    EXPECT_EQ(submission->method, c.method) << c.name;
    EXPECT_EQ(submission->path, c.path) << c.name;
    EXPECT_EQ(*submission->body, c.body) << c.name;
  }
}

TEST(Translate, EveryBindingHasAGoldenCase) {
  std::set<std::string> covered;
  for (const Case& c : GoldenCases()) {
    const auto* arm = ArmOf(*c.request);
    covered.insert(absl::StrCat(c.request->GetTypeName(), arm == nullptr ? "" : ".",
                                arm == nullptr ? "" : arm->name(), c.version));
  }
  for (const auto* method : SubmitsOf(JobsService())) {
    for (const v1::RestBinding& binding :
         method->options().GetExtension(v1::job_method).bindings()) {
      const std::string arm = absl::StrCat(method->input_type()->full_name(),
                                           binding.arm().empty() ? "" : ".", binding.arm());
      // The same shapes of body under either version: one of the two is enough.
      EXPECT_TRUE(covered.count(arm + std::to_string(kV1)) > 0 ||
                  covered.count(arm + std::to_string(kV2)) > 0)
          << arm;
    }
  }
}

TEST(Translate, WebhookJoinsEveryBody) {
  for (const Case& c : GoldenCases()) {
    const auto submission =
        Translate(*c.request, "p/i?", "https://gw/hook?\"t\"", Under(c.version), kStored);
    ASSERT_TRUE(submission.ok()) << c.name << ": " << submission.status();
    json::Outline body;
    ASSERT_TRUE(json::Check(*submission->body, {}, &body).ok()) << c.name << *submission->body;
    ASSERT_NE(body.Find("webhook"), nullptr) << c.name;
    EXPECT_EQ(json::Text(body.Find("webhook")->value), "https://gw/hook?\"t\"") << c.name;
    EXPECT_EQ(body.members.back().key, "webhook") << c.name;
  }
}

TEST(Translate, KindsAreThoseOfTheMethods) {
  EXPECT_EQ(Translate(Parse<v1::TranscribeRequest>(R"(file_url: "https://x")"), "", "", {})->kind,
            v1::JOB_KIND_TRANSCRIPTION);
  EXPECT_EQ(Translate(Parse<v1::RenderRequest>(R"(project_id: "1")"), "", "", {})->kind,
            v1::JOB_KIND_RENDER);
}

TEST(Translate, AnArmWithoutACallIsAnError) {
  const auto preview = Parse<v1::CreatePreviewRequest>(R"(storyboard { video_name: "n" })");
  EXPECT_EQ(Translate(preview, "", "", Under(kV1)).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Translate(v1::RenderRequest(), "", "", {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Translate(v1::GetJobRequest(), "", "", {}).status().code(),
            absl::StatusCode::kInternal);
  // A reference that was never resolved must not become another path.
  EXPECT_FALSE(Translate(Parse<v1::RenderRequest>(R"(preview_job_id: "x")"), "", "", {}).ok());
}

TEST(Translate, VersionsAreChosenPerKind) {
  TranslateOptions options;
  options.versions[v1::JOB_KIND_SUMMARY] = kV1;
  EXPECT_EQ(Translate(Parse<v1::SummarizeRequest>(
                          R"(transcript_json: "[1]" highlight_duration_seconds: 60)"),
                      "", "", options)
                ->path,
            "/v1/transcription/highlights");
  EXPECT_EQ(
      Translate(Parse<v1::TranscribeRequest>(R"(file_url: "https://x")"), "", "", options)->path,
      "/v2/transcription");
}

TEST(Translate, WhatGoesIntoTheBodyIsAskedForWhereTheVersionWantsIt) {
  const auto summary =
      Parse<v1::SummarizeRequest>(R"(transcription_job_id: "t" highlight_duration_seconds: 60)");
  EXPECT_EQ(PartToInline(summary, Under(kV1)), v1::RESULT_PART_TRANSCRIPT_JSON);
  EXPECT_EQ(PartToInline(summary, Under(kV2)), v1::RESULT_PART_UNSPECIFIED);
  EXPECT_EQ(PartToInline(Parse<v1::SummarizeRequest>(R"(transcript_json: "[]")"), Under(kV1)),
            v1::RESULT_PART_UNSPECIFIED);
  EXPECT_EQ(PartToInline(Parse<v1::RenderRequest>(R"(preview_job_id: "p")"), Under(kV1)),
            v1::RESULT_PART_UNSPECIFIED);
  EXPECT_EQ(PartToInline(v1::GetJobRequest(), Under(kV1)), v1::RESULT_PART_UNSPECIFIED);
  // A transcript that was never read must not become a call without one.
  EXPECT_EQ(Translate(summary, "p", "", Under(kV1)).status().code(), absl::StatusCode::kInternal);
}

TEST(Translate, ABodyThatGrowsTooLargeIsRefused) {
  const auto summary =
      Parse<v1::SummarizeRequest>(R"(transcription_job_id: "t" highlight_duration_seconds: 60)");
  const std::string rest = R"({"transcript":,"highlight_duration":60})";
  std::string most = "[\"";
  most.append(limits::kRequestMaxBytes - rest.size() - 4, 'x').append("\"]");
  const auto fits = Translate(summary, "p", "", Under(kV1), most);
  ASSERT_TRUE(fits.ok()) << fits.status();
  EXPECT_EQ((*fits).body->size(), limits::kRequestMaxBytes);
  most.insert(2, "x");
  const absl::Status refused = Translate(summary, "p", "", Under(kV1), most).status();
  ASSERT_EQ(errors::Violations(refused).size(), 1u);
  EXPECT_EQ(errors::Violations(refused)[0].field, "transcription_job_id");
}

TEST(ReferencedJob, NamesTheJobThatMustHaveSucceeded) {
  Reference reference = ReferencedJob(Parse<v1::RenderRequest>(R"(preview_job_id: "p")"));
  EXPECT_EQ(reference.field, "preview_job_id");
  EXPECT_EQ(reference.job_id, "p");
  EXPECT_EQ(reference.kind, v1::JOB_KIND_PREVIEW);
  reference = ReferencedJob(Parse<v1::SummarizeRequest>(R"(transcription_job_id: "t")"));
  EXPECT_EQ(reference.job_id, "t");
  EXPECT_EQ(reference.kind, v1::JOB_KIND_TRANSCRIPTION);
  EXPECT_EQ(ReferencedJob(Parse<v1::RenderRequest>(R"(project_id: "p")")).job_id, "");
  EXPECT_EQ(ReferencedJob(v1::TranscribeRequest()).job_id, "");
}

}  // namespace
}  // namespace gateway::pictory
