// What `pictory` makes of words, files and jobs, without a process or a gateway.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/errors.h"
#include "client/fake_server.h"
#include "describe.h"
#include "exit_code.h"
#include "invocation.h"
#include "job_names.h"
#include "job_table.h"
#include "json_text.h"
#include "pictory_jobs/download.h"
#include "problem.h"
#include "request.h"
#include "submit_commands.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

using fake::MakeJob;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::variant<Invocation, Finished> ParseWords(std::vector<const char*> words) {
  words.insert(words.begin(), "pictory");
  return ParseArgs(static_cast<int>(words.size()), words.data());
}

Invocation Parsed(const std::vector<const char*>& words) {
  auto parsed = ParseWords(words);
  if (auto* finished = std::get_if<Finished>(&parsed)) {
    ADD_FAILURE() << finished->error;
    return {};
  }
  return std::get<Invocation>(parsed);
}

std::string Refused(const std::vector<const char*>& words) {
  auto parsed = ParseWords(words);
  auto* finished = std::get_if<Finished>(&parsed);
  if (finished == nullptr) return "accepted";
  EXPECT_EQ(finished->exit_code, kUsage);
  EXPECT_EQ(finished->out, "");
  return finished->error;
}

// A newer gateway may have states and kinds that this program does not know.
TEST(Words, WhatANewerGatewaySaysIsANumberAndNoEnd) {
  EXPECT_EQ(StateWord(static_cast<JobState>(99)), "99");
  EXPECT_EQ(KindWord(static_cast<JobKind>(98)), "98");
  EXPECT_FALSE(IsFinal(static_cast<JobState>(99)));
  for (int state = 0; state < 10; ++state) {
    const auto known = static_cast<JobState>(state);
    const bool ends = known >= v1::JOB_STATE_SUCCEEDED && known != v1::JOB_STATE_WAITING;
    EXPECT_EQ(IsFinal(known), ends) << StateWord(known);
  }
}

TEST(Args, AGatewayThatIsNamedWronglyIsNotTheOneOfThisMachine) {
  unsetenv("PICTORY_GATEWAY");
  EXPECT_EQ(Parsed({"get", "j1"}).server, "127.0.0.1:50051");
  for (const char* name :
       {"PICTORY_GATWAY", "pictory_gateway", "PICTROY_GATEWAY", "PICTORY_GATEWAYS"}) {
    setenv(name, "canary:1", 1);
    EXPECT_THAT(Refused({"get", "j1"}),
                AllOf(HasSubstr(std::string(name) + ": there is no such variable; did you mean "
                                                    "PICTORY_GATEWAY?"),
                      Not(HasSubstr("canary"))));
    EXPECT_EQ(Parsed({"get", "j1", "--server=h:1"}).server, "h:1");
    unsetenv(name);
  }
  setenv("PICTORY_GATEWAY", "", 1);
  EXPECT_THAT(Refused({"get", "j1"}), HasSubstr("PICTORY_GATEWAY: is set, but empty"));
  EXPECT_EQ(Parsed({"get", "j1", "--server=h:1"}).server, "h:1");
  EXPECT_EQ(Parsed({"version"}).command, Command::kVersion);
  setenv("PICTORY_GATEWAY", "  ", 1);
  EXPECT_THAT(Refused({"get", "j1"}), HasSubstr("is empty"));
  EXPECT_THAT(Refused({"get", "j1", "--server", ""}), HasSubstr("is empty"));
  setenv("PICTORY_GATEWAY", "h:2", 1);
  EXPECT_EQ(Parsed({"get", "j1"}).server, "h:2");
  unsetenv("PICTORY_GATEWAY");
}

TEST(Args, TheKeyForTheGatewayStandsInAVariableOrAFile) {
  unsetenv("PICTORY_GATEWAY_KEY");
  EXPECT_EQ(Parsed({"get", "j1"}).gateway_key, "");
  EXPECT_EQ(Parsed({"get", "j1", "--gateway-key-file", "f"}).gateway_key_file, "f");
  setenv("PICTORY_GATEWAY_KEY", "pgk_canary", 1);
  EXPECT_EQ(Parsed({"get", "j1"}).gateway_key, "pgk_canary");
  EXPECT_EQ(Parsed({"get", "j1"}).server, "127.0.0.1:50051");
  EXPECT_THAT(Refused({"get", "j1", "--gateway-key-file", "f"}),
              AllOf(HasSubstr("PICTORY_GATEWAY_KEY is set, too"), Not(HasSubstr("canary"))));
  setenv("PICTORY_GATEWAY_KEY", "", 1);
  EXPECT_THAT(Refused({"get", "j1"}), HasSubstr("PICTORY_GATEWAY_KEY: is set, but empty"));
  unsetenv("PICTORY_GATEWAY_KEY");
  setenv("PICTORY_GATEWAY_KAY", "pgk_canary", 1);
  EXPECT_THAT(Refused({"get", "j1"}),
              AllOf(HasSubstr("did you mean PICTORY_GATEWAY_KEY?"), Not(HasSubstr("canary"))));
  unsetenv("PICTORY_GATEWAY_KAY");
}

TEST(Args, ACallersOwnKeyStandsInAVariableOrAFileToo) {
  EXPECT_EQ(Parsed({"get", "j1"}).caller_key, "");
  EXPECT_EQ(Parsed({"get", "j1", "--caller-key-file", "f"}).caller_key_file, "f");
  setenv("PICTORY_CALLER_KEY", "pictai_canary", 1);
  EXPECT_EQ(Parsed({"get", "j1"}).caller_key, "pictai_canary");
  EXPECT_EQ(Parsed({"get", "j1"}).gateway_key, "");
  EXPECT_THAT(Refused({"get", "j1", "--caller-key-file", "f"}),
              AllOf(HasSubstr("--caller-key-file: PICTORY_CALLER_KEY is set, too"),
                    Not(HasSubstr("canary"))));
  setenv("PICTORY_CALLER_KEY", "", 1);
  EXPECT_THAT(Refused({"get", "j1"}), HasSubstr("PICTORY_CALLER_KEY: is set, but empty"));
  unsetenv("PICTORY_CALLER_KEY");
  setenv("PICTORY_CALER_KEY", "pictai_canary", 1);
  EXPECT_THAT(Refused({"get", "j1"}),
              AllOf(HasSubstr("did you mean PICTORY_CALLER_KEY?"), Not(HasSubstr("canary"))));
  unsetenv("PICTORY_CALER_KEY");
}

