#include "pictory/preview_update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.h"
#include "pictory/from_text.h"
#include "pictory/translate.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Wrong(const std::string& text) {
  std::vector<std::string> fields;
  for (const auto& violation : Validate(Parse<v1::UpdatePreviewRequest>(text), {})) {
    fields.push_back(violation.field);
  }
  return fields;
}

std::string Body(const std::string& text) {
  const auto call = PreviewUpdate(Parse<v1::UpdatePreviewRequest>(text), "p?1");
  EXPECT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->method, "PUT");
  EXPECT_EQ(call->path, "/v2/video/storyboard/p%3F1/elements");
  return *call->body;
}

TEST(PreviewUpdate, SendsWhatIsSetAndNothingElse) {
  EXPECT_EQ(
      Body(R"(elements { id: "bgMusic" element_type: "audioElement" type: "audio" start_time: 0
                         duration: 12.5 url: "https://x/a.mp3" loop: false text: "" }
              elements { id: "SceneText_1" text: "A <strong>word</strong>" font_size: 32
                         extra_json: "{ \"fade\": {\"in\":1.50} }" })"),
      R"([{"id":"bgMusic","elementType":"audioElement","type":"audio","startTime":0,"duration":12.5,)"
      R"("url":"https://x/a.mp3","loop":false,"text":""},)"
      R"({"id":"SceneText_1","text":"A <strong>word</strong>","fontSize":32,"fade": {"in":1.50}}])");
}

TEST(PreviewUpdate, RawElementsKeepEveryByte) {
  EXPECT_EQ(Body(R"(elements_json: " [ {\"id\" : \"a\", \"asset_id\":18446744073709551616} ] ")"),
            R"( [ {"id" : "a", "asset_id":18446744073709551616} ] )");
}

TEST(PreviewUpdate, IsRefusedWhereItWouldDoNothingOrHarm) {
  EXPECT_THAT(Wrong(R"(elements { id: "a" })"), IsEmpty());
  EXPECT_THAT(Wrong(R"(elements_json: "[{}]")"), IsEmpty());
  EXPECT_THAT(Wrong(""), ElementsAre("elements"));
  EXPECT_THAT(Wrong(R"(elements { id: "a" } elements_json: "[{}]")"), ElementsAre("elements_json"));
  EXPECT_THAT(Wrong(R"(elements { id: "a" } elements { text: "b" })"),
              ElementsAre("elements[1].id"));
  EXPECT_THAT(Wrong(R"(elements { id: "a" url: "http://x/a" })"), ElementsAre("elements[0].url"));
  EXPECT_THAT(Wrong(R"(elements { id: "a" visual_url: "https://10.0.0.1/a" })"),
              ElementsAre("elements[0].visual_url"));
  EXPECT_THAT(Wrong(R"(elements { id: "a" start_time: nan })"),
              ElementsAre("elements[0].start_time"));
  EXPECT_THAT(Wrong(R"(elements { id: "a" extra_json: "{\"text\":1}" })"),
              ElementsAre("elements[0].extra_json.text"));
  for (const char* raw : {"[]", "[ ]", "{}", "[", "[1,]", "\xEF\xBB\xBF[{}]"}) {
    EXPECT_THAT(Wrong("elements_json: '" + std::string(raw) + "'"), ElementsAre("elements_json"))
        << raw;
  }
}

TEST(PreviewUpdate, OfWhatPictoryHasMadeOddTextIsTaken) {
  EXPECT_THAT(Wrong(R"(elements_json: "[{\"a\":NaN,\"a\":1}]")"), IsEmpty());
}

TEST(PreviewUpdate, ABodyThatGrowsTooLargeIsNotSent) {
  v1::UpdatePreviewRequest request;
  for (int i = 0; i < 3; ++i) {
    request.add_elements()->set_id("a");
    request.mutable_elements(i)->set_extra_json(
        "{\"k\":\"" + std::string(limits::kRequestMaxBytes / 3, 'x') + "\"}");
  }
  EXPECT_TRUE(absl::IsInvalidArgument(PreviewUpdate(request, "p").status()));
}

}  // namespace
}  // namespace gateway::pictory
