// Command lines that are wrong, and what is said of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/parsing.h"

namespace gateway::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using ArgumentsTest = ParsingTest;

// What is said; every such line is said with exit code 2 and begins with the program's name.
std::string Refused(const std::vector<const char*>& args) {
  const Parsed parsed = Parse(args);
  EXPECT_EQ(parsed.exit_code, 2) << args.front();
  EXPECT_FALSE(parsed.gateway.has_value() || parsed.sandbox.has_value());
  EXPECT_EQ(parsed.text.rfind("pictory-gateway: ", 0), 0u) << parsed.text;
  return parsed.text;
}

TEST_F(ArgumentsTest, HelpAndVersionInEverySpelling) {
  for (const auto& words : std::vector<std::vector<const char*>>{{"help"}, {"--help"}, {"-h"}}) {
    const Parsed parsed = Parse(words);
    EXPECT_EQ(parsed.exit_code, 0) << words.front();
    EXPECT_THAT(parsed.text, HasSubstr("--max-watches"));
  }
  for (const auto& words :
       std::vector<std::vector<const char*>>{{"help", "sandbox"}, {"sandbox", "--help"}}) {
    EXPECT_THAT(Parse(words).text, HasSubstr("--token-seconds"));
  }
  for (const auto& words : std::vector<std::vector<const char*>>{
           {"version"}, {"--version"}, {"sandbox", "--version"}}) {
    const Parsed parsed = Parse(words);
    EXPECT_EQ(parsed.exit_code, 0) << words.front();
    EXPECT_EQ(parsed.text.rfind("pictory-gateway ", 0), 0u) << parsed.text;
  }
}

TEST_F(ArgumentsTest, AnUnknownFlagNamesTheNearest) {
  EXPECT_THAT(Refused({"--max-submits-per-dya=1"}),
              HasSubstr("--max-submits-per-dya: there is no such flag; did you mean "
                        "--max-submits-per-day?"));
  EXPECT_THAT(Refused({"--max_watches", "1"}), HasSubstr("did you mean --max-watches?"));
  EXPECT_THAT(Refused({"-listen", "127.0.0.1:1"}), HasSubstr("did you mean --listen?"));
  EXPECT_THAT(Refused({"--bogus"}), HasSubstr("see --help"));
  EXPECT_THAT(Refused({"--lisen=a", "--reflexion=on"}),
              AllOf(HasSubstr("--listen?"), HasSubstr("--reflection?")));
  EXPECT_THAT(Refused({"sanbox"}), HasSubstr("did you mean sandbox?"));
  EXPECT_THAT(Refused({"sandbox", "--sede=1"}), HasSubstr("did you mean --seed?"));
}

// It is not named, because it may be a secret.
TEST_F(ArgumentsTest, AnArgumentThatIsNoCommandIsToldWhichThereAre) {
  EXPECT_THAT(Refused({"serve"}),
              AllOf(HasSubstr("no command (they are sandbox, contract, keygen, mcp, probe, store;"),
                    HasSubstr("none is needed to serve"), Not(HasSubstr("'serve'"))));
}

TEST_F(ArgumentsTest, ACommandThatNeedsAnotherWordNamesIt) {
  for (const auto& args : std::vector<std::vector<const char*>>{{"store"}, {"store", "cpoy"}}) {
    EXPECT_THAT(Refused(args), HasSubstr("store: says not what to do; write store copy, and see"));
  }
}

TEST_F(ArgumentsTest, WhatIsUnknownMayBeASecret) {
  for (const auto& args : std::vector<std::vector<const char*>>{{"--api-key=canary"},
                                                                {"--api-key", "canary"},
                                                                {"canary"},
                                                                {"--client-secret=canary"},
                                                                {"sandbox", "--api-key=canary"}}) {
    EXPECT_THAT(Refused(args), Not(HasSubstr("canary")));
  }
  EXPECT_THAT(Refused({"--api-key-file=pictai_canary"}), Not(HasSubstr("canary")));
}

TEST_F(ArgumentsTest, AFlagOfTheOtherCommand) {
  EXPECT_THAT(Refused({"--seed=1"}), HasSubstr("other command"));
  EXPECT_THAT(Refused({"sandbox", "--max-watches=1"}), HasSubstr("other command"));
  EXPECT_THAT(Refused({"--log-level=debug", "sandbox"}), HasSubstr("--log-level: "));
  EXPECT_THAT(Refused({"--config=/no/such", "sandbox"}), HasSubstr("--config: "));
}

