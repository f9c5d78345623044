// Where settings come from, what is said of wrong ones, and what the log tells of right ones.
#include "app/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/parsing.h"

namespace gateway::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class SettingsTest : public ParsingTest {
 protected:
  // The path of a config file that says this.
  const char* File(const std::string& text) {
    path_ = SecretFile("settings.conf", text);
    return path_.c_str();
  }
  std::string Refused(const std::vector<const char*>& args) {
    const Parsed parsed = Parse(args);
    EXPECT_EQ(parsed.exit_code, 2);
    return parsed.text;
  }
  std::string RefusedFile(const std::string& text) { return Refused({"--config", File(text)}); }

  std::string path_;
};

// `name=value (source)`
std::vector<std::string> Told(const GivenSettings& given) {
  std::vector<std::string> told;
  for (const GivenSetting& s : given.settings)
    told.push_back(s.name + "=" + s.value + " (" + s.source + ")");
  for (const std::string& name : given.ignored) told.push_back("ignored " + name);
  return told;
}

TEST_F(SettingsTest, FlagBeforeVariableBeforeFileBeforeDefault) {
  const char* const file = File("max-watches=7\nmax-submits-per-day=3\ntrust-network=true\n");
  EXPECT_EQ(Parse({"--config", file}).gateway->max_watches, 7);
  EXPECT_TRUE(Parse({"--config", file}).gateway->trust_network);
  Set("PICTORY_MAX_WATCHES", "8");
  Set("PICTORY_TRUST_NETWORK", "false");
  EXPECT_EQ(Parse({"--config", file}).gateway->max_watches, 8);
  EXPECT_FALSE(Parse({"--config", file}).gateway->trust_network);
  const Parsed all = Parse({"--config", file, "--max-watches=9", "--trust-network"});
  EXPECT_EQ(all.gateway->max_watches, 9);
  EXPECT_TRUE(all.gateway->trust_network);
  EXPECT_EQ(all.gateway->spending.per_day, 3);
}

TEST_F(SettingsTest, AVariableMayNameTheFile) {
  Set("PICTORY_CONFIG", File("max-submits-per-day=3\n"));
  ASSERT_TRUE(Parse({}).gateway.has_value()) << Parse({}).text;
  EXPECT_EQ(Parse({}).gateway->spending.per_day, 3);
  Set("PICTORY_CONFIG", "/no/such/file");
  EXPECT_THAT(Refused({}), HasSubstr("PICTORY_CONFIG: cannot read /no/such/file: No such file"));
  EXPECT_EQ(Parse({"--config", path_.c_str()}).gateway->spending.per_day, 3);
  EXPECT_THAT(Refused({"--config", "/"}), HasSubstr("--config: cannot read /: is a directory"));
}

TEST_F(SettingsTest, AMisspeltGuardIsNoGuard) {
  Set("PICTORY_MAX_SUBMITS_PER_DYA", "1");
  Set("PICTORY_max_watches", "1");
  Set("PICTORY_API_KEY", "");
  const std::string text = Refused({"--lisen=127.0.0.1:1"});
  for (const char* word : {"PICTORY_MAX_SUBMITS_PER_DYA: there is no such setting; did you mean "
                           "PICTORY_MAX_SUBMITS_PER_DAY?",
                           "did you mean PICTORY_MAX_WATCHES?",
                           "PICTORY_API_KEY: is set, but empty", "did you mean --listen?"}) {
    EXPECT_THAT(text, HasSubstr(word)) << "all at once";
  }
  EXPECT_THAT(Refused({"sandbox"}), HasSubstr("PICTORY_MAX_SUBMITS_PER_DAY?"));
}

TEST_F(SettingsTest, EveryVariableMustHaveAValue) {
  for (const char* name : {"PICTORY_API_KEY", "PICTORY_CLIENT_SECRET", "PICTORY_CLIENT_ID",
                           "PICTORY_MAX_SUBMITS_PER_DAY", "PICTORY_SANDBOX", "PICTORY_CONFIG",
                           "PICTORY_LISTEN", "PICTORY_API_VERSION_RENDER"}) {
    for (const char* value : {"", "  "}) {
      Set(name, value);
      EXPECT_THAT(Refused({}), HasSubstr(std::string(name) + ": is set, but empty"));
      unsetenv(name);
    }
  }
}

TEST_F(SettingsTest, AWrongVariableIsNamedEvenIfAFlagWins) {
  Set("PICTORY_MAX_SUBMITS_PER_DAY", "10x");
  const std::string wrong = "PICTORY_MAX_SUBMITS_PER_DAY: must be a whole number from 0 to ";
  EXPECT_THAT(Refused({}), HasSubstr(wrong));
  EXPECT_THAT(Refused({"--max-submits-per-day=1"}), HasSubstr(wrong));
  unsetenv("PICTORY_MAX_SUBMITS_PER_DAY");
  Set("PICTORY_SANDBOX", "maybe");
  EXPECT_THAT(Refused({}), HasSubstr("PICTORY_SANDBOX: must be true or false, not 'maybe'"));
  unsetenv("PICTORY_SANDBOX");
  Set("PICTORY_LISTEN", "here");
  EXPECT_THAT(Refused({}), HasSubstr("PICTORY_LISTEN: 'here' is not an address"));
}

