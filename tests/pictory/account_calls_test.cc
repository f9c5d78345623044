// The calls about what is an account's: what is asked, and what is read of Pictory's answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/limits.h"
#include "pictory/billing_calls.h"
#include "pictory/project_calls.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// As Pictory's page shows it.
constexpr char kProjectsPage[] = R"({"items":[
  {"id":"20251222191648030d7df02f5b4054d4ca8831f1369459e25","name":"Hello World Template",
   "source":"script","projectPreview":"https://d.cloudfront.net/a.jpg",
   "savedDate":"2025-12-23T01:54:26.755Z","schemaVersion":"v3","type":"project"},
  {"id":1762768083800,"name":"my_saved_project","source":"script",
   "projectPreview":"http://10.0.0.1/x.mp4","savedDate":"2025-11-10T09:48:03.800Z",
   "aspectRatio":"sixteen-nine","schemaVersion":"v2","type":"project"},
  {"id":1751663566232,"name":"What_is_Calculus","source":"transcribe","projectPreview":null}
],"pageKey":"a+b/c="})";

TEST(Projects, APageIsReadWithIdsOfBothKinds) {
  const auto page = ReadProjects(kProjectsPage, false);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->projects_size(), 3);
  EXPECT_EQ(page->projects(0).thumbnail_url(), "https://d.cloudfront.net/a.jpg");
  EXPECT_EQ(page->projects(0).save_time(), "2025-12-23T01:54:26.755Z");
  EXPECT_EQ(page->projects(1).project_id(), "1762768083800") << "older ones are numbers";
  EXPECT_EQ(page->projects(1).thumbnail_url(), "") << "no link that a caller may be given";
  EXPECT_EQ(page->projects(1).aspect_ratio(), "sixteen-nine");
  EXPECT_EQ(page->projects(2).name(), "What_is_Calculus");
  EXPECT_EQ(page->next_page_token(), "a+b/c=");
}

TEST(Projects, TheTokenOfAPageGoesBackAsItCame) {
  EXPECT_EQ(ListProjectsCall("").path, "/v2/projects");
  EXPECT_EQ(ListProjectsCall("a+b/c=").path, "/v2/projects?pagekey=a%2Bb%2Fc%3D");
  EXPECT_EQ(GetProjectCall("1/2").path, "/v2/projects/1%2F2");
}

TEST(Projects, TheLastPageHasNoToken) {
  for (const char* last : {R"({"items":[],"pageKey":null})", R"({"items":[]})"}) {
    const auto page = ReadProjects(last, false);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_EQ(page->next_page_token(), "");
  }
  EXPECT_EQ(ReadProjects(R"({"items":[],"pageKey":12})", false)->next_page_token(), "12");
}

TEST(Projects, AListThatCannotBeReadToItsEndIsNone) {
  const std::string token(limits::kPageTokenMaxBytes + 1, 'k');
  for (const std::string& bad :
       {std::string("{}"), std::string("[]"), std::string("<html>"), std::string(""),
        std::string(R"({"items":{}})"), std::string(R"({"items":[],"pageKey":{"id":1}})"),
        R"({"items":[],"pageKey":")" + token + "\"}"}) {
    const absl::Status status = ReadProjects(bad, false).status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << bad;
    EXPECT_EQ(errors::Reason(status), "UPSTREAM_UNREACHABLE");
  }
}

TEST(Projects, OneIsReadAndKeptWhole) {
  const std::string body =
      R"({"project_id": "p1", "projectName":"Guide","step":"STORYBOARD","layout":"16:9",)"
      R"("scriptLanguage":"en","thumbnail":"https://cdn.example.com/t.jpg",)"
      R"("videoURL":"https://cdn.example.com/v.mp4","shareVideoURL":"javascript:x",)"
      R"("videoDuration":21.98,"saveDate":"2026-01-19T09:23:21.131Z",)"
      R"("generatedDate":"2026-01-19T09:26:23.059Z","scenes":[{"sceneId":18446744073709551616}]})";
  const auto project = ReadProject(body, false);
  ASSERT_TRUE(project.ok()) << project.status();
  EXPECT_EQ(project->project().project_id(), "p1");
  EXPECT_EQ(project->project().name(), "Guide");
  EXPECT_EQ(project->project().aspect_ratio(), "16:9");
  EXPECT_EQ(project->project().language(), "en");
  EXPECT_EQ(project->project().video_url(), "https://cdn.example.com/v.mp4");
  EXPECT_EQ(project->project().share_url(), "");
  EXPECT_EQ(project->project().video_duration_seconds(), 21.98);
  EXPECT_EQ(project->project().render_time(), "2026-01-19T09:26:23.059Z");
  EXPECT_EQ(project->project_json(), body);
  EXPECT_TRUE(absl::IsUnavailable(ReadProject("[]", false).status()));
  const auto large = ReadProject(
      R"({"id":"p","x":")" + std::string(limits::kWholeAnswerMaxBytes, 'x') + "\"}", false);
  ASSERT_TRUE(large.ok()) << large.status();
  EXPECT_EQ(large->project().project_id(), "p");
  EXPECT_EQ(large->project_json(), "");
  EXPECT_EQ(large->omitted_bytes(), static_cast<int>(limits::kWholeAnswerMaxBytes) + 17);
  // Clients refuse a message with a broken letter, whole.
  const auto broken = ReadProject("{\"id\":\"p\",\"name\":\"cut \xC3\"}", false);
  ASSERT_TRUE(broken.ok()) << broken.status();
  EXPECT_EQ(broken->project_json(), "{\"id\":\"p\",\"name\":\"cut \xEF\xBF\xBD\"}");
  const auto longer = ReadProject(
      "{\"id\":\"p\",\"x\":\"" + std::string(limits::kWholeAnswerMaxBytes / 2, '\xC3') + "\"}",
      false);
  ASSERT_TRUE(longer.ok()) << longer.status();
  EXPECT_EQ(longer->project_json(), "");
  EXPECT_GT(longer->omitted_bytes(), 0);
}

