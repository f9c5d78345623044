#include "pictory/template_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "pictory/from_text.h"
#include "pictory/translate.h"
#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kRetryInfo[] = "type.googleapis.com/google.rpc.RetryInfo";

TEST(Templates, TheFileIsSentAsItIs) {
  v1::CreateTemplateRequest request;
  request.set_project_file(std::string("{\"a\":1}\0\xff", 9));
  const FreeCall call = CreateTemplateCall(request);
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.path, "/v1/templates");
  EXPECT_EQ(std::string_view(call.content_type), "application/octet-stream");
  EXPECT_EQ(*call.body, request.project_file());
}

TEST(Templates, TheOthersNameTheTemplate) {
  EXPECT_EQ(ListTemplatesCall().path, "/v1/templates");
  EXPECT_EQ(GetTemplateCall("a/b").path, "/v1/templates/a%2Fb");
  const FreeCall remove = DeleteTemplateCall("a");
  EXPECT_EQ(remove.method, "DELETE");
  EXPECT_EQ(remove.path, "/v1/templates/a");
  v1::UpdateTemplateRequest update;
  update.set_template_id("a");
  update.set_scenes_json(" [ {\"sceneId\":1.50} ]");
  const FreeCall call = UpdateTemplateCall(update);
  EXPECT_EQ(call.method, "PUT");
  EXPECT_EQ(call.path, "/v1/templates/a");
  EXPECT_EQ(*call.body, "{\"scenes\": [ {\"sceneId\":1.50} ]}");
  Violations none, wrong;
  CheckTemplateUpdate(update, none);
  EXPECT_TRUE(none.Take().empty());
  for (const char* bad :
       {"[1]}, \"x\":[1", "\xEF\xBB\xBF[1]", "[{\"a\":1,\"a\":2}]", "[NaN]", " [ ]"}) {
    update.set_scenes_json(bad);
    CheckTemplateUpdate(update, wrong);
    EXPECT_FALSE(wrong.Take().empty()) << bad;
  }
}

TEST(Templates, APreviewFromOneIsCheckedForWhatIsKnown) {
  const auto wrong = [](const std::string& text) {
    std::vector<std::string> fields;
    for (const auto& violation : Validate(Parse<v1::CreatePreviewRequest>(text), {})) {
      fields.push_back(violation.field);
    }
    return fields;
  };
  EXPECT_THAT(wrong(R"(from_template { template_id: "t" })"), IsEmpty());
  EXPECT_THAT(wrong(R"(from_template_json: "{\"templateId\":\"t\",\"anything\":1}")"), IsEmpty())
      << "what else there is is not published";
  EXPECT_THAT(wrong("from_template {}"), ElementsAre("from_template.template_id"));
  EXPECT_THAT(wrong(R"(from_template { template_id: "t" scenes_json: "{}" })"),
              ElementsAre("from_template.scenes_json"));
  EXPECT_THAT(wrong(R"(from_template { template_id: "t" extra_json: "{\"webhook\":\"u\"}" })"),
              ElementsAre("from_template.extra_json.webhook"));
  EXPECT_THAT(wrong(R"(from_template_json: "{\"webhook\":\"u\"}")"),
              ElementsAre("from_template_json.webhook", "from_template_json.templateId"));
  EXPECT_THAT(wrong(R"(from_template_json: "[]")"), ElementsAre("from_template_json"));
}

TEST(Templates, WhatMayHaveBeenMadeIsNotSaidToBeSafeToRepeat) {
  http::Response cut_long = test::Cut("too long", 200, "{");
  cut_long.longer_than_bytes = 1000;
  const http::Response kOpen[] = {test::Reply(408, "{}"),
                                  test::Reply(425, "{}"),
                                  test::Reply(302, ""),
                                  test::Reply(503, "<html>"),
                                  test::Cut(),
                                  cut_long};
  for (const FreeCall& call : {CreateTemplateCall({}), DeleteTemplateCall("t")}) {
    for (const http::Response& response : kOpen) {
      const absl::Status told = ReadFreeStatus(response, call.shown_by, {});
      EXPECT_TRUE(absl::IsUnknown(told)) << told;
      EXPECT_EQ(errors::Reason(told), "UPSTREAM_UNKNOWN");
      EXPECT_FALSE(told.GetPayload(kRetryInfo)) << told;
      EXPECT_THAT(std::string(told.message()), HasSubstr("look with ListTemplates"));
    }
    for (const auto& [response, reason] :
         {std::pair(test::NotSent(), "UPSTREAM_UNREACHABLE"),
          std::pair(test::Reply(429, ""), "UPSTREAM_RATE_LIMITED")}) {
      const absl::Status told = ReadFreeStatus(response, call.shown_by, {});
      EXPECT_EQ(errors::Reason(told), reason);
      EXPECT_TRUE(told.GetPayload(kRetryInfo)) << "nothing was done";
    }
  }
  const absl::Status update = ReadFreeStatus(test::Cut(), UpdateTemplateCall({}).shown_by, {});
  EXPECT_EQ(errors::Reason(update), "UPSTREAM_UNREACHABLE") << "to replace is safe to repeat";
}

TEST(Templates, AreReadInBothSpellings) {
  const std::string body =
      R"({"templateId": "t1","name":"Hello","language":"en","published":true,"depricated":true,)"
      R"("variables":{"Name":"NAME","Age":"7"},"scenes":[{"sceneId":"s1"}]})";
  const auto one = ReadTemplate(body);
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->info().template_id(), "t1");
  EXPECT_TRUE(one->info().published());
  EXPECT_TRUE(one->info().deprecated());
  EXPECT_EQ(one->info().variables().at("Name"), "NAME");
  EXPECT_EQ(one->template_json(), body);
  const auto all = ReadTemplates(
      R"({"items":[{"templateId":"a","deprecated":true},{"templateId":"b","published":false}]})");
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_TRUE(all->templates(0).deprecated());
  EXPECT_FALSE(all->templates(1).published());
  EXPECT_EQ(all->omitted_templates(), 0);
  for (const char* bad : {"{}", "[]", "", "{\"items\":1}"}) {
    EXPECT_TRUE(absl::IsUnavailable(ReadTemplates(bad).status())) << bad;
    const absl::Status made = ReadNewTemplate(bad).status();
    EXPECT_EQ(errors::Reason(made), "UPSTREAM_UNKNOWN") << bad;
    EXPECT_FALSE(made.GetPayload(kRetryInfo)) << bad << ": there may be a template";
  }
}

}  // namespace
}  // namespace gateway::pictory
