#include "sandbox/faults.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "sandbox/gzip_bomb.h"
#include "sandbox/rig.h"

namespace gateway::sandbox {
namespace {

using test::PlainReply;
using End = test::PlainReply::End;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kBody[] = R"({"videoName":"a","scenes":[{"story":"b"}]})";

class FaultsTest : public Rig {
 protected:
  void SetUp() override { Start(); }
  PlainReply Post() {
    return Raw("POST", "/pictoryapis/v2/video/storyboard", kBody,
               "Authorization: pictai_sandbox\r\n");
  }
  int Jobs() { return static_cast<int>(Control("GET", "/stats").NumberAt("jobs")); }
  void Fault(const std::string& fault, const std::string& more = "") {
    AddFault(R"({"match":{"method":"POST"},"times":1,"fault":)" + fault + more + "}");
  }
};

TEST_F(FaultsTest, ResetTakesTheJobAndLosesTheAnswer) {
  Fault(R"({"type":"reset","after_bytes":20})");
  const PlainReply reply = Post();
  EXPECT_EQ(reply.end, End::kReset);
  EXPECT_LE(reply.bytes, 20u);
  EXPECT_EQ(Jobs(), 1);
  EXPECT_EQ(Post().status, 200);
}

TEST_F(FaultsTest, CloseAfterReadAndWithoutActing) {
  Fault(R"({"type":"close_after_read"})");
  EXPECT_EQ(Post().end, End::kClosed);
  EXPECT_EQ(Jobs(), 1);
  Fault(R"({"type":"close_after_read"})", R"(,"act":false)");
  EXPECT_EQ(Post().end, End::kClosed);
  EXPECT_EQ(Jobs(), 1);
}

TEST_F(FaultsTest, NeverAnswers) {
  Fault(R"({"type":"never_answer"})");
  test::PlainClient client(sandbox_->port());
  client.Send(test::PlainRequest("POST", "/pictoryapis/v2/video/storyboard", kBody, kKey));
  while (Jobs() == 0) {
  }
  EXPECT_FALSE(client.HasBytes());
  sandbox_->Stop();
  EXPECT_TRUE(client.AwaitEnd());
}

TEST_F(FaultsTest, DelaysAndTrickles) {
  Fault(R"({"type":"delay","ms":20})");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Post().status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(20));
  Fault(R"({"type":"trickle","bytes":50,"interval_ms":1})");
  EXPECT_THAT(Post().body, HasSubstr("jobId"));
  // A piece every 20 ms: the four pauses of a hundred bytes cannot be hurried.
  Fault(R"({"type":"trickle","bytes":25,"interval_ms":20})");
  const auto slow = std::chrono::steady_clock::now();
  EXPECT_THAT(Post().body, HasSubstr("jobId"));
  EXPECT_GE(std::chrono::steady_clock::now() - slow, std::chrono::milliseconds(60));
}

TEST_F(FaultsTest, WrongLengthBothWays) {
  Fault(R"({"type":"wrong_length","extra":10})");
  const PlainReply longer = Post();
  EXPECT_EQ(longer.end, End::kClosed);
  EXPECT_THAT(longer.body, HasSubstr("jobId"));
  Fault(R"({"type":"wrong_length","extra":-10})");
  const PlainReply shorter = Post();
  EXPECT_EQ(shorter.end, End::kWhole);
  EXPECT_EQ(shorter.body.size() + 10, longer.body.size());
}

TEST_F(FaultsTest, StatusesBodiesAndRedirectsDoNotAct) {
  Fault(R"({"type":"status","status":429,"retry_after":7,"body":"slow down"})");
  const PlainReply busy = Post();
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.headers.at("retry-after"), "7");
  EXPECT_EQ(busy.body, "slow down");
  Fault(R"({"type":"body","body":"<html>","content_type":"text/html","status":502})");
  const PlainReply html = Post();
  EXPECT_EQ(html.status, 502);
  EXPECT_EQ(html.headers.at("content-type"), "text/html");
  Fault(R"({"type":"redirect","location":"http://elsewhere.test/"})");
  const PlainReply moved = Post();
  EXPECT_EQ(moved.status, 302);
  EXPECT_EQ(moved.headers.at("location"), "http://elsewhere.test/");
  EXPECT_EQ(Jobs(), 0);
  Fault(R"({"type":"status"})", R"(,"act":true)");
  EXPECT_EQ(Post().status, 503);
  EXPECT_EQ(Jobs(), 1);
}

TEST_F(FaultsTest, ABusyAnswerWithAndWithoutAHint) {
  Fault(R"({"type":"status","status":429})");
  const PlainReply bare = Post();
  EXPECT_EQ(bare.status, 429);
  EXPECT_EQ(bare.headers.count("retry-after"), 0u);
  Fault(R"({"type":"status","status":429,"retry_after":"Wed, 21 Oct 2026 07:28:00 GMT"})");
  EXPECT_EQ(Post().headers.at("retry-after"), "Wed, 21 Oct 2026 07:28:00 GMT");
}

TEST_F(FaultsTest, PagesOfAProxyAndEmptyAnswers) {
  for (const int status : {500, 502, 503, 504}) {
    Fault(R"({"type":"status","content_type":"text/html","body":"<html>no</html>","status":)" +
          std::to_string(status) + "}");
    const PlainReply page = Post();
    EXPECT_EQ(page.status, status);
    EXPECT_EQ(page.headers.at("content-type"), "text/html");
    EXPECT_EQ(page.body, "<html>no</html>");
  }
  Fault(R"({"type":"body"})");
  const PlainReply empty = Post();
  EXPECT_EQ(empty.status, 200);
  EXPECT_EQ(empty.headers.at("content-length"), "0");
  EXPECT_EQ(Jobs(), 0);
}

TEST_F(FaultsTest, EveryKindOfRedirectAndNoOtherStatus) {
  for (const int status : {301, 302, 303, 307, 308}) {
    Fault(R"({"type":"redirect","status":)" + std::to_string(status) + "}");
    const PlainReply moved = Post();
    EXPECT_EQ(moved.status, status);
    EXPECT_EQ(moved.headers.at("location"), "/elsewhere");
  }
  EXPECT_EQ(Control("POST", "/faults", R"({"fault":{"type":"redirect","status":200}})").status,
            400);
}

TEST_F(FaultsTest, TheHonestAnswerUnderAnotherStatus) {
  // The two readings of what an unknown job is answered with.
  EXPECT_EQ(Job("none").status, 404);
  AddFault(R"({"match":{"path_prefix":"/v1/jobs/"},"fault":{"type":"restatus","status":200}})");
  const JsonReply unknown = Job("none");
  EXPECT_EQ(unknown.status, 200);
  EXPECT_FALSE(unknown.At("success").GetBool());
  EXPECT_EQ(unknown.TextAt("data.error_code"), "5000");
  Fault(R"({"type":"restatus","status":202})");
  const PlainReply taken = Post();
  EXPECT_EQ(taken.status, 202);
  EXPECT_THAT(taken.body, HasSubstr("jobId"));
  EXPECT_EQ(Jobs(), 1);
}

TEST_F(FaultsTest, AHundredMegabytesUnlessTold) {
  Fault(R"({"type":"huge_body"})");
  test::PlainClient client(sandbox_->port());
  client.Send(test::PlainRequest("POST", "/pictoryapis/v2/video/storyboard", kBody, kKey));
  // The head says it; the bytes need not all come here.
  EXPECT_EQ(client.ReadHead().headers.at("content-length"), std::to_string(100 << 20));
}

TEST_F(FaultsTest, BadJsonAndHugeBodies) {
  Fault(R"({"type":"bad_json"})");
  std::string error;
  EXPECT_EQ(ParseJson(Post().body, &error), nullptr);
  EXPECT_EQ(Jobs(), 1);
  Fault(R"({"type":"huge_body","bytes":3000000})");
  const PlainReply huge = Post();
  EXPECT_EQ(huge.body.size(), 3'000'000u);
  EXPECT_NE(ParseJson(huge.body, &error), nullptr) << error;
}

std::uint64_t Unpack(const std::string& packed, bool* whole) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out(1 << 20, 'x');
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    result = inflate(&stream, Z_NO_FLUSH);
  }
  *whole = result == Z_STREAM_END && stream.avail_in == 0;  // zlib has checked sum and length
  const std::uint64_t total = stream.total_out;
  inflateEnd(&stream);
  return total;
}

