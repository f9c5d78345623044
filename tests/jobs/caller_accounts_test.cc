#include "jobs/caller_accounts.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/upstream_rig.h"
#include "tenants/caller_key.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;

Secret CallerKey(std::size_t number) { return Secret(absl::StrCat("pictai_of_caller_", number)); }

class CallerAccountsTest : public testing::Test {
 protected:
  std::string Show(std::size_t number) {
    const auto account = callers_.Show(CallerKey(number));
    return account.ok() ? *account : errors::Reason(account.status());
  }
  void Fill() {
    for (std::size_t i = 0; i < limits::kCallerAccountsMax; ++i) Show(i);
    ASSERT_EQ(callers_.open(), limits::kCallerAccountsMax);
  }
  static std::string NameOf(std::size_t number) { return tenants::AccountOfKey(CallerKey(number)); }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  Upstreams upstreams_{{}, transport_, clock_, clock_, {}};
  std::set<std::string> working_;
  std::vector<std::string> made_;
  CallerAccounts callers_{[this](const std::string& account, const Secret& key) {
                            made_.push_back(account);
                            return UpstreamOptions{.client = {.api_key = key, .user_agent = "t"}};
                          },
                          [this](const std::string& account) { return working_.contains(account); },
                          upstreams_, clock_};
};

TEST_F(CallerAccountsTest, AKeyOpensItsOwnAccountOnce) {
  EXPECT_EQ(Show(1), NameOf(1));
  EXPECT_EQ(Show(2), NameOf(2));
  EXPECT_EQ(Show(1), NameOf(1));
  EXPECT_EQ(made_, (std::vector<std::string>{NameOf(1), NameOf(2)}));
  EXPECT_TRUE(upstreams_.Has(NameOf(1)));
  EXPECT_EQ(callers_.open(), 2u);
}

TEST_F(CallerAccountsTest, TheOneNotShownForLongestMakesRoom) {
  Fill();
  Show(0);  // 1 is the oldest now
  EXPECT_EQ(Show(1000), NameOf(1000));
  EXPECT_EQ(callers_.open(), limits::kCallerAccountsMax);
  EXPECT_TRUE(upstreams_.Has(NameOf(0)));
  EXPECT_FALSE(upstreams_.Has(NameOf(1)));
  EXPECT_EQ(Show(1), NameOf(1)) << "it may come again";
  EXPECT_FALSE(upstreams_.Has(NameOf(2)));
}

TEST_F(CallerAccountsTest, MadeUpKeysTakeThePlacesOfOthersOnlySoFast) {
  Fill();
  int taken = 0;
  for (std::size_t i = 1000; i < 1200; ++i) taken += Show(i) == NameOf(i) ? 1 : 0;
  EXPECT_EQ(taken, limits::kCallerAccountChangesBurst);
  EXPECT_EQ(Show(1199), "TOO_MANY");
  EXPECT_EQ(Show(250), NameOf(250)) << "who is there already is let in";
  clock_.Advance(1s);
  for (std::size_t i = 2000; i < 2010; ++i) taken += Show(i) == NameOf(i) ? 1 : 0;
  EXPECT_EQ(taken, limits::kCallerAccountChangesBurst + limits::kCallerAccountChangesPerSecond);
}

TEST_F(CallerAccountsTest, AnAccountWithJobsStaysOpen) {
  Fill();
  working_ = {NameOf(0), NameOf(1)};
  Show(1000);
  EXPECT_TRUE(upstreams_.Has(NameOf(0)));
  EXPECT_TRUE(upstreams_.Has(NameOf(1)));
  EXPECT_FALSE(upstreams_.Has(NameOf(2)));
}

TEST_F(CallerAccountsTest, OneThatPictoryRefusesMakesRoomWhateverItsJobs) {
  Fill();
  for (std::size_t i = 0; i < limits::kCallerAccountsMax; ++i) working_.insert(NameOf(i));
  transport_.AnswerAllWith(test::Reply(401, R"({"message":"Unauthorized"})"));
  {
    const UpstreamPtr wrong = upstreams_.Of(NameOf(7));
    wrong->GetJob(*wrong->TryTake(Purpose::kPoll), {.pictory_job_id = "a"},
                  [](const pictory::JobReply&) {});
  }
  clock_.Advance(limits::kCredentialsConfirmAfter);
  EXPECT_EQ(Show(1000), NameOf(1000));
  EXPECT_FALSE(upstreams_.Has(NameOf(7)));
}

TEST_F(CallerAccountsTest, WhereAllHaveJobsANewOneIsToldToComeAgain) {
  Fill();
  for (std::size_t i = 1; i < limits::kCallerAccountsMax; ++i) working_.insert(NameOf(i));
  const UpstreamPtr asked = upstreams_.Of(NameOf(0));  // somebody is using it
  const auto refused = callers_.Show(CallerKey(1000));
  EXPECT_EQ(errors::Reason(refused.status()), "TOO_MANY");
  EXPECT_GT(errors::RetryDelay(refused.status()), Duration::zero());
  EXPECT_FALSE(upstreams_.Has(NameOf(1000)));
  EXPECT_EQ(Show(5), NameOf(5)) << "who is in stays in";
}

// Whoever makes up keys must not fill the memory.
TEST_F(CallerAccountsTest, NothingIsLeftOfAccountsThatAreClosed) {
  Fill();
  const std::size_t pending = clock_.pending();
  for (std::size_t i = 0; i < 1000; ++i) {
    Show(1000 + i);
    clock_.Advance(1s);
  }
  EXPECT_EQ(callers_.open(), limits::kCallerAccountsMax);
  EXPECT_EQ(clock_.pending(), pending);
}

}  // namespace
}  // namespace gateway::jobs
