#include "notify/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace gateway::notify {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr char kId[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr char kBody[] = R"({"test": 2432232314})";
constexpr std::int64_t kSeconds = 1614265330;

Secret Key(const std::string& written) { return *KeyOf(Secret(written)); }

// The example that Standard Webhooks publishes with its libraries.
TEST(Signature, IsThatOfThePublishedExample) {
  EXPECT_EQ(Sign({Key(kSecret)}, kId, kSeconds, kBody),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Signature, CoversTheIdTheTimeAndEachByte) {
  const std::string signature = Sign({Key(kSecret)}, kId, kSeconds, kBody);
  EXPECT_NE(Sign({Key(kSecret)}, "msg_2", kSeconds, kBody), signature);
  EXPECT_NE(Sign({Key(kSecret)}, kId, kSeconds + 1, kBody), signature);
  EXPECT_NE(Sign({Key(kSecret)}, kId, kSeconds, std::string(kBody) + " "), signature);
}

TEST(Signature, OfTwoKeysHasBoth) {
  const Secret other = Key("whsec_" + absl::Base64Escape(std::string(32, 'k')));
  EXPECT_EQ(Sign({other, Key(kSecret)}, kId, kSeconds, kBody),
            absl::StrCat(Sign({other}, kId, kSeconds, kBody), " ",
                         Sign({Key(kSecret)}, kId, kSeconds, kBody)));
}

TEST(Key, IsOf24To64BytesInBase64) {
  const auto written = [](std::size_t bytes) {
    return Secret("whsec_" + absl::Base64Escape(std::string(bytes, 'x')));
  };
  EXPECT_TRUE(KeyOf(written(24)).ok());
  EXPECT_TRUE(KeyOf(written(64)).ok());
  EXPECT_THAT(KeyOf(written(23)).status().message(), HasSubstr("24 to 64 bytes"));
  EXPECT_FALSE(KeyOf(written(65)).ok());
  for (const char* wrong : {"", "whsec_", "whsec_not base64 at all", "MfKQ9r8GKYqrTwjUPD8ILPZIo2L",
                            "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) {
    const auto key = KeyOf(Secret(wrong));
    EXPECT_FALSE(key.ok()) << wrong;
    EXPECT_THAT(key.status().message(), Not(HasSubstr("MfKQ")));
  }
}

}  // namespace
}  // namespace gateway::notify
