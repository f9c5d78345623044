#include "watch/resume_token.h"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"

namespace gateway::watch {
namespace {

TEST(ResumeTokenTest, IsReadAsItWasMade) {
  for (const ResumeToken& token :
       {ResumeToken{
            .filter_hash = "12345678", .position = "store.17", .listing = false, .last_job_id = {}},
        ResumeToken{.filter_hash = std::string("\0\xff=/+\n\r\t", 8),
                    .position = "x",
                    .listing = true,
                    .last_job_id = {}},
        ResumeToken{.filter_hash = "12345678",
                    .position = std::string("a\0b", 3),
                    .listing = true,
                    .last_job_id = "01hf3m6x4v7k9c2b5n8q0r1s2t"}}) {
    EXPECT_EQ(ReadResumeToken(TextOf(token)), token);
  }
}

TEST(ResumeTokenTest, FitsIntoItsBound) {
  // A number for each of a hundred writers.
  const ResumeToken long_one{.filter_hash = "12345678",
                             .position = std::string(2'900, 'p'),
                             .listing = true,
                             .last_job_id = std::string(128, 'j')};
  EXPECT_LE(TextOf(long_one).size(), limits::kResumeTokenMaxBytes);
  EXPECT_EQ(ReadResumeToken(TextOf(long_one)), long_one);
}

TEST(ResumeTokenTest, AnyOtherTextIsNone) {
  const std::string good =
      TextOf({.filter_hash = "12345678", .position = "p", .listing = true, .last_job_id = "abc"});
  for (std::size_t length = 0; length < good.size(); ++length) {
    const auto read = ReadResumeToken(good.substr(0, length));
    EXPECT_FALSE(read.has_value()) << length;
  }
  EXPECT_FALSE(ReadResumeToken("!").has_value());
  EXPECT_FALSE(ReadResumeToken(std::string(limits::kResumeTokenMaxBytes + 1, 'a')).has_value());
  const std::string odd =
      TextOf({.filter_hash = "12345678", .position = "p", .listing = true, .last_job_id = "a b"});
  EXPECT_FALSE(ReadResumeToken(odd).has_value()) << "no id of a job";
}

}  // namespace
}  // namespace gateway::watch