TEST(Args, VariablesOfTheGatewayAreNotOurs) {
  for (const char* name :
       {"PICTORY_API_KEY", "PICTORY_CALLERS_PAY", "PICTORY_MAX_WATCHES", "PICTORY_AUTH",
        "PICTORY_MAX_WATCHS", "PICTORY_GATEWAY_PORT", "PICTORY_GATEWAY_SERVICE_HOST"}) {
    setenv(name, "", 1);
    EXPECT_EQ(Parsed({"get", "j1"}).server, "127.0.0.1:50051") << name;
    unsetenv(name);
  }
}

TEST(Args, CommonFlagsWorkOnBothSidesOfTheCommand) {
  for (const auto& words : {std::vector<const char*>{"--json", "--timeout", "2m", "get", "j1"},
                            std::vector<const char*>{"get", "j1", "--json", "--timeout", "120"}}) {
    const Invocation got = Parsed(words);
    EXPECT_EQ(got.command, Command::kGet);
    EXPECT_TRUE(got.json);
    EXPECT_EQ(got.timeout, seconds(120));
    EXPECT_THAT(got.jobs, ElementsAre("j1"));
  }
}

TEST(Args, Submits) {
  const Invocation preview = Parsed({"preview", "--text", "Hi.", "--name", "N", "--label", "a=b",
                                     "--label", "c=d=e", "--watch", "--request-id", "r1"});
  EXPECT_EQ(preview.text, "Hi.");
  EXPECT_EQ(preview.labels, (std::map<std::string, std::string>{{"a", "b"}, {"c", "d=e"}}));
  EXPECT_TRUE(preview.watch);
  EXPECT_EQ(preview.request_id, "r1");
  EXPECT_EQ(Parsed({"preview", "-"}).source, "-");
  EXPECT_EQ(Parsed({"render", "j1", "--wait"}).source, "j1");
  EXPECT_EQ(Parsed({"summarize", "j1", "--seconds", "60"}).seconds, 60);
}

TEST(Args, JobCommands) {
  const Invocation list = Parsed({"list", "--state", "running", "--state", "JOB_STATE_FAILED",
                                  "--kind", "transcribe", "--limit", "7"});
  EXPECT_THAT(list.states, ElementsAre(v1::JOB_STATE_RUNNING, v1::JOB_STATE_FAILED));
  EXPECT_THAT(list.kinds, ElementsAre(v1::JOB_KIND_TRANSCRIPTION));
  EXPECT_EQ(list.limit, 7);
  EXPECT_THAT(Parsed({"watch", "a", "b"}).jobs, ElementsAre("a", "b"));
  const Invocation many =
      Parsed({"watch", "--label", "k=v", "--state", "running", "--kind", "render"});
  EXPECT_TRUE(many.jobs.empty());
  EXPECT_EQ(many.labels, (std::map<std::string, std::string>{{"k", "v"}}));
  EXPECT_THAT(many.states, ElementsAre(v1::JOB_STATE_RUNNING));
  EXPECT_TRUE(Parsed({"watch"}).jobs.empty()) << "all that goes on";
  EXPECT_THAT(Refused({"watch", "a", "--label", "k=v"}), HasSubstr("--label"));
  EXPECT_EQ(Parsed({"result", "j", "--part", "render-params"}).part,
            v1::RESULT_PART_RENDER_PARAMS_JSON);
  EXPECT_EQ(Parsed({"resolve", "j", "--adopt", "x"}).adopt, "x");
}

TEST(Args, JobsMayBeChosenInPlaceOfNamed) {
  const Invocation remove = Parsed({"delete", "--state", "failed", "--state", "waiting", "--label",
                                    "k=v", "--before", "2026-05-01"});
  EXPECT_TRUE(remove.chooses());
  EXPECT_FALSE(remove.yes);
  EXPECT_THAT(remove.states, ElementsAre(v1::JOB_STATE_FAILED, v1::JOB_STATE_WAITING));
  EXPECT_TRUE(remove.before.has_value());
  EXPECT_TRUE(Parsed({"delete", "--all", "--yes"}).yes);
  EXPECT_FALSE(Parsed({"delete", "a", "b"}).chooses());
  EXPECT_TRUE(Parsed({"resolve", "--since", "2h"}).chooses());
  EXPECT_TRUE(Parsed({"resolve", "--kind", "render", "--abandon"}).abandon);
  const Invocation again = Parsed({"resubmit", "f", "--state", "expired", "--parallel", "3"});
  EXPECT_EQ(again.source, "f");
  EXPECT_EQ(again.parallel, 3);
  EXPECT_TRUE(Parsed({"list", "--before", "7d"}).before.has_value());

  EXPECT_THAT(Refused({"delete"}), HasSubstr("--all"));
  EXPECT_THAT(Refused({"delete", "--yes"}), HasSubstr("name a JOB, or choose jobs"));
  EXPECT_THAT(Refused({"delete", "a", "--state", "failed"}), HasSubstr("--state"));
  EXPECT_THAT(Refused({"delete", "a", "--all"}), HasSubstr("--all"));
  EXPECT_THAT(Refused({"delete", "--state", "running"}), HasSubstr("RUNNING cannot be deleted"));
  EXPECT_THAT(Refused({"delete", "--before", "soon"}), HasSubstr("--before"));
  EXPECT_THAT(Refused({"resolve"}), HasSubstr("--kind, --label"));
  EXPECT_THAT(Refused({"resolve", "a", "b"}), HasSubstr("JOB"));
  EXPECT_THAT(Refused({"resolve", "--all", "--adopt", "x"}), HasSubstr("--adopt"));
  EXPECT_THAT(Refused({"resubmit"}), HasSubstr("FILE"));
  EXPECT_THAT(Refused({"resubmit", "-"}), HasSubstr("--batch"));
  for (const char* state : {"unconfirmed", "running", "succeeded", "waiting", "queued"}) {
    EXPECT_THAT(Refused({"resubmit", "f", "--state", state}),
                HasSubstr("is not to be submitted again"));
  }
}

