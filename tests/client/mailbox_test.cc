#include "mailbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace pictory_jobs::cli {
namespace {

constexpr std::chrono::seconds kLong{30};

TEST(MailboxTest, BeyondItsBoundThosePushingWait) {
  Mailbox<int> mail(2);
  constexpr int kMany = 1'000;
  std::thread pushes([&mail] {
    for (int i = 0; i < kMany; ++i) mail.Push(i);
  });
  for (int i = 0; i < kMany; ++i) {
    EXPECT_LE(mail.size(), 2u);
    EXPECT_EQ(mail.Pop(kLong), i);
  }
  pushes.join();
}

TEST(MailboxTest, WithoutABoundNobodyWaits) {
  Mailbox<int> mail;
  for (int i = 0; i < 10'000; ++i) mail.Push(i);
  EXPECT_EQ(mail.size(), 10'000u);
  EXPECT_EQ(mail.Pop(kLong), 0);
}

TEST(MailboxTest, SaysThatNothingCame) {
  Mailbox<int> mail(1);
  EXPECT_FALSE(mail.Pop(std::chrono::milliseconds(1)).has_value());
}

}  // namespace
}  // namespace pictory_jobs::cli
