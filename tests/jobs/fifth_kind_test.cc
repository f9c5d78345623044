// These tests take a kind of job that only they have from a validated request to Pictory and back.
#include "fifth_kind.pb.h"
#include "jobs/submitter_rig.h"

namespace gateway::jobs {
namespace {

using ::pictory::jobs::fifth::DrawRequest;
using test::Reply;

class FifthKindTest : public SubmitterTest {
 protected:
  static SubmitRequest Drawing(const DrawRequest& message) {
    SubmitRequest request;
    request.owner.tenant = "default";
    request.kind = static_cast<JobKind>(99);
    request.request_id = "r1";
    request.fingerprint = "drawing";
    request.request = std::make_shared<DrawRequest>(message);
    return request;
  }
};

TEST_F(FifthKindTest, IsPaidForOnceAndFollowed) {
  transport_.AnswerAllWith(Reply(200, kAccepted));
  DrawRequest message;
  message.set_album_id("a/b");
  message.mutable_image()->set_media_style("ink");
  const auto answer = Submit(Drawing(message));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)->state, v1::JOB_STATE_QUEUED);
  EXPECT_EQ((*answer)->pictory_job_id(), "p1");
  ASSERT_EQ(Posts(), 1);
  EXPECT_EQ(transport_.requests()[0].method, "POST");
  EXPECT_EQ(transport_.requests()[0].path, "/v1/albums/a%2Fb/images");
  EXPECT_EQ(*transport_.requests()[0].body, R"({"mediaStyle":"ink"})");
  EXPECT_EQ(Stored("r1")->job.kind, static_cast<JobKind>(99));
}

TEST_F(FifthKindTest, TheJobItNamesMustBeOfTheKindItDeclares) {
  transport_.AnswerAllWith(Reply(200, kAccepted));
  const auto preview = Submit(Preview("p"));
  ASSERT_TRUE(preview.ok());
  DrawRequest message;
  message.set_album_id("12");
  message.set_preview_job_id(std::string((*preview)->job_id()));
  EXPECT_EQ(errors::Reason(Submit(Drawing(message)).status()), "JOB_NOT_FINISHED");
  EXPECT_EQ(Posts(), 1);
}

}  // namespace
}  // namespace gateway::jobs