TEST(Account, TheQuotaIsBareAndWhatIsLeftIsReckoned) {
  v1::GetAccountResponse account;
  ASSERT_TRUE(ReadQuota(R"({"videoMinutes":{"used":98,"limit":14400},
      "transcriptionMinutes":{"used":0,"limit":14400},
      "elevenLabsVoiceOverMinutes":{"used":"33","limit":480},
      "aiCredits":{"used":690.5,"limit":22000}})",
                        account)
                  .ok());
  EXPECT_EQ(account.quota().video_minutes().used(), 98);
  EXPECT_EQ(account.quota().video_minutes().limit(), 14400);
  EXPECT_EQ(account.quota().eleven_labs_voice_over_minutes().used(), 33);
  EXPECT_EQ(account.ai_credits_left(), 21309.5);

  v1::GetAccountResponse over, part;
  ASSERT_TRUE(ReadQuota(R"({"aiCredits":{"used":7,"limit":5}})", over).ok());
  EXPECT_EQ(over.ai_credits_left(), 0);
  ASSERT_TRUE(ReadQuota(R"({"aiCredits":{"used":7}})", part).ok());
  EXPECT_FALSE(part.has_ai_credits_left());
  EXPECT_FALSE(part.quota().has_video_minutes());
  EXPECT_TRUE(absl::IsUnavailable(ReadQuota("[]", part)));
}

TEST(Account, ChargesAreListedAndSummed) {
  v1::GetAccountResponse account;
  ASSERT_TRUE(ReadCharges(R"([
    {"transactionId":"t1","type":"debit","amount":0.6,"source":"Text-to-Image","description":"d",
     "plan":"API Annual","transactionDate":"2026-05-08T15:37:11.176Z"},
    {"transactionId":"t2","type":"credit","amount":100,"source":"Monthly Reset"},
    {"transactionId":"t3","type":"debit","amount":30},
    {"transactionId":"t4","type":"other","amount":5}])",
                          account)
                  .ok());
  ASSERT_EQ(account.transactions_size(), 4);
  EXPECT_EQ(account.transactions(0).transaction_id(), "t1");
  EXPECT_EQ(account.transactions(0).time(), "2026-05-08T15:37:11.176Z");
  EXPECT_EQ(account.credits_charged(), 30.6);
  EXPECT_EQ(account.credits_granted(), 100);
  for (const char* bad : {"{}", "[1]", "[", "", "[{}]x"}) {
    v1::GetAccountResponse none;
    EXPECT_TRUE(absl::IsUnavailable(ReadCharges(bad, none))) << bad;
  }
  v1::GetAccountResponse empty;
  EXPECT_TRUE(ReadCharges("[]", empty).ok());
}

TEST(Account, OfVeryManyChargesTheSumIsOfAll) {
  std::string many = "[";
  for (int i = 0; i < limits::kTransactionsMax + 5; ++i) {
    many += std::string(i == 0 ? "" : ",") + R"({"type":"debit","amount":1})";
  }
  v1::GetAccountResponse account;
  ASSERT_TRUE(ReadCharges(many + "]", account).ok());
  EXPECT_EQ(account.transactions_size(), limits::kTransactionsMax);
  EXPECT_EQ(account.omitted_transactions(), 5);
  EXPECT_EQ(account.credits_charged(), limits::kTransactionsMax + 5);
}

TEST(Account, AMonthNeedsItsYear) {
  const auto wrong = [](int year, int month) {
    v1::GetAccountRequest request;
    request.set_year(year);
    request.set_month(month);
    Violations violations;
    CheckMonth(request, violations);
    std::vector<std::string> fields;
    for (const auto& violation : violations.Take()) fields.push_back(violation.field);
    return fields;
  };
  EXPECT_THAT(wrong(0, 0), IsEmpty());
  EXPECT_THAT(wrong(2026, 12), IsEmpty());
  EXPECT_THAT(wrong(2026, 0), ElementsAre("month"));
  EXPECT_THAT(wrong(0, 3), ElementsAre("year"));
  EXPECT_THAT(wrong(26, 13), ElementsAre("year", "month"));
  v1::GetAccountRequest request;
  EXPECT_EQ(ChargesCall(request).path, "/v1/aicredits/usage");
  request.set_year(2026);
  request.set_month(3);
  EXPECT_EQ(ChargesCall(request).path, "/v1/aicredits/usage?year=2026&month=3");
}

}  // namespace
}  // namespace gateway::pictory