TEST(Args, RefusesWhatMakesNoSense) {
  EXPECT_THAT(Refused({}), HasSubstr("say what to do"));
  EXPECT_THAT(Refused({"wach", "j"}), HasSubstr("did you mean watch?"));
  EXPECT_THAT(Refused({"get"}), HasSubstr("pictory get --help"));
  EXPECT_THAT(Refused({"get"}), HasSubstr("get: JOB is missing"));
  EXPECT_THAT(Refused({"result", "a", "b"}), HasSubstr("takes one JOB only"));
  EXPECT_THAT(Refused({"preview"}), HasSubstr("--text-file"));
  EXPECT_THAT(Refused({"preview", "--text", " "}), HasSubstr("empty"));
  EXPECT_THAT(Refused({"preview", "f", "--text", "x"}), HasSubstr("--text"));
  EXPECT_THAT(Refused({"render"}), HasSubstr("give one of"));
  EXPECT_THAT(Refused({"render", "j", "--project", "p"}), HasSubstr("give one of"));
  EXPECT_THAT(Refused({"render", "j", "--watch", "--wait"}), HasSubstr("--wait"));
  EXPECT_THAT(Refused({"render", "j", "--label", "novalue"}), HasSubstr("key=value"));
  EXPECT_THAT(Refused({"render", "j", "--label", "a=1", "--label", "a=2"}), HasSubstr("twice"));
  EXPECT_THAT(Refused({"summarize", "j", "--seconds", "-1"}), HasSubstr("--seconds"));
  EXPECT_THAT(Refused({"list", "--state", "done"}), HasSubstr("done"));
  EXPECT_THAT(Refused({"list", "--limit", "5", "--all"}), HasSubstr("--all"));
  EXPECT_THAT(Refused({"result", "j", "--part", "mp3"}), HasSubstr("txt, srt"));
  EXPECT_THAT(Refused({"result", "j", "-o", "f"}), HasSubstr("--download"));
  EXPECT_THAT(Refused({"resolve", "j", "--adopt", "x", "--abandon"}), HasSubstr("--adopt"));
  EXPECT_THAT(Refused({"wait", "j", "--timeout", "soon"}), HasSubstr("--timeout"));
  EXPECT_THAT(Refused({"get", "j", "--tls-cert", "c"}), HasSubstr("--tls-key"));
}

TEST(Args, NamesTheFlagOrCommandThatWasMeant) {
  EXPECT_THAT(Refused({"lsit"}), HasSubstr("did you mean list?"));
  EXPECT_THAT(Refused({"gte", "j"}), HasSubstr("did you mean get?"));
  EXPECT_THAT(Refused({"list", "--limt", "3"}),
              HasSubstr("there is no flag --limt; did you mean --limit?"));
  EXPECT_THAT(Refused({"--limt=3", "list"}), HasSubstr("--limit"));
  EXPECT_THAT(Refused({"get", "j", "--jsn"}), HasSubstr("did you mean --json?"));
  EXPECT_THAT(Refused({"--watch", "render", "j"}),
              HasSubstr("--watch belongs behind the command: pictory render … --watch"));
  EXPECT_THAT(Refused({"get", "j", "--part", "txt"}), HasSubstr("--part is a flag of result"));
  EXPECT_THAT(Refused({"get", "j", "--nope"}), HasSubstr("there is no flag --nope\n"));
  EXPECT_THAT(Refused({"preview", "hello", "world"}),
              HasSubstr("'world' is one argument too many"));
  EXPECT_THAT(Refused({"get", "j", "--timeout"}), HasSubstr("--timeout: needs a value"));
  EXPECT_THAT(Refused({"render", "j", "--watch", "--wait"}), HasSubstr("cannot both be given"));
  EXPECT_THAT(Refused({"list", "--kind", "films"}), HasSubstr("preview, render"));
}

TEST(Args, RangesAreInWordsAndShort) {
  for (const char* number : {"0", "-3", "1.5", "x", "", "99999999999", "1e3"}) {
    for (const auto& words : {std::vector<const char*>{"list", "--limit", number},
                              std::vector<const char*>{"summarize", "j", "--seconds", number}}) {
      const std::string said = Refused(words);
      EXPECT_THAT(said, HasSubstr("must be a whole number from 1 to 2147483647, not '" +
                                  std::string(number) + "'"));
      EXPECT_LT(said.size(), 160u) << said;
    }
  }
}

TEST(Args, ErrorsAreJsonWhereJsonIsWanted) {
  for (const auto& words :
       {std::vector<const char*>{"--json", "get"}, std::vector<const char*>{"get", "--json"},
        std::vector<const char*>{"gat", "--json"}}) {
    const std::string said = Refused(words);
    EXPECT_THAT(said,
                testing::StartsWith(R"({"error":{"code":"INVALID_ARGUMENT","reason":"USAGE")"));
    EXPECT_FALSE(CheckJson(said).has_value()) << said;
  }
}

TEST(Args, HelpAndVersionInEverySpelling) {
  const auto printed = [](const std::vector<const char*>& words) {
    const auto parsed = ParseWords(words);
    const auto* finished = std::get_if<Finished>(&parsed);
    if (finished == nullptr) return std::string("accepted");
    EXPECT_EQ(finished->exit_code, kSucceeded) << words.front();
    return finished->out;
  };
  const std::string all = printed({"--help"});
  EXPECT_THAT(all, AllOf(HasSubstr("Exit status:"),
                         AnyOf(HasSubstr("Subcommands:"), HasSubstr("SUBCOMMANDS:"))));
  for (const auto& words : std::vector<std::vector<const char*>>{
           {"help"}, {"-h"}, {"help", "--help"}, {"help", "help"}}) {
    EXPECT_EQ(printed(words), all) << words.front();
  }
  EXPECT_EQ(printed({"help", "get"}), printed({"get", "--help"}));
  EXPECT_EQ(printed({"get", "j", "-h"}), printed({"get", "--help"}));
  EXPECT_EQ(printed({"--version"}).rfind("pictory ", 0), 0u);
  EXPECT_EQ(printed({"-V"}), printed({"get", "j", "--version"}));
  EXPECT_THAT(Refused({"help", "gte"}), HasSubstr("did you mean get?"));
  for (const char* line : {"preview", "list", "help"}) EXPECT_THAT(all, HasSubstr(line));
}

TEST(Args, EveryCommandHelpsWithExamples) {
  for (const char* command :
       {"preview", "render", "transcribe", "summarize", "get", "list", "watch", "wait", "result",
        "resolve", "delete", "resubmit", "upload"}) {
    const auto parsed = ParseWords({command, "--help"});
    const auto* help = std::get_if<Finished>(&parsed);
    ASSERT_NE(help, nullptr) << command;
    EXPECT_EQ(help->exit_code, kSucceeded);
    EXPECT_THAT(help->out, HasSubstr("Examples:\n  ")) << command;
    EXPECT_THAT(help->out, HasSubstr(std::string("pictory ") + command)) << command;
  }
}

