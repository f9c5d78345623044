#include "tenants/api_key.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tenants/tenants_file.h"

namespace gateway::tenants {
namespace {

TEST(ApiKeyTest, HasAPrefixAndTwoHundredFiftySixRandomBits) {
  std::set<std::string> made;
  for (int i = 0; i < 100; ++i) {
    const std::string key = MakeApiKey().Reveal();
    EXPECT_EQ(key.size(), kApiKeyPrefix.size() + 43) << key;
    EXPECT_TRUE(key.starts_with(kApiKeyPrefix)) << key;
    EXPECT_EQ(
        key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        std::string::npos);
    made.insert(key);
  }
  EXPECT_EQ(made.size(), 100u);
}

TEST(ApiKeyTest, HashIsSha256) {
  EXPECT_EQ(HexOf(Sha256Of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexOf(Sha256Of("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_TRUE(SameHash(Sha256Of("abc"), Sha256Of("abc")));
  EXPECT_FALSE(SameHash(Sha256Of("abc"), Sha256Of("abd")));
}

TEST(ApiKeyTest, HashIsReadFromItsHexDigitsAndFromNothingElse) {
  const Sha256 hash = Sha256Of("key");
  const std::string hex = HexOf(hash);
  EXPECT_EQ(HashOf(hex), hash);
  EXPECT_EQ(HashOf(absl::AsciiStrToUpper(hex)), hash);
  for (const std::string& wrong :
       {std::string(), hex.substr(1), hex + "0", hex.substr(2) + "0x", hex.substr(2) + "-1",
        hex.substr(2) + " 1", hex.substr(2) + "1 ", hex.substr(2) + "0g", "+1" + hex.substr(2)}) {
    EXPECT_EQ(HashOf(wrong), std::nullopt) << wrong;
  }
}

TEST(ApiKeyTest, TheLinesForTheFileAreReadAsTheKey) {
  const Secret key = MakeApiKey();
  const auto read = ParseTenants(KeyTable("acme", "ci", key), "file");
  ASSERT_TRUE(read.ok()) << read.status();
  const ApiKey& known = read->tenants.at("acme").keys.at(0);
  EXPECT_EQ(known.name, "ci");
  EXPECT_EQ(known.sha256, Sha256Of(key.Reveal()));
}

}  // namespace
}  // namespace gateway::tenants
