// Calls beside submitting and polling: over real HTTP, but straight from Pictory's client where no
// gRPC method makes them yet, and from a plain socket against the sandbox where the gateway never
// makes them.
#include <gmock/gmock.h>

#include "contract/contract.h"
#include "contract/direct.h"
#include "sandbox/plain_client.h"
#include "sandbox/sandbox.h"

namespace gateway::test {
namespace {

using pictory::PictoryClient;
using ::testing::ElementsAre;

TEST_F(Contract, Case51_TheJobListEndsAfterItsLastPage) {
  const std::string first =
      R"({"items":[{"success":true,"data":{"jobId":"a","status":"completed","videoURL":"https://v"}},)"
      R"({"success":true,"data":{"job_id":"b","status":"in-progress"}}],"nextPageKey":"k+/=="})";
  pictory_.On("GET /v1/jobs", {Json(200, first)});
  DirectClient direct(pictory_.base_url());
  const auto page = [&](const std::string& key) {
    return direct.Ask<absl::StatusOr<pictory::JobList>>(
        [&](PictoryClient& client, auto done) { client.ListJobs(key, done); });
  };
  const auto one = page("");
  ASSERT_TRUE(one.ok()) << one.status();
  ASSERT_EQ(one->jobs.size(), 2u);
  EXPECT_EQ(one->jobs[0].pictory_job_id, "a");
  EXPECT_EQ(one->jobs[0].status, "completed");
  EXPECT_EQ(one->jobs[0].shown_kind, v1::JOB_KIND_RENDER);
  EXPECT_EQ(one->jobs[1].pictory_job_id, "b");
  EXPECT_EQ(one->next_page_key, "k+/==");
  for (const char* last : {R"({"items":[],"nextPageKey":null})", R"({"items":[]})"}) {
    pictory_.On("GET /v1/jobs?nextPageKey=k%2B%2F%3D%3D", {Json(200, last)});
    const auto two = page(one->next_page_key);
    ASSERT_TRUE(two.ok()) << two.status();
    EXPECT_EQ(two->next_page_key, "");
  }
}

TEST_F(Contract, Case52_CleaningTwiceIsFine) {
  pictory_.On("DELETE /v1/jobs/a%2Fb/clean", {Json(200, R"({"success":true})")});
  DirectClient direct(pictory_.base_url());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(direct.Ask<absl::Status>(
                  [](PictoryClient& client, auto done) { client.CleanJob("a/b", done); }),
              absl::OkStatus());
  }
  EXPECT_EQ(pictory_.Count("DELETE /v1/jobs/a%2Fb/clean"), 2);
}

TEST_F(Contract, Case53_EditingElementsOfAPreviewAnswersWithoutABody) {
  sandbox::SandboxOptions options;
  options.speed = 1000;
  options.use_ffmpeg = false;
  options.api_key = kKey;
  auto sandbox = sandbox::Sandbox::Start(std::move(options));
  ASSERT_TRUE(sandbox.ok()) << sandbox.status();
  PlainClient client((*sandbox)->port());
  const auto call = [&](const std::string& method, const std::string& path,
                        const std::string& body = "") {
    return client.Call(method, "/pictoryapis" + path, body, "Authorization: pictai_k\r\n");
  };
  const PlainReply taken = call("POST", "/v2/video/storyboard",
                                R"({"videoName":"demo","scenes":[{"story":"Hello there."}]})");
  ASSERT_EQ(taken.status, 200) << taken.body;
  const std::size_t begin = taken.body.find(R"("jobId":")") + 9;
  const std::string id = taken.body.substr(begin, taken.body.find('"', begin) - begin);
  std::string job;
  for (int i = 0; i < 10'000 && job.find("completed") == std::string::npos; ++i) {
    job = call("GET", "/v1/jobs/" + id).body;
  }

  const PlainReply edited =
      call("PUT", "/v2/video/storyboard/" + id + "/elements",
           R"([{"id":"SceneText_0001","elementType":"SceneText","type":"text","startTime":0,)"
           R"("duration":2,"text":"Edited."}])");
  EXPECT_EQ(edited.status, 204) << edited.body;
  EXPECT_EQ(edited.body, "");
  EXPECT_EQ(edited.end, PlainReply::End::kWhole);
  EXPECT_NE(call("GET", "/v1/jobs/" + id).body.find("Edited."), std::string::npos);
}

// The signed URL of `asked`, in its parts.
struct UploadPlace {
  std::uint16_t port = 0;
  std::string target;
  std::string file_path;
};

UploadPlace PlaceIn(const PlainReply& asked) {
  const std::size_t begin = asked.body.find(R"("signedUrl":")") + 13;
  const std::string url = asked.body.substr(begin, asked.body.find('"', begin) - begin);
  const std::size_t slash = url.find('/', 8);
  const std::size_t colon = url.rfind(':', slash);
  UploadPlace place;
  place.port = static_cast<std::uint16_t>(std::stoi(url.substr(colon + 1, slash - colon - 1)));
  place.target = url.substr(slash);
  place.file_path = place.target.substr(0, place.target.find('?'));
  return place;
}

std::unique_ptr<sandbox::Sandbox> StartSandbox(std::chrono::seconds upload_life) {
  sandbox::SandboxOptions options;
  options.use_ffmpeg = false;
  options.api_key = kKey;
  options.upload_life = upload_life;
  auto sandbox = sandbox::Sandbox::Start(std::move(options));
  EXPECT_TRUE(sandbox.ok()) << sandbox.status();
  return *std::move(sandbox);
}

PlainReply AskForUpload(const sandbox::Sandbox& sandbox) {
  PlainClient client(sandbox.port());
  return client.Call("POST", "/pictoryapis/v1/media/generateUrl",
                     R"({"fileName":"talk.mp4","contentType":"video/mp4"})",
                     "Authorization: pictai_k\r\n");
}

TEST_F(Contract, Case49_AFileIsPutToItsSignedUrlWithoutTheKey) {
  const auto sandbox = StartSandbox(std::chrono::hours(24));
  const PlainReply asked = AskForUpload(*sandbox);
  ASSERT_EQ(asked.status, 200) << asked.body;
  const UploadPlace place = PlaceIn(asked);
  EXPECT_NE(place.port, sandbox->port()) << "another origin";
  const auto put = [&](const std::string& headers) {
    return PlainClient(place.port).Call("PUT", place.target, "the bytes", headers);
  };
  EXPECT_EQ(put("Content-Type: video/quicktime\r\n").status, 403) << "another type than announced";
  EXPECT_EQ(put("Content-Type: video/mp4\r\nAuthorization: pictai_k\r\n").status, 403);
  EXPECT_EQ(put("Content-Type: video/mp4\r\n").status, 200);
  EXPECT_EQ(PlainClient(place.port).Call("GET", place.file_path).body, "the bytes");
}

TEST_F(Contract, Case50_AnExpiredSignedUrlIsRefusedInXml) {
  const auto sandbox = StartSandbox(std::chrono::seconds(0));
  const PlainReply asked = AskForUpload(*sandbox);
  ASSERT_EQ(asked.status, 200) << asked.body;
  const UploadPlace place = PlaceIn(asked);
  const PlainReply put =
      PlainClient(place.port).Call("PUT", place.target, "the bytes", "Content-Type: video/mp4\r\n");
  EXPECT_EQ(put.status, 403);
  EXPECT_EQ(put.body.find("<?xml"), 0u) << put.body;
  EXPECT_EQ(put.body.find("pictai_"), std::string::npos);
  EXPECT_EQ(PlainClient(place.port).Call("GET", place.file_path).status, 404);
}

TEST_F(Contract, Case56_TheQuotaIsABareObject) {
  pictory_.On("GET /v1/quota",
              {Json(200, R"({"videoMinutes":{"used":98,"limit":14400},"aiCredits":{"used":1}})"),
               Json(401, R"({"message":"Unauthorized"})")});
  DirectClient direct(pictory_.base_url());
  const auto probe = [&] {
    return direct.Ask<absl::Status>([](PictoryClient& client, auto done) { client.Probe(done); });
  };
  EXPECT_EQ(probe(), absl::OkStatus());
  EXPECT_EQ(probe().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace gateway::test
