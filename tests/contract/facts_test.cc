// What `pictory-gateway contract` tries, without a network: its facts are those of API.md, what is
// not free does not leave, and what was paid for is not forgotten.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "contract/facts.h"
#include "contract/findings.h"
#include "contract/guarded_transport.h"
#include "contract/report.h"
#include "contract/spent_book.h"
#include "contract/view.h"
#include "support/fake_transport.h"

namespace gateway::contract {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

// The rows of the table under a heading, without their code marks: `name|fact|certainty|needs`.
std::vector<std::string> RowsOfPage() {
  std::ifstream page(PICTORY_API_PAGE);
  EXPECT_TRUE(page.is_open());
  std::vector<std::string> rows;
  bool there = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) there = line == "## What can be tried on the live service";
    if (!there || !line.starts_with("| `")) continue;
    std::vector<std::string> cells = absl::StrSplit(absl::StrReplaceAll(line, {{"`", ""}}), '|');
    std::string row;
    for (std::size_t i = 1; i + 1 < cells.size(); ++i) {
      absl::StrAppend(&row, i == 1 ? "" : "|",
                      std::string(absl::StripAsciiWhitespace(cells.at(i))));
    }
    rows.push_back(row);
  }
  return rows;
}

TEST(Facts, AreTheRowsOfThePage) {
  std::vector<std::string> facts;
  for (const Fact& fact : kFacts) {
    facts.push_back(absl::StrCat(std::string(fact.name), "|", std::string(fact.says), "|",
                                 std::string(Word(fact.certainty)), "|",
                                 std::string(Word(fact.needs))));
  }
  EXPECT_THAT(RowsOfPage(), ElementsAreArray(facts));
}

TEST(Facts, AFailureIsNotUnsaid) {
  Findings findings;
  findings.Skip("quota", "no answer");
  findings.Judge("quota", true, "once");
  EXPECT_EQ(findings.Of(FactName("quota").index).verdict, Verdict::kHolds);
  findings.Judge("quota", false, "then");
  findings.Judge("quota", true, "again");
  findings.Skip("quota", "no answer");
  EXPECT_EQ(findings.Of(FactName("quota").index).verdict, Verdict::kFails);
  EXPECT_EQ(findings.Of(FactName("quota").index).seen, "then");
  EXPECT_EQ(findings.Count(Verdict::kFails), 1);
}

http::Request Asking(std::string method, std::string path, http::Lane lane = http::Lane::kRead) {
  http::Request request;
  request.lane = lane;
  request.method = std::move(method);
  request.path = std::move(path);
  return request;
}

TEST(GuardedTransport, KnowsWhatIsFree) {
  EXPECT_TRUE(IsFree(Asking("GET", "/v1/quota")));
  EXPECT_TRUE(IsFree(Asking("POST", "/v1/oauth2/token")));
  EXPECT_TRUE(IsFree(Asking("POST", "/v1/media/generateurl")));
  for (const char* path : {"/v2/video/storyboard", "/v1/templates", "/v1/media/generateurl/x",
                           "/v1/aistudio/images", "/v1/video/from-template"}) {
    EXPECT_FALSE(IsFree(Asking("POST", path))) << path;
  }
  EXPECT_FALSE(IsFree(Asking("PUT", "/v2/video/render/a")));
  EXPECT_FALSE(IsFree(Asking("DELETE", "/v1/jobs/a/clean")));
  EXPECT_FALSE(IsFree(Asking("POST", "/v1/oauth2/token", http::Lane::kPaid)));
}

TEST(GuardedTransport, LetsOnePaidRequestThroughForEachAllowance) {
  test::FakeTransport below;
  below.AnswerAllWith(test::Reply(200, "{}"));
  GuardedTransport transport(below);
  const auto send = [&] {
    http::Response got;
    transport.Start(Asking("POST", "/v2/video/storyboard", http::Lane::kPaid),
                    [&](http::Response reply) { got = std::move(reply); });
    return got;
  };
  EXPECT_EQ(send().outcome, http::Response::Outcome::kNotSent);
  transport.Allow();
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(send().outcome, http::Response::Outcome::kNotSent);
  transport.Allow();
  transport.Disallow();
  EXPECT_EQ(send().outcome, http::Response::Outcome::kNotSent);
  EXPECT_EQ(below.requests().size(), 1U);
}

TEST(View, ShowsNamesAndTypesAndNoValue) {
  const std::string text =
      R"({"success":true,"account_77321":"x","a@b.example":1,"data":{"key":"pictai_secret"},"n":3})";
  const std::string words = View(text).Words();
  EXPECT_EQ(words, "an object of success (bool), data (object), n (number) and more");
  EXPECT_EQ(View(text).At("data").At("key").Text(), "pictai_secret");
  EXPECT_EQ(Shown("someone@example.com"), "another word");
  EXPECT_EQ(Shown("in-progress"), "in-progress");
}

class Spent : public ::testing::Test {
 protected:
  Spent() {
    std::string name = (std::filesystem::temp_directory_path() / "spent-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Spent() override { std::filesystem::remove_all(folder_); }
  SpentBook Open(const std::string& service = "https://a") {
    absl::StatusOr<SpentBook> book = SpentBook::Open(file(), service);
    EXPECT_TRUE(book.ok()) << book.status();
    return *std::move(book);
  }
  std::filesystem::path file() const { return folder_ / "deep" / "spent"; }

  std::filesystem::path folder_;
};

TEST_F(Spent, IsThereForTheNextRun) {
  {
    SpentBook book = Open();
    EXPECT_TRUE(book.Sending("preview").ok());
    EXPECT_TRUE(book.Made("preview", "p-1").ok());
    EXPECT_TRUE(book.Sending("image").ok());
    EXPECT_TRUE(book.Sending("video").ok());
    EXPECT_TRUE(book.Refused("video").ok());
  }
  SpentBook book = Open();
  EXPECT_EQ(book.Left("preview"), "p-1");
  EXPECT_EQ(book.Left("image"), "");
  EXPECT_EQ(book.Left("video"), std::nullopt);
  book.Close();  // nobody knows of the image
  EXPECT_TRUE(std::filesystem::exists(file()));
  EXPECT_TRUE(book.Made("image", "i-1").ok());
  book.Ended("image");
  book.Close();  // the preview was not waited out, and would be bought again
  EXPECT_TRUE(std::filesystem::exists(file()));
  book.Ended("preview");
  book.Close();
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Spent, IsOpenForOneRunAtATime) {
  std::optional<SpentBook> book = Open();
  EXPECT_THAT(std::string(SpentBook::Open(file(), "https://a").status().message()),
              HasSubstr("another run"));
  book.reset();
  Open();
}

TEST_F(Spent, IsOfOneService) {
  EXPECT_TRUE(Open().Made("preview", "p-1").ok());
  EXPECT_THAT(std::string(SpentBook::Open(file(), "https://b").status().message()),
              HasSubstr("another --base-url"));
  std::ofstream(file()) << "https://a\npreview\n";
  EXPECT_THAT(std::string(SpentBook::Open(file(), "https://a").status().message()),
              HasSubstr("is broken"));
}

}  // namespace
}  // namespace gateway::contract
