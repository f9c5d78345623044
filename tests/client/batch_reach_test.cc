// Whom the refusal of one line of many would meet.
#include "batch_reach.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/errors.h"

namespace pictory_jobs::cli {
namespace {

TEST(BatchReach, WhatWouldMeetAllLinesIsToldFromWhatIsTheLinesOwn) {
  namespace errors = gateway::errors;
  constexpr std::chrono::seconds kSoon{1};
  const struct {
    absl::Status refusal;
    Reach reach;
  } cases[] = {
      {errors::SubmitsStopped(kSoon), Reach::kAll},
      {errors::UpstreamCredentials("HTTP 401"), Reach::kAll},
      {errors::PictoryKeyNeeded(), Reach::kAll},
      {errors::Overloaded("memory", kSoon), Reach::kAll},
      {errors::CallerUnknown("no key"), Reach::kAll},
      {absl::CancelledError("Ctrl-C"), Reach::kAll},
      {errors::DeadlineExceeded("an answer"), Reach::kPerhapsAll},
      {errors::CreditsLimit("this tenant", 10, 8, 5, kSoon), Reach::kPerhapsAll},
      {errors::StoreFailed("disk full"), Reach::kPerhapsAll},
      {errors::RequestTooLarge(2, 1), Reach::kThisLine},
      {errors::Invalid("prompt", "is missing"), Reach::kThisLine},
      {errors::JobNotUsable("01h", "it FAILED"), Reach::kThisLine},
      {absl::UnimplementedError("an older gateway"), Reach::kThisLine},
  };
  for (const auto& one : cases) EXPECT_EQ(ReachOf(one.refusal), one.reach) << one.refusal;
}

}  // namespace
}  // namespace pictory_jobs::cli
