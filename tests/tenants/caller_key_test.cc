#include "tenants/caller_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/errors.h"
#include "base/limits.h"
#include "tenants/tenants_file.h"

namespace gateway::tenants {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(CallerKeyTest, AnAccountIsCalledByTheHashOfItsKey) {
  // printf %s pictai_abc | sha256sum
  EXPECT_EQ(AccountOfKey(Secret("pictai_abc")), "key-6d0917f6347c79575c95dc6a12106abb");
  EXPECT_NE(AccountOfKey(Secret("pictai_abd")), AccountOfKey(Secret("pictai_abc")));
  EXPECT_TRUE(IsTenantName(AccountOfKey(Secret("pictai_abc")))) << "it can be a label";
}

TEST(CallerKeyTest, ItsNameShowsWhatItIs) {
  EXPECT_TRUE(IsAccountOfKey(AccountOfKey(Secret("pictai_abc"))));
  for (const char* other :
       {"", "default", "key-", "key-1", "key-0123456789abcdef0123456789abcde",
        "key-0123456789abcdef0123456789abcdef0", "key-0123456789ABCDEF0123456789abcdef",
        "kex-0123456789abcdef0123456789abcdef"}) {
    EXPECT_FALSE(IsAccountOfKey(other)) << other;
  }
}

TEST(CallerKeyTest, WhatCannotBeAKeyIsRefusedAndNotRepeated) {
  EXPECT_EQ(ReadCallerKey("pictai_abc")->Reveal(), "pictai_abc");
  EXPECT_TRUE(ReadCallerKey(std::string(limits::kCallerKeyMaxBytes, 'k')).ok());
  for (const std::string& wrong :
       {std::string(), std::string("canary"), std::string("pictai canary"),
        std::string("pictai_canary\n"), std::string("pictai_canary\xc3\xa4"),
        std::string(limits::kCallerKeyMaxBytes + 1, 'k')}) {
    const auto read = ReadCallerKey(wrong);
    EXPECT_EQ(errors::Reason(read.status()), "PICTORY_KEY_NOT_TAKEN") << wrong;
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(read.status().message()), Not(HasSubstr("canary")));
  }
}

}  // namespace
}  // namespace gateway::tenants