TEST(Words, DurationsElapsedAndColumns) {
  EXPECT_EQ(ParseDuration("90"), seconds(90));
  EXPECT_EQ(ParseDuration("1.5m"), seconds(90));
  EXPECT_EQ(ParseDuration("2h"), seconds(7200));
  EXPECT_EQ(ParseDuration("500ms"), milliseconds(500));
  for (const char* bad : {"", "0", "-1", "x", "1y", "nan", "inf", "1e99", "5 m"}) {
    EXPECT_FALSE(ParseDuration(bad).has_value()) << bad;
  }
  EXPECT_EQ(Elapsed(seconds(-5)), "0s");
  EXPECT_EQ(Elapsed(seconds(65)), "1m05s");
  EXPECT_EQ(Elapsed(seconds(7265)), "2h01m");
  EXPECT_EQ(Elapsed(seconds(356400)), "4d03h");
  EXPECT_EQ(Fit("héllo", 5), "héllo");
  EXPECT_EQ(Fit("héllo", 3), "hé…");
  EXPECT_EQ(Pad("é", 3), "é  ");
  EXPECT_EQ(OneLine("a\x1b[2Jb\nc"), "a [2Jb c");
}

TEST(Json, TellsWhereItIsWrong) {
  EXPECT_FALSE(CheckJson(R"({"a":[1,2.5e300,"\ud83d\ude00"]})").has_value());
  const std::string many(400, '7');
  EXPECT_FALSE(CheckJson("[1e400,-1e400,0." + many + "," + many + "]").has_value());
  EXPECT_EQ(JsonNumber("1e400"), 1e308);
  EXPECT_EQ(CheckJson("[1e400,1e400.5]")->column, 13);
  const auto error = CheckJson("{\n  \"é\": 1,\n  oops\n}");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->line, 3);
  EXPECT_EQ(error->column, 3);
  EXPECT_EQ(CheckJson("{\"é\" 1}")->column, 6);
  EXPECT_TRUE(CheckJson("").has_value());
  EXPECT_TRUE(CheckJson("{} {}").has_value());
  EXPECT_TRUE(CheckJson("\"\xff\"").has_value());
  EXPECT_FALSE(CheckJson(std::string(100'000, '[') + std::string(100'000, ']')).has_value());
}

TEST(Json, FitsDoubleIsWhetherNoDigitIsLost) {
  for (const char* fits :
       {"0", "-0", "0.0", "1", "-1", "100", "1e2", "1E+2", "12.50", "0.1", "3.005", "1.68", "0.48",
        "2.675", "1e-7", "9007199254740992", "5e-324", "1.7976931348623157e308"}) {
    EXPECT_TRUE(FitsDouble(fits)) << fits;
  }
  for (const char* loses :
       {"9007199254740993", "0.12345678901234567891", "18446744073709551615",
        "0.1000000000000000055511151231257827", "1e400", "1e-400", "-1e99999999999999999999"}) {
    EXPECT_FALSE(FitsDouble(loses)) << loses;
  }
  // Whatever a double is, its own digits fit.
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    EXPECT_TRUE(FitsDouble({text, end})) << std::string_view(text, end);
    EXPECT_EQ(JsonNumber({text, end}), value);
  }
}

TEST(Json, MembersKeepTheirBytes) {
  const std::string text =
      R"( { "a" : [1, {"x":"]}"} ] , "b\u0041":-1.50 ,"c":"q\"," , "d":{} ,"e":null})";
  const auto members = MembersOf(text);
  ASSERT_EQ(members.size(), 5u);
  EXPECT_EQ(members[0].key, "a");
  EXPECT_EQ(members[0].value, R"([1, {"x":"]}"} ])");
  EXPECT_EQ(members[1].key, "bA");
  EXPECT_EQ(members[1].value, "-1.50");
  EXPECT_EQ(members[2].value, R"("q\",")");
  EXPECT_EQ(members[3].whole, R"("d":{})");
  EXPECT_EQ(members[4].value, "null");
  EXPECT_TRUE(MembersOf("{}").empty());
  EXPECT_THAT(ElementsOf(R"([ {"a":1} , 2,"]"])"), ElementsAre(R"({"a":1})", "2", R"("]")"));
}

TEST(Json, LinesKeepTheNumbersThatMatter) {
  Job job = MakeJob("j", v1::JOB_STATE_SUCCEEDED);
  job.mutable_summary()->add_segments()->set_end_seconds(2);
  job.set_progress_percent(0);
  const std::string line = ToJsonLine(job);
  EXPECT_THAT(line, HasSubstr(R"("startSeconds":0)"));
  EXPECT_THAT(line, HasSubstr(R"("progressPercent":0)"));
  EXPECT_THAT(line, HasSubstr(R"("state":"JOB_STATE_SUCCEEDED")"));
  EXPECT_THAT(line, HasSubstr(R"("jobId":"j")"));
  EXPECT_THAT(line, Not(HasSubstr("\n")));
}

TEST(SubmitCommandsTest, EachSubmitOfTheApiHasOne) {
  const auto* const service =
      v1::GetJobRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
  for (int i = 0; i < service->method_count(); ++i) {
    const auto* const method = service->method(i);
    if (!method->options().HasExtension(v1::job_method)) continue;
    const int kind = method->options().GetExtension(v1::job_method).kind();
    int commands = 0;
    for (const SubmitCommand& command : SubmitCommands()) {
      if (command.kind != kind) continue;
      ++commands;
      EXPECT_EQ(command.call, method->name());
    }
    EXPECT_EQ(commands, 1) << method->name();
  }
}

class RequestTest : public ::testing::Test {
 protected:
  absl::StatusOr<SubmitRequest> Build(const std::vector<const char*>& words) {
    const Invocation invocation = Parsed(words);
    return invocation.submit->build(
        invocation, {[this](const std::string& path) { return files_.count(path) > 0; },
                     [this](const std::string& path) -> absl::StatusOr<std::string> {
                       const auto found = files_.find(path);
                       if (found == files_.end()) return absl::InvalidArgumentError("no such file");
                       return found->second;
                     }});
  }
  template <class Request>
  Request Get(const std::vector<const char*>& words) {
    auto built = Build(words);
    if (!built.ok()) {
      ADD_FAILURE() << built.status();
      return {};
    }
    return dynamic_cast<const Request&>(**built);
  }
  std::string Error(const std::vector<const char*>& words) {
    const auto built = Build(words);
    return built.ok() ? "accepted" : std::string(built.status().message());
  }