TEST_F(SettingsTest, AWrongLineIsNamedWithFileLineAndKey) {
  const auto at = [this](int line) { return path_ + ":" + std::to_string(line) + ": "; };
  const std::string text = RefusedFile(
      "# guards\nmax-submits-per-dya=1\nmax-watches=10x\nsandbox=maybe\nmax-watches=5\n\nnonsense\n"
      "drain-timeout=30s\nlog-level=loud\nlisten=\n");
  EXPECT_THAT(text, HasSubstr(at(2) + "max-submits-per-dya: there is no such setting; did you mean "
                                      "max-submits-per-day?"));
  EXPECT_THAT(text, HasSubstr(at(3) + "max-watches: must be a whole number from 1 to 1000000, not "
                                      "'10x'"));
  EXPECT_THAT(text, HasSubstr(at(4) + "sandbox: must be true or false, not 'maybe'"));
  EXPECT_THAT(text, HasSubstr(at(5) + "max-watches: line 3 sets it already"));
  EXPECT_THAT(text, HasSubstr(at(7)));
  EXPECT_THAT(text,
              HasSubstr(at(8) + "drain-timeout: must be a number of seconds from 0.1 to 3600"));
  EXPECT_THAT(text, HasSubstr(at(9) + "log-level: "));
  EXPECT_THAT(text, HasSubstr(at(10)));
  // Also what is found out later, and what does not count in the end.
  EXPECT_THAT(RefusedFile("admin-listen=here\n"), HasSubstr(at(1) + "admin-listen: 'here' is not"));
  EXPECT_THAT(Refused({"--max-watches=5", "--config", File("max-watches=0\n")}),
              HasSubstr(at(1) + "max-watches: must"));
}

TEST_F(SettingsTest, KeysOfAnotherStyleOrPlace) {
  EXPECT_THAT(RefusedFile("PICTORY_MAX_WATCHES=1\n"), HasSubstr("did you mean max-watches?"));
  EXPECT_THAT(RefusedFile("--max-watches=1\n"), HasSubstr("did you mean max-watches?"));
  EXPECT_THAT(RefusedFile("Max-Watches=1\n"), HasSubstr("did you mean max-watches?"));
  EXPECT_THAT(RefusedFile("[api-version]\nrender=v1\nmax-watches=1\n"),
              HasSubstr("above the section [api-version]"));
  EXPECT_THAT(RefusedFile("[api-verison]\nrender=v1\n"),
              HasSubstr("did you mean api-version.render?"));
  EXPECT_THAT(RefusedFile("[sandbox]\nspeed=5\n"), HasSubstr("did you mean sandbox-speed?"));
  EXPECT_THAT(RefusedFile("config=x\n"), HasSubstr("there is no such setting"));
  EXPECT_THAT(RefusedFile("help=true\n"), HasSubstr("there is no such setting"));
  EXPECT_THAT(RefusedFile("api-version.render=v1\n[api-version]\nrender=v1\n"),
              HasSubstr(":3: api-version.render: line 1 sets it already"));
  for (const char* secret :
       {"api-key=canary\n", "client-secret=canary\n", "PICTORY_API_KEY=canary\n"}) {
    EXPECT_THAT(RefusedFile(secret),
                AllOf(HasSubstr("a secret is not kept here"), Not(HasSubstr("canary"))));
  }
  for (const char* pasted : {"pictai_canary\n", "pictai_canary==\n", "canary canary=1\n"}) {
    EXPECT_THAT(RefusedFile(pasted), AllOf(HasSubstr(":1: "), Not(HasSubstr("canary"))));
  }
}

TEST_F(SettingsTest, AFileOfAnySystem) {
  for (const char* text :
       {"max-watches=7\r\nlog-level=debug\r\n", "\xEF\xBB\xBFmax-watches=7\n",
        "max-watches = 7 # not many\n", "max-watches=\"7\"", "; c\n\nmax-watches='7'\n"}) {
    const Parsed parsed = Parse({"--config", File(text)});
    ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
    EXPECT_EQ(parsed.gateway->max_watches, 7);
  }
  const Parsed proxy = Parse({"--config", File("proxy=http://h/#a\n")});
  EXPECT_EQ(proxy.gateway->proxy, "http://h/#a");
}

