// The board over HTTP: its files, what they may do, and who gets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "board/files.h"
#include "face_house.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::face {
namespace {

using test::FaceHouse;
using test::PlainClient;
using test::PlainReply;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(FaceBoardTest, ServesEachFileWithItsTypeAndATagThatSparesIt) {
  FaceHouse house;
  for (const board::File& file : board::Files()) {
    const std::string path(file.path);
    const PlainReply got = house.Get(path);
    EXPECT_EQ(got.status, 200) << path;
    EXPECT_EQ(got.body, file.bytes) << path;
    EXPECT_EQ(got.headers.at("content-type"), file.type) << path;
    EXPECT_EQ(got.headers.at("x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(got.headers.at("cache-control"), "no-cache") << path;
    EXPECT_EQ(got.headers.count("set-cookie"), 0u) << path;
    const std::string known = "If-None-Match: " + got.headers.at("etag") + "\r\n";
    EXPECT_EQ(house.Get(path, known).status, 304) << path;
    EXPECT_EQ(house.Get(path, "If-None-Match: \"older\"\r\n").status, 200) << path;
  }
  EXPECT_EQ(house.Get("/").headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(house.Get("/board/none.js").status, 404);
  EXPECT_EQ(house.Get("/board/../board/main.js").status, 404);
  EXPECT_EQ(house.Post("/", "{}").status, 404);
}

// A kind or a state that the board has no word for is shown as Job or Unknown state, and cannot be
// chosen.
TEST(FaceBoardTest, HasAWordForEachKindAndState) {
  FaceHouse house;
  const std::string words = house.Get("/board/words.js").body;
  const auto count = [&words](const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = words.find(what, at)) != words.npos; ++at) ++found;
    return found;
  };
  const auto* const kinds = ::pictory::jobs::v1::JobKind_descriptor();
  for (int i = 1; i < kinds->value_count(); ++i) {  // 0 is UNSPECIFIED
    EXPECT_EQ(count("\n  " + kinds->value(i)->name() + ": '"), 1u) << kinds->value(i)->name();
  }
  const auto* const states = ::pictory::jobs::v1::JobState_descriptor();
  for (int i = 1; i < states->value_count(); ++i) {
    const std::string& name = states->value(i)->name();
    EXPECT_EQ(count("\n  " + name + ": {word: '"), 1u) << name;
    EXPECT_GE(count("'" + name + "'"), 1u) << name << " is among neither ACTIVE nor ENDED";
  }
}

TEST(FaceBoardTest, NothingOnThePageBecomesAScript) {
  FaceHouse house;
  const std::string policy = house.Get("/").headers.at("content-security-policy");
  EXPECT_THAT(policy,
              AllOf(HasSubstr("default-src 'none'"), HasSubstr("script-src 'self';"),
                    HasSubstr("style-src 'self';"), HasSubstr("connect-src 'self';"),
                    HasSubstr("frame-ancestors 'none'"), HasSubstr("form-action 'none'"),
                    HasSubstr("require-trusted-types-for 'script'"), Not(HasSubstr("unsafe"))));
  EXPECT_EQ(house.Get("/").headers.at("x-frame-options"), "DENY");
  EXPECT_EQ(house.Get("/").headers.at("referrer-policy"), "no-referrer");
  for (const board::File& file : board::Files()) {
    for (const char* const way : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
                                  "eval(", "new Function", "localStorage", ".cookie"}) {
      EXPECT_EQ(file.bytes.find(way), std::string_view::npos) << file.path << " has " << way;
    }
  }
}

TEST(FaceBoardTest, MayBeLinkedToAndNotBeUsedByOthers) {
  FaceHouse house;
  const std::string link =
      "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
  EXPECT_EQ(house.Get("/", link).status, 200);
  EXPECT_THAT(house.refused(), IsEmpty());
  // Not in a frame, not as a script, and nothing of the API.
  EXPECT_EQ(house
                .Get("/",
                     "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"
                     "Sec-Fetch-Dest: iframe\r\n")
                .status,
            403);
  EXPECT_EQ(house.Get("/board/main.js", "Sec-Fetch-Site: cross-site\r\n").status, 403);
  EXPECT_EQ(house.Get("/v1/jobs", link).status, 403);
  PlainClient rebound(house.port());
  rebound.Send("GET / HTTP/1.1\r\nHost: evil.example\r\n" + link + "\r\n");
  EXPECT_EQ(rebound.Read().status, 421);
}

}  // namespace
}  // namespace gateway::face