  std::map<std::string, std::string> files_;
};

TEST(JobNames, TheBeginningOfAnIdIsAStretchOfTime) {
  for (const char* no : {"", "01h", "01hu", "01HX", "8zzz", "j-12", "01hx2v0000000000000000000a"})
    EXPECT_FALSE(MayBeginId(no)) << no;
  for (const char* yes : {"01hx", "01hx2v000000000000000000a", "7zzz"})
    EXPECT_TRUE(MayBeginId(yes)) << yes;
  const auto [from, until] = CreationOf("0000000001");
  EXPECT_EQ(from, absl::FromUnixMillis(1));
  EXPECT_EQ(until, absl::FromUnixMillis(2));
  const auto [longer, end] = CreationOf("00000001");
  EXPECT_EQ(longer, absl::FromUnixMillis(1024));
  EXPECT_EQ(end, absl::FromUnixMillis(2048));
  EXPECT_LT(CreationOf("7zzz").second, absl::FromUnixSeconds(253'402'300'800));
}

TEST(Since, IsATimeAgoOrADate) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  const absl::TimeZone utc = absl::UTCTimeZone();
  EXPECT_EQ(ParseSince("2h", now, utc), now - absl::Hours(2));
  EXPECT_EQ(ParseSince("7d", now, utc), now - absl::Hours(7 * 24));
  EXPECT_EQ(ParseSince("1970-01-02", now, utc), absl::FromUnixSeconds(86400));
  EXPECT_EQ(ParseSince("1970-01-02T01:00", now, utc), absl::FromUnixSeconds(90000));
  EXPECT_EQ(ParseSince("1970-01-02T01:00:00+01:00", now, utc), absl::FromUnixSeconds(86400));
  for (const char* bad : {"", "yesterday", "1970-13-01", "2x"})
    EXPECT_FALSE(ParseSince(bad, now, utc).has_value()) << bad;
}

TEST_F(RequestTest, PreviewKeepsTheBytesOfItsFile) {
  files_["s.json"] = "{ \"videoName\" : \"x\",\"n\": 1.0 }\n";
  const auto request =
      Get<CreatePreviewRequest>({"preview", "s.json", "--label", "a=b", "--allow-unknown-fields"});
  EXPECT_EQ(request.storyboard_json(), files_["s.json"]);
  EXPECT_TRUE(request.allow_unknown_fields());
  EXPECT_EQ(request.labels().at("a"), "b");
  files_["bad.json"] = "{\n\"a\":}";
  EXPECT_THAT(Error({"preview", "bad.json"}), HasSubstr("bad.json:2:5: this is not JSON"));
  files_["array.json"] = "[]";
  EXPECT_THAT(Error({"preview", "array.json"}), HasSubstr("object"));
  EXPECT_THAT(Error({"preview", "none.json"}), HasSubstr("no such file"));
  EXPECT_THAT(Error({"preview", "Once upon a time"}), HasSubstr("--text"));
}

TEST_F(RequestTest, PreviewFromText) {
  const auto request = Get<CreatePreviewRequest>(
      {"preview", "--text", "Once upon a time, far away. Then more.", "--voice", "Brian"});
  EXPECT_EQ(request.storyboard().video_name(), "Once upon a time far away");
  EXPECT_EQ(request.storyboard().scenes(0).story(), "Once upon a time, far away. Then more.");
  EXPECT_EQ(request.storyboard().voice_over().ai_voices(0).speaker().string_value(), "Brian");
  EXPECT_EQ(Get<CreatePreviewRequest>({"preview", "--text", "¡日本!"}).storyboard().video_name(),
            "Untitled");
  files_["t.txt"] = "\n";
  EXPECT_THAT(Error({"preview", "--text-file", "t.txt"}), HasSubstr("empty"));
}

TEST_F(RequestTest, RenderTellsJobsFromFiles) {
  EXPECT_EQ(Get<RenderRequest>({"render", "j1"}).preview_job_id(), "j1");
  EXPECT_EQ(Get<RenderRequest>({"render", "--preview-job", "a.b"}).preview_job_id(), "a.b");
  EXPECT_EQ(Get<RenderRequest>({"render", "--project", "77"}).project_id(), "77");
  files_["j2"] = R"({"videoName":"x","scenes":[]})";
  EXPECT_EQ(Get<RenderRequest>({"render", "j2"}).storyboard_json(), files_["j2"]);
  files_["p.json"] = R"({"audio":{},"output":{},"scenes":[]})";
  EXPECT_EQ(Get<RenderRequest>({"render", "p.json"}).render_params_json(), files_["p.json"]);
  EXPECT_EQ(Get<RenderRequest>({"render", "--storyboard", "p.json"}).storyboard_json(),
            files_["p.json"]);
  EXPECT_EQ(Get<RenderRequest>({"render", "--render-params", "j2"}).render_params_json(),
            files_["j2"]);
  files_["r.json"] = R"({"renderParams":{}})";
  EXPECT_THAT(Error({"render", "r.json"}), HasSubstr("--part render-params"));
  EXPECT_THAT(Error({"render", "typo.json"}), HasSubstr("no such file"));
}

TEST_F(RequestTest, Transcribe) {
  const auto url = Get<TranscribeRequest>({"transcribe", "https://x/a.mp4", "--language", "de-DE"});
  EXPECT_EQ(url.file_url(), "https://x/a.mp4");
  EXPECT_EQ(url.language(), "de-DE");
  files_["t.json"] = R"({"fileUrl":"https://x/\u0061.mp4","mediaType":"audio","language":null,
                         "transcript":[ {"uid" : 1.0} ],"highlight":[{"start":0.5,"end":2}]})";
  const auto request = Get<TranscribeRequest>({"transcribe", "t.json"});
  EXPECT_EQ(request.file_url(), "https://x/a.mp4");
  EXPECT_EQ(request.media_type(), "audio");
  EXPECT_FALSE(request.has_language());
  EXPECT_EQ(request.transcript_json(), R"([ {"uid" : 1.0} ])");
  EXPECT_EQ(request.highlights(0).start(), 0.5);
  files_["w.json"] = R"({"file_url":"x","webhook":"y","language":5,"zzz":1,"zzz":2})";
  const std::string error = Error({"transcribe", "w.json"});
  EXPECT_THAT(error, HasSubstr("\n  file_url: is not known; did you mean fileUrl?"));
  EXPECT_THAT(error, HasSubstr("\n  webhook: is the gateway's own"));
  EXPECT_THAT(error, HasSubstr("\n  language: must be a string"));
  EXPECT_THAT(error, HasSubstr("\n  zzz: is there twice"));
  files_["u.json"] = R"({"fileUrl":"https://x/a","n\u0065w": {"a" : 1.0},"b":[]})";
  EXPECT_EQ(Get<TranscribeRequest>({"transcribe", "u.json", "--allow-unknown-fields"}).extra_json(),
            R"({"n\u0065w": {"a" : 1.0},"b":[]})");
  files_["m.json"] = "{}";
  EXPECT_THAT(Error({"transcribe", "m.json"}), HasSubstr("fileUrl: is missing"));
  files_["d.json"] = R"({"fileUrl":"https://x/a","highlights":[{"start":0.12345678901234567891}]})";
  EXPECT_THAT(Error({"transcribe", "d.json"}), HasSubstr("highlights: has more digits"));
}

