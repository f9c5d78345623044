#include "app/config_example.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "app/parsing.h"

namespace gateway::app {
namespace {

using ::testing::HasSubstr;

using ConfigExampleTest = ParsingTest;

// A setting is a line that begins with # and no blank.
bool IsSetting(const std::string& line) {
  return line.size() > 1 && line[0] == '#' && line[1] != ' ';
}

// With PICTORY_WRITE_PAGES set it writes the file instead.
TEST(ConfigExample, IsTheOneThatIsInstalled) {
  if (std::getenv("PICTORY_WRITE_PAGES") != nullptr) {
    std::ofstream(PICTORY_CONFIG_EXAMPLE) << ConfigExample();
    return;
  }
  std::ifstream file(PICTORY_CONFIG_EXAMPLE);
  const std::string installed{std::istreambuf_iterator<char>(file),
                              std::istreambuf_iterator<char>()};
  EXPECT_EQ(installed, ConfigExample()) << "cmake --build --preset dev --target gateway_conf";
}

TEST_F(ConfigExampleTest, SaysNothingAsItIs) {
  const std::string path = SecretFile("example.conf", ConfigExample());
  const Parsed parsed = Parse({"--config", path.c_str()});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_EQ(parsed.gateway->given.settings.size(), 1u) << "only --config itself";
}

TEST_F(ConfigExampleTest, ItsDefaultsAreValuesOfTheProgram) {
  std::string taken;
  int settings = 0;
  std::istringstream lines(ConfigExample());
  for (std::string line; std::getline(lines, line);) {
    if (!IsSetting(line)) continue;
    ++settings;
    if (line.back() != '=') taken += line.substr(1) + "\n";
  }
  EXPECT_GT(settings, 40);
  const std::string path = SecretFile("defaults.conf", taken);
  const Parsed parsed = Parse({"--config", path.c_str()});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  const Parsed plain = Parse({});
  EXPECT_EQ(parsed.gateway->listen[0].ToString(), plain.gateway->listen[0].ToString());
  EXPECT_EQ(parsed.gateway->drain_timeout, plain.gateway->drain_timeout);
  EXPECT_EQ(parsed.gateway->sandbox_speed, plain.gateway->sandbox_speed);
}

TEST_F(ConfigExampleTest, ASettingWithoutAValueAsksForOne) {
  const std::string path = SecretFile("empty.conf", "api-key-file =\n");
  EXPECT_THAT(Parse({"--config", path.c_str()}).text, HasSubstr("the value is empty; give it one"));
}

}  // namespace
}  // namespace gateway::app