TEST_F(FaultsTest, AGzipBombIsValidGzip) {
  for (const std::uint64_t bytes : {0ull, 5000ull, 10'000'000ull}) {
    Fault(R"({"type":"gzip_bomb","bytes":)" + std::to_string(bytes) + "}");
    const PlainReply reply = Post();
    EXPECT_EQ(reply.headers.at("content-encoding"), "gzip");
    EXPECT_LT(reply.body.size(), bytes / 100 + 100);
    bool whole = false;
    EXPECT_GE(Unpack(reply.body, &whole), bytes);
    EXPECT_TRUE(whole) << bytes;
  }
}

TEST_F(FaultsTest, MatchesMethodPathAndJob) {
  const std::string job = FinishedPreview(), other = FinishedPreview();
  AddFault(R"({"match":{"method":"GET","path_prefix":"/pictoryapis/v1/jobs","job":")" + job +
           R"("},"fault":{"type":"status","status":500}})");
  EXPECT_EQ(Job(job).status, 500);
  EXPECT_EQ(Job(other).status, 200);
  EXPECT_EQ(Api("DELETE", "/v1/jobs/" + job + "/clean").status, 200);
  EXPECT_EQ(Job(job.substr(1)).status, 404);
  EXPECT_EQ(Job(job).status, 500);
  EXPECT_EQ(Control("GET", "/faults").NumberAt("0.hit"), 2);
  EXPECT_EQ(Control("GET", "/stats").NumberAt("faults"), 2);
  EXPECT_EQ(Control("DELETE", "/faults").status, 200);
  EXPECT_EQ(Job(job).status, 200);
}