TEST_F(RequestTest, Summarize) {
  const auto job =
      Get<SummarizeRequest>({"summarize", "j1", "--seconds", "60", "--language", "en"});
  EXPECT_EQ(job.transcription_job_id(), "j1");
  EXPECT_EQ(job.highlight_duration_seconds(), 60);
  files_["s.json"] = R"({"transcript":[{"a": 1.0}],"highlight_duration":30,"duration":99.5})";
  const auto file = Get<SummarizeRequest>({"summarize", "s.json"});
  EXPECT_EQ(file.transcript_json(), R"([{"a": 1.0}])");
  EXPECT_EQ(file.highlight_duration_seconds(), 30);
  EXPECT_EQ(file.duration_seconds(), 99.5);
  files_["-"] = "[{}]";
  EXPECT_EQ(Get<SummarizeRequest>({"summarize", "-", "--seconds", "5"}).transcript_json(), "[{}]");
  EXPECT_EQ(Get<SummarizeRequest>({"summarize", "j1"}).highlight_duration_seconds(), 0);
  files_["t.json"] = "[{}]";
  EXPECT_THAT(Error({"summarize", "t.json"}), HasSubstr("--seconds"));
  files_["b.json"] = R"({"highlight_duration":"60"})";
  EXPECT_THAT(Error({"summarize", "b.json"}), HasSubstr("whole number"));
}

TEST_F(RequestTest, Image) {
  const auto typed = Get<GenerateImageRequest>({"image", "--prompt", "a lake", "--model",
                                                "nanobanana", "--aspect-ratio", "16:9", "--style",
                                                "vintage", "--reference", "https://x/a.png"});
  EXPECT_EQ(typed.prompt(), "a lake");
  EXPECT_EQ(typed.model(), "nanobanana");
  EXPECT_EQ(typed.aspect_ratio(), "16:9");
  EXPECT_EQ(typed.style(), "vintage");
  EXPECT_EQ(typed.reference_image_url(), "https://x/a.png");
  files_["i.json"] = R"({"prompt":"a lake","referenceImageUrl":"https://x/a.png","style":null})";
  const auto file = Get<GenerateImageRequest>({"image", "i.json", "--model", "flux-schnell"});
  EXPECT_EQ(file.prompt(), "a lake");
  EXPECT_EQ(file.model(), "flux-schnell");
  EXPECT_EQ(file.reference_image_url(), "https://x/a.png");
  EXPECT_FALSE(file.has_style());
  files_["w.json"] = R"({"prompts":"a lake","style":["vintage"],"webhook":"x"})";
  const std::string error = Error({"image", "w.json"});
  EXPECT_THAT(error, HasSubstr("prompts: is not known; did you mean prompt?"));
  EXPECT_THAT(error, HasSubstr("style: must be a string"));
  files_["e.json"] = "{}";
  EXPECT_THAT(Error({"image", "e.json"}), HasSubstr("prompt: is missing"));
  EXPECT_THAT(Refused({"image"}), HasSubstr("image: give --prompt, or a FILE"));
}

TEST_F(RequestTest, Video) {
  const auto typed =
      Get<GenerateVideoRequest>({"video", "--prompt", "a drone", "--duration", "8s", "--reference",
                                 "https://x/a.png", "--reference", "https://x/b.png"});
  EXPECT_EQ(typed.prompt(), "a drone");
  EXPECT_EQ(typed.duration(), "8s");
  ASSERT_EQ(typed.reference_image_urls_size(), 2);
  EXPECT_EQ(typed.reference_image_urls(1), "https://x/b.png");
  EXPECT_EQ(Get<GenerateVideoRequest>({"video", "--prompt", "a drone", "--extend", "https://x/v"})
                .extend_video_url(),
            "https://x/v");
  EXPECT_EQ(
      Get<GenerateVideoRequest>({"video", "--prompt", "a drone", "--first-frame", "https://x"})
          .first_frame_image_url(),
      "https://x");
  EXPECT_NE(Refused({"video", "--prompt", "x", "--first-frame", "https://x", "--extend", "y"}), "");
  files_["v.json"] = R"({"prompt":"a drone","referenceImageUrls":["https://x/a","https://x/b"]})";
  EXPECT_EQ(Get<GenerateVideoRequest>({"video", "v.json"}).reference_image_urls_size(), 2);
  files_["w.json"] = R"({"prompt":"a drone","referenceImageUrls":["https://x/a",1],"duration":8})";
  const std::string error = Error({"video", "w.json"});
  EXPECT_THAT(error, HasSubstr("referenceImageUrls: must be an array of strings"));
  EXPECT_THAT(error, HasSubstr("duration: must be a string"));
}

TEST(Describe, SaysWhatAPromptMade) {
  Job job = MakeJob("j1", v1::JOB_STATE_SUCCEEDED);
  job.mutable_video()->set_url("https://x/v.mp4");
  job.mutable_video()->set_duration("8s");
  job.mutable_video()->set_width(720);
  job.mutable_video()->set_height(1280);
  const std::string text = Describe(job, absl::FromUnixSeconds(9999));
  EXPECT_THAT(text, HasSubstr("video       https://x/v.mp4\n"));
  EXPECT_THAT(text, HasSubstr("length      8s\n"));
  EXPECT_THAT(text, HasSubstr("size        720x1280\n"));
  job.mutable_image()->set_url("https://x/i.png");
  EXPECT_THAT(Describe(job, absl::FromUnixSeconds(9999)),
              HasSubstr("image       https://x/i.png\n"));
}

