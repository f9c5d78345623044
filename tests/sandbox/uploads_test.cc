// The media store as an upload client sees it: over bare sockets, with nothing of ours in between.
#include "sandbox/uploads.h"

#include <gmock/gmock.h>

#include <thread>

#include "sandbox/rig.h"
#include "sandbox/upload_sink.h"

namespace gateway::sandbox {
namespace {

using test::PlainReply;
using End = test::PlainReply::End;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

// A signed URL in its parts.
struct Place {
  std::uint16_t port = 0;
  std::string target;  // path and query of the signed URL
  std::string path;    // of the file
  std::string url;
};

class UploadsTest : public Rig {
 protected:
  Place Ask(const std::string& call = "generateUrl", const std::string& type = "video/mp4",
            const std::string& name = "my talk.mp4") {
    const JsonReply reply =
        Api("POST", "/v1/media/" + call,
            R"({"fileName":")" + name + R"(","contentType":")" + type + R"("})");
    EXPECT_EQ(reply.status, 200) << reply.body;
    const std::string signed_url = reply.TextAt("data.signedUrl");
    Place place;
    place.url = reply.TextAt("data.url");
    const std::size_t colon = signed_url.rfind(':', signed_url.find('/', 8));
    const std::size_t slash = signed_url.find('/', colon);
    place.port =
        static_cast<std::uint16_t>(std::stoi(signed_url.substr(colon + 1, slash - colon - 1)));
    place.target = signed_url.substr(slash);
    place.path = place.target.substr(0, place.target.find('?'));
    EXPECT_EQ("/" + reply.TextAt("data.key"), place.path);
    // As a caller on this machine names it.
    place.url = "http://127.0.0.1:" + std::to_string(place.port) + place.path;
    return place;
  }
  static PlainReply Put(const Place& place, const std::string& body,
                        const std::string& headers = "Content-Type: video/mp4\r\n") {
    test::PlainClient client(place.port);
    return client.Call("PUT", place.target, body, headers);
  }
  static PlainReply Status(const Place& place, std::size_t total) {
    return Put(
        place, "",
        "Content-Type: video/mp4\r\nContent-Range: bytes */" + std::to_string(total) + "\r\n");
  }
  static PlainReply Get(const Place& place, const std::string& headers = "") {
    test::PlainClient client(place.port);
    return client.Call("GET", place.path, "", headers);
  }
  double Stat(const std::string& name) {
    return Control("GET", "/stats").NumberAt("uploads." + name);
  }
  std::string Transcribe(const std::string& url) {
    return Submit("POST", "/v2/transcription", R"({"fileUrl":")" + url + R"("})");
  }
  // Sends the first bytes of a PUT and breaks the connection.
  static void BreakOff(const Place& place, const std::string& body, std::size_t after) {
    test::PlainClient client(place.port);
    const std::string request =
        test::PlainRequest("PUT", place.target, body, "Content-Type: video/mp4\r\n");
    client.Send(request.substr(0, request.size() - body.size() + after));
    client.Close();
  }
};

TEST_F(UploadsTest, AFileGoesInOnceAndComesOutAsOftenAsOneLikes) {
  Start();
  for (const char* call : {"generateUrl", "generateurl"}) {
    const Place place = Ask(call);
    EXPECT_NE(place.port, sandbox_->port());
    EXPECT_EQ(Get(place).status, 404);
    const PlainReply put = Put(place, "the bytes");
    EXPECT_EQ(put.status, 200) << put.body;
    const PlainReply got = Get(place);
    EXPECT_EQ(got.body, "the bytes");
    EXPECT_EQ(got.headers.at("content-type"), "video/mp4");
    const PlainReply part = Get(place, "Range: bytes=4-\r\n");
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, "bytes");
  }
  EXPECT_EQ(Stat("signed_urls"), 2);
  EXPECT_EQ(Stat("stored"), 2);
  EXPECT_EQ(Stat("bytes_received"), 18);
}

TEST_F(UploadsTest, AskingNeedsTheKeyAndANameAndAType) {
  Start();
  EXPECT_EQ(Api("POST", "/v1/media/generateUrl", "{}", "").status, 401);
  EXPECT_THAT(Api("POST", "/v1/media/generateUrl", "{}").body, HasSubstr("fileName"));
  EXPECT_THAT(Api("POST", "/v1/media/generateUrl", R"({"fileName":"a.mp4"})").body,
              HasSubstr("contentType"));
  EXPECT_EQ(Api("POST", "/v1/media/generateUrl", "[]").status, 400);
}

TEST_F(UploadsTest, AnyContentTypeIsTaken) {
  Start();
  for (const char* headers : {"Content-Type: video/quicktime\r\n", ""}) {
    EXPECT_EQ(Put(Ask(), "x", headers).status, 200);
  }
  EXPECT_THAT(Ask().target, HasSubstr("Content-Type=video%2Fmp4"));
}

TEST_F(UploadsTest, WhereAskedForOnlyTheSignedContentTypeIsTaken) {
  Start();
  AddFault(R"({"match":{"path_prefix":"/public"},"fault":{"type":"strict_content_type"}})");
  const Place place = Ask();
  for (const char* headers : {"Content-Type: video/quicktime\r\n", ""}) {
    const PlainReply reply = Put(place, "x", headers);
    EXPECT_EQ(reply.status, 403);
    EXPECT_THAT(reply.body, HasSubstr("<Code>SignatureDoesNotMatch</Code>"));
    EXPECT_EQ(reply.headers.at("content-type"), "application/xml");
  }
  EXPECT_EQ(Get(place).status, 404);
}

TEST_F(UploadsTest, AWrongSignatureIsRefused) {
  Start();
  Place place = Ask();
  place.target.back() = place.target.back() == '0' ? '1' : '0';
  EXPECT_EQ(Put(place, "x").status, 403);
  place.target = place.path;
  EXPECT_EQ(Put(place, "x").status, 403);
  place.target = "/public/uploads/nobody/a.mp4?X-Amz-Signature=";
  EXPECT_EQ(Put(place, "x").status, 403);
  place.target = "/elsewhere";
  EXPECT_EQ(Put(place, "x").status, 403);
}

TEST_F(UploadsTest, ASignedUrlExpires) {
  Start();
  const Place place = Ask();
  clock_.Advance(24 * 3600 - 1);
  EXPECT_EQ(Put(place, "x").status, 200);
  clock_.Advance(1);
  const PlainReply late = Put(place, "x");
  EXPECT_EQ(late.status, 403);
  EXPECT_THAT(late.body, HasSubstr("<Message>Request has expired</Message>"));
  EXPECT_EQ(Get(place).status, 200);
}

TEST_F(UploadsTest, TheKeyMustNotGoThere) {
  Start();
  const Place place = Ask();
  const PlainReply reply = Put(place, "x", std::string("Content-Type: video/mp4\r\n") + kKey);
  EXPECT_EQ(reply.status, 403);
  EXPECT_THAT(reply.body, HasSubstr("Authorization"));
  EXPECT_EQ(Stat("with_credentials"), 1);
  EXPECT_EQ(Get(place).status, 404);
}

TEST_F(UploadsTest, ARefusalComesBeforeTheBodyIsAskedFor) {
  Start();
  Place place = Ask();
  test::PlainClient refused(place.port);
  refused.Send("PUT " + place.path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n" +
               "Content-Type: video/mp4\r\nExpect: 100-continue\r\n\r\n");
  const PlainReply reply = refused.Read();
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(reply.headers.at("connection"), "close");
  test::PlainClient asked(place.port);
  asked.Send("PUT " + place.target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n" +
             "Content-Type: video/mp4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(asked.Read(true).status, 100);
  asked.Send("abc");
  EXPECT_EQ(asked.Read().status, 200);
}

TEST_F(UploadsTest, SizesAreBounded) {
  options_.upload_max_bytes = 1000;
  Start();
  const Place place = Ask();
  EXPECT_EQ(Put(place, std::string(1000, 'x')).status, 200);
  const PlainReply large = Put(place, std::string(1001, 'y'));
  EXPECT_EQ(large.status, 400);
  EXPECT_THAT(large.body, HasSubstr("EntityTooLarge"));
  EXPECT_EQ(Get(place).body, std::string(1000, 'x'));
  test::PlainClient client(place.port);
  client.Send("PUT " + place.target +
              " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" +
              "Content-Type: video/mp4\r\n\r\n1\r\nx\r\n0\r\n\r\n");
  EXPECT_EQ(client.Read().status, 411);
}

TEST_F(UploadsTest, ABrokenUploadGoesOnWhereItWas) {
  Start();
  const Place place = Ask();
  const std::string body = std::string(70'000, 'a') + std::string(30'000, 'b');
  const PlainReply none = Status(place, body.size());
  EXPECT_EQ(none.status, 308);
  EXPECT_EQ(none.headers.count("range"), 0u);
  BreakOff(place, body, 80'000);
  PlainReply status;
  do {  // the bytes are on their way
    status = Status(place, body.size());
    ASSERT_EQ(status.status, 308);
  } while (status.headers["range"] != "bytes=0-79999");
  EXPECT_EQ(Get(place).status, 404);
  // Not where the file ends.
  EXPECT_EQ(Put(place, body.substr(90'000),
                "Content-Type: video/mp4\r\nContent-Range: bytes 90000-99999/100000\r\n")
                .status,
            416);
  const PlainReply part =
      Put(place, body.substr(80'000, 10'000),
          "Content-Type: video/mp4\r\nContent-Range: bytes 80000-89999/100000\r\n");
  EXPECT_EQ(part.status, 308);
  EXPECT_EQ(part.headers.at("range"), "bytes=0-89999");
  EXPECT_EQ(Put(place, body.substr(90'000),
                "Content-Type: video/mp4\r\nContent-Range: bytes 90000-99999/100000\r\n")
                .status,
            200);
  EXPECT_EQ(Get(place).body, body);
  EXPECT_EQ(Status(place, body.size()).status, 200);
  EXPECT_EQ(Stat("bytes_received"), 100'000);
}

TEST_F(UploadsTest, AStoreThatCannotGoOnSaysSo) {
  options_.resumable_uploads = false;
  Start();
  const Place place = Ask();
  const PlainReply reply = Status(place, 10);
  EXPECT_EQ(reply.status, 501);
  EXPECT_THAT(reply.body, HasSubstr("NotImplemented"));
  EXPECT_EQ(Put(place, "0123456789").status, 200);
}

TEST_F(UploadsTest, FaultsReachItToo) {
  Start();
  const Place place = Ask();
  AddFault(R"({"match":{"method":"PUT","path_prefix":"/public"},"times":1,)"
           R"("fault":{"type":"cut_upload","after_bytes":4}})");
  EXPECT_EQ(Put(place, "0123456789").end, End::kReset);
  EXPECT_EQ(Status(place, 10).headers.at("range"), "bytes=0-3");
  AddFault(R"({"match":{"path_prefix":"/public"},"times":1,"fault":{"type":"no_resume"}})");
  EXPECT_EQ(Status(place, 10).status, 501);
  AddFault(R"({"match":{"path_prefix":"/public"},"times":1,"fault":{"type":"status"}})");
  EXPECT_EQ(Put(place, "0123456789").status, 503);
  EXPECT_EQ(Put(place, "0123456789").status, 200);
}

TEST_F(UploadsTest, ATranscriptionTakesWhatIsThereAndFailsOverWhatIsNot) {
  Start();
  const Place there = Ask();
  const Place missing = Ask();
  EXPECT_EQ(Put(there, "bytes").status, 200);
  const std::string good = Transcribe(there.url);
  const std::string bad = Transcribe(missing.url);
  const std::string scene =
      Submit("POST", "/v2/video/storyboard",
             R"({"videoName":"a","scenes":[{"story":"b","background":{"visualUrl":")" +
                 missing.url + R"("}}]})");
  clock_.Advance(60);
  EXPECT_TRUE(Job(good).Has("data.txt"));
  for (const std::string& id : {bad, scene}) {
    const JsonReply failed = Job(id);
    EXPECT_EQ(failed.TextAt("data.status"), "failed") << failed.body;
    EXPECT_EQ(failed.TextAt("data.error_code"), "MEDIA_NOT_FOUND");
  }
}

TEST_F(UploadsTest, ARestartForgetsNothing) {
  KeepState();
  Start();
  const Place whole = Ask();
  const Place late = Ask();
  EXPECT_EQ(Put(whole, "whole").status, 200);
  const std::string body(100'000, 'a');
  BreakOff(late, body, 50'000);
  while (Status(late, body.size()).headers["range"] != "bytes=0-49999") {
  }
  const std::string failed = Transcribe(late.url);
  clock_.Advance(60);
  Restart();
  EXPECT_EQ(Get(whole).body, "whole");  // under the same port
  EXPECT_EQ(Status(late, body.size()).headers.at("range"), "bytes=0-49999");
  EXPECT_EQ(Put(late, body).status, 200);
  Restart();
  EXPECT_EQ(Get(late).body, body);
  EXPECT_EQ(Job(failed).TextAt("data.status"), "failed");  // it was missing then
}

TEST_F(UploadsTest, TheNewestWriterWins) {
  Start();
  const Place place = Ask();
  test::PlainClient old(place.port);
  const std::string body(100'000, 'o');
  const std::string request =
      test::PlainRequest("PUT", place.target, body, "Content-Type: video/mp4\r\n");
  old.Send(request.substr(0, request.size() - 50'000));
  while (Stat("bytes_received") < 50'000) {
  }
  EXPECT_EQ(Put(place, "new").status, 200);
  old.Send(request.substr(request.size() - 50'000));
  EXPECT_NE(old.Read().status, 200);
  EXPECT_EQ(Get(place).body, "new");
}

TEST(ContentRangeTest, IsReadStrictly) {
  const auto asked = ParseContentRange("bytes */10");
  ASSERT_TRUE(asked.has_value());
  EXPECT_FALSE(asked->first.has_value());
  EXPECT_EQ(asked->total, 10u);
  const auto part = ParseContentRange("bytes 3-9/10");
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(*part->first, 3u);
  EXPECT_EQ(part->last, 9u);
  for (const char* bad : {"", "bytes", "bytes 3-10/10", "bytes 5-3/10", "bytes 0-9/*", "3-9/10",
                          "bytes -9/10", "bytes 0-x/10", "bytes 0-9/10 "}) {
    EXPECT_FALSE(ParseContentRange(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace gateway::sandbox
