// What programs look up before they write a storyboard, and the pages of this machine that do so.
#include <gmock/gmock.h>

#include "sandbox/rig.h"

namespace gateway::sandbox {
namespace {

using ::testing::HasSubstr;

class CatalogTest : public Rig {
 protected:
  void SetUp() override { Start(); }
  std::size_t Found(const std::string& search) {
    const JsonReply reply = Api("POST", "/v1/music/search", search);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.At("items").Size();
  }
};

TEST_F(CatalogTest, MediaIsFoundByAWordAndCanBeLoaded) {
  const JsonReply found = Api("GET", "/v1/media/search?keyword=bread%20oven&page=2");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.NumberAt("data.page"), 2);
  EXPECT_EQ(found.TextAt("data.searchResults.0.keyword"), "bread oven");
  EXPECT_EQ(found.TextAt("data.searchResults.0.preview.url"),
            "http://localhost/media/stock/clip.mp4");
  EXPECT_EQ(Raw("GET", "/media/stock/clip.mp4").status, 200);
  EXPECT_EQ(Raw("GET", "/media/stock/clip.jpg").status, 200);
  EXPECT_EQ(Api("GET", "/v1/media/search?keyword=x&page=99").At("data.searchResults").Size(), 0u);
  EXPECT_EQ(Api("GET", "/v1/media/search").status, 400);
  EXPECT_EQ(Api("GET", "/v1/media/search?keyword=x", "", "").status, 401);
}

TEST_F(CatalogTest, VoicesAreABareArray) {
  const JsonReply voices = Api("GET", "/v1/voiceovers/tracks");
  EXPECT_EQ(voices.status, 200);
  EXPECT_THAT(voices.body, ::testing::StartsWith("[{"));
  EXPECT_THAT(voices.body, HasSubstr(R"("name":"Brian")"));
}

TEST_F(CatalogTest, IdsOfAStoryboardAreListed) {
  const JsonReply avatars = Api("GET", "/v1/avatars");
  EXPECT_EQ(avatars.status, 200);
  EXPECT_EQ(avatars.TextAt("items.0.looks.0.id"), "Mira_apron_sandbox");
  EXPECT_EQ(avatars.TextAt("items.0.looks.0.previewImage"),
            "http://localhost/media/stock/clip.jpg");
  EXPECT_THAT(avatars.body, HasSubstr(R"("nextPageKey":null)"));
  EXPECT_EQ(Api("GET", "/v1/brands/video").TextAt("1.name"), "Bakery");
  EXPECT_EQ(Api("GET", "/v1/styles").TextAt("0.name"), "Default");
  EXPECT_EQ(Api("GET", "/v1/smartlayouts").TextAt("items.0.templateName"), "Loaf");
  for (const char* path : {"/v1/avatars", "/v1/brands/video", "/v1/styles", "/v1/smartlayouts"}) {
    EXPECT_EQ(Api("GET", path, "", "").status, 401) << path;
  }
}

TEST_F(CatalogTest, MusicIsChosenByTheWordsOfItsLists) {
  const std::size_t all = Found("{}");
  EXPECT_GT(all, 3u);
  EXPECT_EQ(Found(R"({"page":2})"), 0u);
  EXPECT_EQ(Found(R"({"instrument":["Piano","Harp"]})"), 1u);
  EXPECT_EQ(Found(R"({"notInstrument":"Piano"})"), all - 1);
  EXPECT_EQ(Found(R"({"query":"Loaf","pageSize":20})"), 1u);
  EXPECT_EQ(Found(R"({"minDuration":100,"maxDuration":130})"), 1u);
  EXPECT_EQ(Api("POST", "/v1/music/search", R"({"pageSize":5})").status, 400);
  for (const char* list : {"moods", "genres", "genres/groups", "instruments", "purposes"}) {
    const JsonReply words = Api("GET", std::string("/v1/music/") + list);
    EXPECT_EQ(words.status, 200) << list;
    EXPECT_THAT(words.body, ::testing::StartsWith("[\"")) << list;
  }
  EXPECT_EQ(Api("GET", "/v1/music/colours").status, 404);
}

TEST_F(CatalogTest, PagesOfThisMachineMayCallAndNoOthers) {
  for (const char* origin : {"http://localhost:5173", "http://127.0.0.1", "https://[::1]:8443"}) {
    const std::string from = std::string("Origin: ") + origin + "\r\n";
    const auto asked = Raw("OPTIONS", "/pictoryapis/v2/video/storyboard", "",
                           from +
                               "Access-Control-Request-Method: POST\r\n"
                               "Access-Control-Request-Headers: authorization,content-type\r\n");
    EXPECT_EQ(asked.status, 204);
    EXPECT_EQ(asked.headers.at("access-control-allow-origin"), origin);
    EXPECT_EQ(asked.headers.at("access-control-allow-headers"), "authorization,content-type");
    const JsonReply answer = Api("GET", "/v1/quota", "", kKey + from);
    EXPECT_EQ(answer.headers.at("access-control-allow-origin"), origin);
    EXPECT_EQ(Api("GET", "/v1/quota", "", from).headers.at("access-control-allow-origin"), origin)
        << "a page must be able to read why it was refused";
  }
  for (const char* origin : {"https://example.com", "http://localhost.example.com", "null",
                             "http://127.0.0.1.example.com:80", "localhost"}) {
    const std::string from = std::string("Origin: ") + origin + "\r\n";
    EXPECT_EQ(Api("GET", "/v1/quota", "", kKey + from).headers.count("access-control-allow-origin"),
              0u)
        << origin;
    EXPECT_EQ(
        Raw("OPTIONS", "/pictoryapis/v1/quota", "", from + "Access-Control-Request-Method: GET\r\n")
            .headers.count("access-control-allow-methods"),
        0u);
  }
  EXPECT_EQ(Raw("GET", "/sandbox/stats", "", "Origin: http://localhost\r\n").status, 403);
}

}  // namespace
}  // namespace gateway::sandbox