TEST_F(SettingsTest, ListenersOfAFileAndAVariable) {
  for (const char* text : {"listen=127.0.0.1:1\nlisten=[::1]:2\n", "listen=127.0.0.1:1,[::1]:2\n",
                           "listen=[127.0.0.1:1, [::1]:2]\n"}) {
    const Parsed parsed = Parse({"--config", File(text)});
    ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
    ASSERT_EQ(parsed.gateway->listen.size(), 2u) << text;
    EXPECT_EQ(parsed.gateway->listen[1].ToString(), "[::1]:2");
  }
  EXPECT_EQ(Parse({"--config", File("listen=[::1]:2\nmax-watches=7\n")}).gateway->max_watches, 7);
  Set("PICTORY_LISTEN", "127.0.0.1:1,127.0.0.1:2");
  EXPECT_EQ(Parse({}).gateway->listen.size(), 2u);
  EXPECT_EQ(Parse({"--listen=127.0.0.1:3"}).gateway->listen.size(), 1u);
}

TEST_F(SettingsTest, ASecretHasOnePlace) {
  const std::string key = SecretFile("key", "pictai_canary\n");
  Set("PICTORY_API_KEY", "pictai_canary2");
  EXPECT_THAT(
      Refused({"--api-key-file", key.c_str()}),
      AllOf(HasSubstr("--api-key-file: PICTORY_API_KEY is set, too"), Not(HasSubstr("canary"))));
  Set("PICTORY_API_KEY_FILE", key.c_str());
  EXPECT_THAT(Refused({}), HasSubstr("PICTORY_API_KEY_FILE: PICTORY_API_KEY is set, too"));
  EXPECT_EQ(Parse({"sandbox"}).exit_code, 2);
  unsetenv("PICTORY_API_KEY");
  EXPECT_EQ(Parse({}).gateway->api_key.Reveal(), "pictai_canary");
}

TEST_F(SettingsTest, WhatIsGivenIsToldInOrderWithItsSource) {
  EXPECT_THAT(Told(Parse({}).gateway->given), ElementsAre());
  const std::string file = File("max-watches=7\nmax-submits-per-day=3\nlog-level=warn\n");
  Set("PICTORY_MAX_SUBMITS_PER_DAY", "4");
  Set("PICTORY_API_KEY", "pictai_canary");
  Set("PICTORY_USER_ID", "canary");
  Set("PICTORY_PROXY", "http://canary:canary@proxy:3128");
  const Parsed parsed = Parse({"--config", file.c_str(), "--log-level=debug",
                               "--listen=127.0.0.1:1", "--listen=127.0.0.1:2", "--trust-network"});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_THAT(
      Told(parsed.gateway->given),
      ElementsAre("api-key=set (PICTORY_API_KEY)", "config=" + file + " (flag)",
                  "listen=127.0.0.1:1, 127.0.0.1:2 (flag)", "log-level=debug (flag)",
                  "max-submits-per-day=4 (PICTORY_MAX_SUBMITS_PER_DAY)",
                  "max-watches=7 (" + file + ":1)", "proxy=http://…@proxy:3128 (PICTORY_PROXY)",
                  "trust-network=true (flag)", "user-id=set (PICTORY_USER_ID)"));
}

TEST_F(SettingsTest, TheSandboxTellsItsOwn) {
  Set("PICTORY_LOG_LEVEL", "warn");
  Set("PICTORY_MAX_WATCHES", "5");
  Set("PICTORY_CLIENT_SECRET", "canary");
  const Parsed parsed = Parse({"sandbox", "--seed=3"});
  ASSERT_TRUE(parsed.sandbox.has_value()) << parsed.text;
  EXPECT_THAT(
      Told(parsed.sandbox->given),
      ElementsAre("client-secret=set (PICTORY_CLIENT_SECRET)", "log-level=warn (PICTORY_LOG_LEVEL)",
                  "seed=3 (flag)", "ignored PICTORY_MAX_WATCHES"));
}

TEST_F(SettingsTest, KubernetesMayTakeTheNameOfASetting) {
  // For a Service called pictory-sandbox.
  Set("PICTORY_SANDBOX_SERVICE_HOST", "10.96.7.1");
  Set("PICTORY_SANDBOX_SERVICE_PORT", "8090");
  Set("PICTORY_SANDBOX_PORT", "tcp://10.96.7.1:8090");
  Set("PICTORY_SANDBOX_PORT_8090_TCP_PROTO", "tcp");
  const Parsed parsed = Parse({});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_EQ(parsed.gateway->sandbox_port, 0);
  EXPECT_THAT(Told(parsed.gateway->given), ElementsAre("ignored PICTORY_SANDBOX_PORT"));
  Set("PICTORY_SANDBOX_PORT", "8091");
  EXPECT_EQ(Parse({}).gateway->sandbox_port, 8091);
}

TEST_F(SettingsTest, VariablesOfOtherProgramsPass) {
  Set("PICTORY_GATEWAY", "127.0.0.1:50051");
  Set("PICTORY_PROTOS", "/somewhere");
  EXPECT_TRUE(Parse({}).gateway.has_value()) << Parse({}).text;
  EXPECT_TRUE(Parse({"sandbox"}).sandbox.has_value());
}

}  // namespace
}  // namespace gateway::app
