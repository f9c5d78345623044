#include "jobs/upload_desk.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/upstream_rig.h"

namespace gateway::jobs {
namespace {

namespace v1 = ::pictory::jobs::v1;

class UploadDeskTest : public ::testing::Test {
 protected:
  void Ask() {
    auto request = std::make_shared<v1::CreateUploadRequest>();
    request->set_file_name("a.mp4");
    desk_.Create({}, std::move(request), [this](absl::StatusOr<v1::CreateUploadResponse> answer) {
      answers_.push_back(answer.status());
    });
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  std::unique_ptr<Upstreams> upstreams_ =
      MakeUpstreams({.requests_per_second = 10, .burst = 2}, transport_, clock_);
  Upstream* const upstream_ = upstreams_->Of(kDefaultAccount).get();
  UploadDesk desk_{*upstreams_, clock_};
  std::vector<absl::Status> answers_;
};

TEST_F(UploadDeskTest, TakesItsTurnInTheAccountsBudget) {
  transport_.AnswerAllWith(test::Reply(200, kUploadPlace));
  std::vector<Upstream::Turn> taken;
  while (std::optional<Upstream::Turn> turn = upstream_->TryTake(Purpose::kChange)) {
    taken.push_back(*std::move(turn));
  }
  Ask();
  EXPECT_TRUE(transport_.requests().empty());
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_TRUE(answers_[0].ok()) << answers_[0];
  EXPECT_EQ(transport_.requests().size(), 1U);
}

TEST_F(UploadDeskTest, DoesNotWaitForever) {
  UpstreamPeer::AccountOf(*upstream_).OnRateLimited(std::chrono::seconds(30));
  Ask();
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_TRUE(absl::IsResourceExhausted(answers_[0]));
  EXPECT_GT(errors::RetryDelay(answers_[0]), std::chrono::seconds(25));
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(UploadDeskTest, ARateLimitHoldsTheWholeAccount) {
  transport_.AnswerAllWith(test::Reply(429, "", {{"retry-after", "20"}}));
  Ask();
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_TRUE(absl::IsResourceExhausted(answers_[0]));
  EXPECT_FALSE(upstream_->TryTake(Purpose::kPoll).has_value());
  EXPECT_GE(upstream_->NextAt(Purpose::kSubmit), clock_.Now() + std::chrono::seconds(20));
}

}  // namespace
}  // namespace gateway::jobs