TEST_F(FaultsTest, SkipsAndCounts) {
  AddFault(R"({"match":{"path_prefix":"/v1/quota"},"skip":1,"times":2,
               "fault":{"type":"status"}})");
  std::vector<int> statuses;
  for (int i = 0; i < 5; ++i) statuses.push_back(Api("GET", "/v1/quota").status);
  EXPECT_THAT(statuses, ::testing::ElementsAre(200, 503, 503, 200, 200));
}

std::vector<bool> Draws(std::uint64_t seed, const std::string& rule) {
  FaultRules rules(seed);
  std::string error;
  EXPECT_TRUE(rules.Add(*ParseJson(rule, &error)).ok());
  std::vector<bool> hits;
  for (int i = 0; i < 1000; ++i) hits.push_back(rules.Draw("GET", "/x").has_value());
  return hits;
}

TEST(FaultRulesTest, ProbabilityIsDrawnFromTheSeed) {
  const std::string rule = R"({"probability":0.1,"fault":{"type":"status"}})";
  const std::vector<bool> once = Draws(1, rule);
  EXPECT_EQ(once, Draws(1, rule));
  EXPECT_NE(once, Draws(2, rule));
  EXPECT_NEAR(std::count(once.begin(), once.end(), true), 100, 40);
  const std::vector<bool> never = Draws(1, R"({"probability":0,"fault":{"type":"status"}})");
  EXPECT_EQ(std::count(never.begin(), never.end(), true), 0);
}

TEST_F(FaultsTest, RefusesRulesThatWouldNotDoWhatTheySay) {
  const auto message = [&](const std::string& rule) {
    const JsonReply reply = Control("POST", "/faults", rule);
    EXPECT_EQ(reply.status, 400) << rule;
    return reply.TextAt("message");
  };
  EXPECT_THAT(message(R"({"fault":{"type":"explode"}})"), HasSubstr("close_after_read"));
  EXPECT_THAT(message(R"({"fault":{"type":"reset","after":1}})"), HasSubstr("after"));
  EXPECT_THAT(message(R"({"match":{"paht":"x"},"fault":{"type":"reset"}})"), HasSubstr("paht"));
  EXPECT_THAT(message(R"({"time":1,"fault":{"type":"reset"}})"), HasSubstr("time"));
  EXPECT_NE(message(R"({"probability":2,"fault":{"type":"reset"}})"), "");
  EXPECT_NE(message(R"({"times":-1,"fault":{"type":"reset"}})"), "");
  EXPECT_NE(message(R"({"fault":{"type":"status","status":99}})"), "");
  EXPECT_NE(message(R"({"match":{}})"), "");
  EXPECT_NE(message("[]"), "");
  EXPECT_NE(message("{"), "");
}

TEST_F(FaultsTest, OtherPeoplesPagesCannotSteerIt) {
  EXPECT_EQ(Raw("DELETE", "/sandbox/faults", "", "Origin: https://evil.test\r\n").status, 403);
  EXPECT_EQ(Raw("DELETE", "/sandbox/faults").status, 200);
  EXPECT_EQ(Raw("GET", "/sandbox/nothing").status, 404);
}

// A CDN is another host than the API: what goes wrong at one goes well at the other.
TEST_F(FaultsTest, OnlyARuleThatNamesTheFilesIsAboutThem) {
  const std::string id = Submit("POST", "/v2/video/storyboard/render", kBody);
  clock_.Advance(60);
  const std::string url = Job(id).TextAt("data.videoURL");
  const std::string path = url.substr(url.find("/media/"));
  AddFault(R"({"fault":{"type":"status","status":503}})");
  EXPECT_EQ(Raw("GET", path).status, 200);
  EXPECT_EQ(Job(id).status, 503);
  EXPECT_EQ(Control("DELETE", "/faults").status, 200);
  AddFault(
      R"({"match":{"path_prefix":"/media/"},"times":1,"fault":{"type":"status","status":403}})");
  EXPECT_EQ(Job(id).status, 200);
  EXPECT_EQ(Raw("GET", path).status, 403);
  EXPECT_EQ(Raw("GET", path, "", "Range: bytes=5-\r\n").status, 206);
  EXPECT_EQ(Control("GET", "/stats").NumberAt("media.whole"), 2);
  EXPECT_EQ(Control("GET", "/stats").NumberAt("media.part"), 1);
}

}  // namespace
}  // namespace gateway::sandbox