TEST_F(ArgumentsTest, AFlagGivenTwice) {
  for (const auto& args : std::vector<std::vector<const char*>>{
           {"--max-submits-per-day", "1", "--max-submits-per-day", "100"},
           {"--max-submits-per-day=1", "--max-submits-per-day=1"},
           {"--sandbox", "--sandbox=false"},
           {"--config=/dev/null", "--config=/dev/null"},
           {"sandbox", "--seed=1", "--seed=2"}}) {
    EXPECT_THAT(Refused(args), HasSubstr("is given twice")) << args.back();
  }
  const Parsed listeners = Parse({"--listen=127.0.0.1:1", "--listen=127.0.0.1:2"});
  ASSERT_TRUE(listeners.gateway.has_value()) << listeners.text;
  EXPECT_EQ(listeners.gateway->listen.size(), 2u);
}

TEST_F(ArgumentsTest, AFlagWithoutAValue) {
  EXPECT_THAT(Refused({"--max-submits-per-day"}),
              HasSubstr("--max-submits-per-day: needs a value"));
  EXPECT_THAT(Refused({"--proxy=", "--sandbox"}), HasSubstr("--proxy: is empty"));
  for (const char* flag : {"--api-key-file", "--proxy", "--listen", "--state-dir", "--config",
                           "--max-submits-per-day"}) {
    EXPECT_THAT(Refused({flag, ""}), HasSubstr(std::string(flag) + ": ")) << flag;
    EXPECT_THAT(Refused({flag, " "}), HasSubstr(std::string(flag) + ": ")) << flag;
  }
}

TEST_F(ArgumentsTest, NumbersAreDecimalAndWithinTheirRange) {
  for (const char* value : {"10x", "-1", "1.5", "0x10", "010", "+1", " 1", "1 ", "1e3", "many",
                            "99999999999999999999999", "1,000"}) {
    EXPECT_THAT(Refused({"--max-submits-per-day", value}),
                HasSubstr("--max-submits-per-day: must be a whole number from 0 to "))
        << value;
  }
  for (const char* value : {"30s", "-1", "0x1p3", "nan", "inf", "30000", "1e400", "5m"}) {
    EXPECT_THAT(Refused({"--drain-timeout", value}),
                HasSubstr("--drain-timeout: must be a number of seconds from 0.1 to 3600, not '"))
        << value;
  }
  for (const char* flag : {"--max-job-reply-mib=10MB", "--sandbox-port=65536", "--keep-jobs-days=6",
                           "--requests-per-second=0", "--burst=0.5", "--sandbox-speed=1000x"}) {
    const std::string text = Refused({flag});
    EXPECT_THAT(text, HasSubstr(" from "));
    EXPECT_LT(text.size(), 160u) << text;
  }
  EXPECT_EQ(Parse({"--drain-timeout=0.5"}).gateway->drain_timeout, std::chrono::milliseconds(500));
  EXPECT_EQ(Parse({"--requests-per-second=1000000"}).gateway->requests_per_second, 1e6);
  EXPECT_EQ(Parse({"sandbox", "--seed=9223372036854775807"}).sandbox->seed, 9223372036854775807u);
  EXPECT_THAT(Refused({"sandbox", "--seed=x"}), HasSubstr("whole number"));
}

TEST_F(ArgumentsTest, SwitchesAreOnOrOff) {
  EXPECT_FALSE(Parse({"--trust-network=false"}).gateway->trust_network);
  EXPECT_TRUE(Parse({"--trust-network=yes"}).gateway->trust_network);
  for (const char* flag : {"--trust-network=maybe", "--trust-network=10x", "--trust-network=2"}) {
    EXPECT_THAT(Refused({flag}), HasSubstr("--trust-network: must be true or false"));
  }
}

TEST_F(ArgumentsTest, HelpAndVersionNeedNoEnvironment) {
  Set("PICTORY_MAX_WATCHS", "1");
  Set("PICTORY_CONFIG", "/no/such/file");
  const Parsed help = Parse({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* word : {"PICTORY_MAX_WATCHES", "PICTORY_CONFIG", "PICTORY_TRUST_NETWORK",
                           "--listen", "sandbox", "0.1 to 3600"}) {
    EXPECT_THAT(help.text, HasSubstr(word));
  }
  EXPECT_EQ(Parse({"--version"}).exit_code, 0);
  const Parsed sandbox = Parse({"sandbox", "--help"});
  EXPECT_EQ(sandbox.exit_code, 0);
  EXPECT_THAT(sandbox.text, AllOf(HasSubstr("PICTORY_CLIENT_ID"), HasSubstr("--seed")));
}

}  // namespace
}  // namespace gateway::app