TEST(Describe, SaysWhatAJobHasAndNothingElse) {
  Job job = MakeJob("j1", v1::JOB_STATE_SUCCEEDED);
  job.mutable_create_time()->set_seconds(1000);
  job.mutable_finish_time()->set_seconds(1065);
  job.mutable_render()->set_video_url("https://x/v.mp4");
  job.set_sandbox(true);
  const std::string text = Describe(job, absl::FromUnixSeconds(9999));
  EXPECT_THAT(text, HasSubstr("render SUCCEEDED after 1m05s\n"));
  EXPECT_THAT(text, HasSubstr("video       https://x/v.mp4\n"));
  EXPECT_THAT(text, HasSubstr("nothing was billed"));
  EXPECT_THAT(text, Not(HasSubstr("thumbnail")));
  EXPECT_THAT(text, Not(HasSubstr("AI credits")));
  job.set_credits_used(0);
  EXPECT_THAT(Describe(job, absl::FromUnixSeconds(9999)), HasSubstr("AI credits  0\n"));
}

TEST(Describe, LabelsAreInOneOrder) {
  const auto labelled = [](int turn) {
    Job job;
    job.set_job_id("j");
    for (int i = 0; i < 30; ++i) {
      (*job.mutable_labels())["key" + std::to_string((i * 7 + turn) % 30)] = "v";
    }
    return job;
  };
  const Job first = labelled(0);
  for (int turn = 1; turn < 30; ++turn) {
    const Job job = labelled(turn);
    ASSERT_EQ(Describe(job, absl::Now(), false), Describe(first, absl::Now(), false));
    ASSERT_EQ(TextOf(JobTable(false).Whole({job}, absl::UnixEpoch())),
              TextOf(JobTable(false).Whole({first}, absl::UnixEpoch())));
    ASSERT_EQ(ToJsonLine(job), ToJsonLine(first));
  }
  const std::string line = ToJsonLine(first);
  EXPECT_LT(line.find("key10"), line.find("key2")) << line;
}

TEST(Describe, UnconfirmedInWords) {
  const std::string advice = Advice(MakeJob("j1", v1::JOB_STATE_UNCONFIRMED));
  EXPECT_THAT(advice, HasSubstr("Do not submit it again"));
  EXPECT_THAT(advice, HasSubstr("pictory resolve j1"));
  EXPECT_EQ(Advice(MakeJob("j1", v1::JOB_STATE_RUNNING)), "");
}

TEST(Describe, ErrorsAreOneLineAndOneForEachField) {
  const auto said = [](const absl::Status& status) {
    return ProblemText(ProblemOf(status, "h:1"));
  };
  EXPECT_THAT(said(absl::UnavailableError("refused")),
              HasSubstr("the gateway h:1 cannot be reached (refused); is it running?"));
  EXPECT_THAT(said(absl::UnavailableError("Socket closed")), HasSubstr("Then write https://"));
  EXPECT_EQ(said(absl::NotFoundError("No job\n\x1b[2Jx")), "pictory: No job  [2Jx\n");
  EXPECT_EQ(said(fake::WithRetryInfo(absl::StatusCode::kResourceExhausted, "Slow down", 2.5)),
            "pictory: Slow down (worth trying again in 3s)\n");
}

TEST(Describe, WhatIsWrongWithTlsIsNotTakenForAGatewayThatIsNotThere) {
  const auto said = [](const char* words) {
    return ProblemText(ProblemOf(absl::UnavailableError(words), "https://h:1"));
  };
  for (const char* words : {"Ssl handshake failed: SSL_ERROR_SSL: error:0A000086:SSL "
                            "routines::certificate verify failed",
                            "Peer name h is not in peer certificate"}) {
    EXPECT_THAT(said(words), HasSubstr("its certificate is not believed")) << words;
  }
  EXPECT_THAT(said("Socket closed"), HasSubstr("--tls-cert"));
  EXPECT_THAT(said("empty address list: "), HasSubstr("are they PEM, and does the key fit?"));
  EXPECT_THAT(said("Connection refused"), HasSubstr("is it running?"));
}

TEST(Describe, APortThatSpeaksSomethingElseIsNotTakenForAGatewayThatIsNotThere) {
  const auto said = [](const char* words, const char* server) {
    return ProblemText(ProblemOf(absl::UnavailableError(words), server));
  };
  EXPECT_THAT(said("Ssl handshake failed: SSL_ERROR_SSL: error:0A00010B:SSL routines::wrong "
                   "version number",
                   "https://h:1"),
              HasSubstr("; it is one without TLS: leave https:// out\n"));
  EXPECT_THAT(said("Trying to connect an http1.x server", "h:1"),
              HasSubstr("; this is an HTTP port, not the gRPC one"));
  EXPECT_THAT(said("Cannot check peer: missing selected ALPN property.", "https://h:1"),
              HasSubstr("; this is an HTTP port, not the gRPC one"));
}

