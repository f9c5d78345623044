#include "jobs/upload_desk.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"

namespace gateway::jobs {
namespace {

namespace v1 = ::pictory::jobs::v1;

constexpr char kPlace[] =
    R"({"data":{"signedUrl":"https://b.s3.amazonaws.com/k","url":"https://d1.cloudfront.net/k"}})";

class UploadDeskTest : public ::testing::Test {
 protected:
  void Ask() {
    auto request = std::make_shared<v1::CreateUploadRequest>();
    request->set_file_name("a.mp4");
    desk_.Create(std::move(request), [this](absl::StatusOr<v1::CreateUploadResponse> answer) {
      answers_.push_back(answer.status());
    });
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  pictory::PictoryClient client_{pictory::ClientOptions{Secret("k"), ""}, transport_, clock_};
  Account account_{{.requests_per_second = 10, .burst = 2}, clock_};
  UploadDesk desk_{account_, client_, clock_, clock_};
  std::vector<absl::Status> answers_;
};

TEST_F(UploadDeskTest, TakesItsTurnInTheAccountsBudget) {
  transport_.AnswerAllWith(test::Reply(200, kPlace));
  while (account_.TryTake(Budget::Share::kSubmit)) {
  }
  Ask();
  EXPECT_TRUE(transport_.requests().empty());
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_TRUE(answers_[0].ok()) << answers_[0];
  EXPECT_EQ(transport_.requests().size(), 1U);
}

TEST_F(UploadDeskTest, DoesNotWaitForever) {
  account_.OnRateLimited(std::chrono::seconds(30));
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
  EXPECT_FALSE(account_.TryTake(Budget::Share::kPoll));
  EXPECT_GE(account_.NextAt(Budget::Share::kSubmit), clock_.Now() + std::chrono::seconds(20));
}

}  // namespace
}  // namespace gateway::jobs
