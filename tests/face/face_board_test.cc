// The board over HTTP: its files, what they may do, and who gets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "board/files.h"
#include "face_house.h"

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