TEST(Problems, AsJsonHaveWhatIsKnown) {
  Problem problem = ProblemOf(
      fake::WithRetryInfo(absl::StatusCode::kResourceExhausted, "Slow \"down\"", 2.5), "h:1");
  problem.job_id = "j1";
  problem.request_id = "r1";
  problem.fields = {{"a.b", "must be\x1b"}};
  problem.hint = "one\ntwo\n";
  const std::string line = ProblemLine(problem);
  EXPECT_FALSE(CheckJson(line).has_value()) << line;
  EXPECT_THAT(line, testing::StartsWith(R"({"error":{"code":"RESOURCE_EXHAUSTED")"));
  EXPECT_THAT(line, HasSubstr(R"("message":"Slow \"down\"")"));
  EXPECT_THAT(line, HasSubstr(R"("hint":"one\ntwo","jobId":"j1","requestId":"r1")"));
  EXPECT_THAT(line, HasSubstr(R"("retryAfterSeconds":2.5)"));
  EXPECT_THAT(line, HasSubstr(R"("fieldViolations":[{"field":"a.b","description":"must be )"));
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "one line";
  EXPECT_EQ(ProblemLine(UsageProblem("x")),
            "{\"error\":{\"code\":\"INVALID_ARGUMENT\",\"reason\":\"USAGE\",\"message\":\"x\"}}\n");
}

TEST(Problems, NameCommandsAndNotCalls) {
  EXPECT_EQ(ProblemText(ProblemOf(gateway::errors::JobNotFound("j1"), "h:1")),
            "pictory: No job j1; `pictory list` shows the jobs this gateway knows\n");
  EXPECT_EQ(ProblemOf(gateway::errors::JobNotFound("j1"), "h:1").job_id, "j1");
  EXPECT_EQ(InCommands("GetJob, (WatchJob) GetJobs xGetJob"),
            "`pictory get`, (`pictory watch`) GetJobs xGetJob");
  EXPECT_EQ(InCommands("Render failed"), "Render failed");
  EXPECT_EQ(InCommands("(wait_for_preview) wait_for_previews allow_unknown_fields"),
            "(--wait-for-preview) wait_for_previews --allow-unknown-fields");
  EXPECT_EQ(InCommands("/pictory.jobs.v1.PictoryJobs/GetJob"),
            "/pictory.jobs.v1.PictoryJobs/GetJob");
  const auto* service = v1::Job::descriptor()->file()->pool()->FindServiceByName(
      v1::GetJobRequest::descriptor()->file()->service(0)->full_name());
  ASSERT_NE(service, nullptr);
  for (int i = 0; i < service->method_count(); ++i) {
    const std::string name(service->method(i)->name());
    const bool one_word =
        std::none_of(name.begin() + 1, name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    EXPECT_EQ(InCommands(name) == name, one_word) << name;
  }
}

TEST(Describe, SaysWhichCommandFetchesWhat) {
  Job job = MakeJob("j1", v1::JOB_STATE_SUCCEEDED);
  job.mutable_render()->set_video_url("https://h/" + std::string(1500, 'x'));
  std::string text = Describe(job, absl::FromUnixSeconds(9999));
  EXPECT_THAT(text, HasSubstr("fetch       pictory result j1 --download\n"));
  EXPECT_THAT(text, HasSubstr("more        pictory result j1 --part result-json\n"));
  EXPECT_THAT(text, HasSubstr(job.render().video_url() + "\n")) << "a URL is of no use in part";
  job = MakeJob("j1", v1::JOB_STATE_SUCCEEDED);
  job.mutable_preview()->set_preview_url("https://h/p");
  job.add_omitted_parts(v1::RESULT_PART_RENDER_PARAMS_JSON);
  job.add_omitted_parts(v1::RESULT_PART_RESULT_JSON);
  text = Describe(job, absl::FromUnixSeconds(9999));
  EXPECT_THAT(text, HasSubstr("more        pictory result j1 --part render-params\n"
                              "              pictory result j1 --part result-json\n"));
  EXPECT_THAT(text, Not(HasSubstr("--download")));
  EXPECT_THAT(Describe(MakeJob("j1", v1::JOB_STATE_RUNNING), absl::FromUnixSeconds(9999)),
              Not(HasSubstr("--part")));
  for (int i = v1::ResultPart_MIN + 1; i <= v1::ResultPart_MAX; ++i) {
    const auto part = static_cast<ResultPart>(i);
    EXPECT_EQ(ParsePart(PartWord(part)), part) << PartWord(part);
  }
}

TEST(Describe, TableAlignsItsColumns) {
  Job job = MakeJob("j1", v1::JOB_STATE_RUNNING);
  job.set_progress_percent(42);
  job.mutable_create_time()->set_seconds(1000);
  (*job.mutable_labels())["team"] = "a b";
  Job named = job;
  named.set_job_id("j2");
  named.set_name("Spring\n2026");
  named.clear_labels();
  EXPECT_EQ(TextOf(JobTable(false).Whole({job, named}, absl::FromUnixSeconds(1005))),
            "JOB  KIND    STATE    DONE  LEFT  AGE  NAME         LABELS\n"
            "j1   render  RUNNING  42 %  -     5s   -            team=a b\n"
            "j2   render  RUNNING  42 %  -     5s   Spring 2026\n");
}

TEST(ExitCodes, SayWhatHappened) {
  EXPECT_EQ(ExitForState(v1::JOB_STATE_SUCCEEDED), 0);
  EXPECT_EQ(ExitForState(v1::JOB_STATE_FAILED), 1);
  EXPECT_EQ(ExitForState(v1::JOB_STATE_EXPIRED), 4);
  EXPECT_EQ(ExitForState(v1::JOB_STATE_UNCONFIRMED), 6);
  EXPECT_EQ(ExitForState(v1::JOB_STATE_OUTCOME_UNKNOWN), 6);
  EXPECT_EQ(ExitForStatus(absl::NotFoundError("")), 3);
  EXPECT_EQ(ExitForStatus(absl::InvalidArgumentError("")), 5);
  EXPECT_EQ(Worse(kSucceeded, kJobFailed), kJobFailed);
  EXPECT_EQ(Worse(kOutcomeUnknown, kJobFailed), kOutcomeUnknown);
  EXPECT_EQ(Worse(kStoppedWaiting, kSucceeded), kStoppedWaiting);
}

TEST(Download, KnowsWhetherTheGatewayIsHere) {
  for (const char* here : {"127.0.0.1:50051", "localhost:1", "[::1]:50051",
                           "dns:///localhost:50051", "unix:/run/gateway.sock"}) {
    EXPECT_TRUE(IsHere(here)) << here;
  }
  for (const char* away :
       {"gateway.example:443", "10.0.0.1:50051", "dns:///gateway:1", "localhost.evil.test:1", ""}) {
    EXPECT_FALSE(IsHere(away)) << away;
  }
}

TEST(Download, OnlyFromWhereItIsSafe) {
  for (const char* good :
       {"https://x/v.mp4", "http://127.0.0.1:8080/v", "http://localhost/v", "http://[::1]:1/v"}) {
    EXPECT_TRUE(MayAsk(good, true)) << good;
    EXPECT_EQ(MayAsk(good, false), std::string_view(good).starts_with("https:")) << good;
  }
  for (const char* bad : {"http://example.com/v", "http://localhost.evil.com/v",
                          "http://localhost@evil.com/", "file:///etc/passwd", "ftp://x/v", ""}) {
    EXPECT_FALSE(MayAsk(bad, true)) << bad;
  }
}

}  // namespace
}  // namespace pictory_jobs::cli
