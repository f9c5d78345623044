// What may stand in the place of a word, by the command tree alone.
#include "complete.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "command_tree.h"
#include "completion_scripts.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using Words = std::vector<std::string>;

class CompleteTest : public ::testing::Test {
 protected:
  CompleteTest() {
    raw_.to = &invocation_;
    tree_ = MakeCommandTree(raw_);
  }

  Completion Complete(const Words& words) const { return CompletionOf(*tree_, words); }
  // What a shell is given, without what it is.
  Words Offered(const Words& words) const {
    Words offered;
    const Completion completion = Complete(words);
    for (const std::string& line :
         Words(absl::StrSplit(CompletionHead(completion), '\n', absl::SkipEmpty()))) {
      offered.push_back(line.substr(0, line.find('\t')));
    }
    offered.erase(offered.begin());  // files or words
    return offered;
  }
  std::vector<CLI::App*> Commands() const {
    return tree_->get_subcommands([](const CLI::App*) { return true; });
  }

  Invocation invocation_;
  Raw raw_;
  std::unique_ptr<CLI::App> tree_;
};

TEST_F(CompleteTest, EveryCommandAndEveryFlagIsOffered) {
  for (const CLI::App* command : Commands()) {
    EXPECT_THAT(Offered({""}), Contains(command->get_name()));
    EXPECT_THAT(Offered({"help", ""}), Contains(command->get_name()));
    for (const CLI::App* app : {command, static_cast<const CLI::App*>(tree_.get())}) {
      for (const CLI::Option* option : app->get_options()) {
        if (option->get_positional()) continue;
        EXPECT_THAT(Offered({command->get_name(), "-"}), Contains("--" + option->get_single_name()))
            << command->get_name();
      }
    }
  }
  EXPECT_THAT(Offered({"--"}), Contains("--server"));
  EXPECT_THAT(Offered({"--"}), Not(Contains("-q")));
  EXPECT_THAT(Offered({"wa"}), ElementsAre("watch", "wait"));
  EXPECT_THAT(Offered({"list", ""}), Contains("--state"));  // it has no arguments
}

TEST_F(CompleteTest, EveryFlagSaysWhatItsValueIs) {
  const std::set<std::string> things = {"ADDRESS",   "FILE",       "ID",       "JOB",   "KEY",
                                        "KEY=VALUE", "KIND",       "LANGUAGE", "MONTH", "N",
                                        "NAME",      "NAME=VALUE", "PART",     "STATE", "TEXT",
                                        "TIME",      "TOKEN",      "TYPE",     "URL"};
  std::vector<const CLI::App*> apps = {tree_.get()};
  for (const CLI::App* command : Commands()) apps.push_back(command);
  for (const CLI::App* app : apps) {
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_positional() || option->get_items_expected_max() == 0) continue;
      const std::string type = option->get_type_name();
      const std::string thing = type.substr(0, type.find(':'));
      EXPECT_TRUE(things.count(thing) == 1 || type.find('|') != type.npos)
          << app->get_name() << " --" << option->get_single_name() << ": " << type;
    }
  }
}

TEST_F(CompleteTest, ValuesAreThoseThatAreTaken) {
  for (const std::string& word : Offered({"list", "--state", ""}))
    EXPECT_TRUE(ParseState(word)) << word;
  EXPECT_EQ(Offered({"list", "--state", ""}).size(), 10u);
  for (const std::string& word : Offered({"list", "--kind", ""}))
    EXPECT_TRUE(ParseKind(word)) << word;
  EXPECT_EQ(Offered({"list", "--kind", ""}).size(), 6u);
  for (const std::string& word : Offered({"result", "j", "--part", ""}))
    EXPECT_TRUE(ParsePart(word)) << word;
  EXPECT_EQ(Offered({"result", "j", "--part", ""}).size(), 6u);
  EXPECT_THAT(Offered({"list", "-o", ""}), ElementsAre("wide", "id", "json"));
  EXPECT_THAT(Offered({"list", "--color", "a"}), ElementsAre("auto", "always"));
  EXPECT_THAT(Offered({"list", "--color=a"}), ElementsAre("--color=auto", "--color=always"));
  EXPECT_THAT(Offered({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(Offered({"template", "u"}), ElementsAre("upload", "update"));
  EXPECT_THAT(Offered({"preview", "--aspect-ratio", "1:"}), ElementsAre("1:1"));
  EXPECT_THAT(Offered({"video", "--duration", ""}), ElementsAre("4s", "5s", "8s"));
  EXPECT_THAT(Offered({"list", "--timeout", ""}), IsEmpty());
}

TEST_F(CompleteTest, FilesWhereFilesAreMeant) {
  for (const Words& words : std::vector<Words>{{"submit", ""},
                                               {"--tls-ca", ""},
                                               {
                                                   "list",
                                                   "--tls-ca=",
                                               },
                                               {"render", "x"},
                                               {"render", "--storyboard", ""},
                                               {"template", "upload", ""},
                                               {"upload", "a"},
                                               {"result", "j", "-o", ""},
                                               {"update-preview", "j", ""}}) {
    EXPECT_TRUE(Complete(words).files) << words.back();
  }
  for (const Words& words : std::vector<Words>{{""},
                                               {"watch", ""},
                                               {"submit", "-"},
                                               {"submit", "a", ""},
                                               {"list", "--since", ""},
                                               {"nonsense", ""}}) {
    EXPECT_FALSE(Complete(words).files) << words.front();
  }
}

TEST_F(CompleteTest, JobsThatTheCommandIsOfUseFor) {
  const auto wanted = [this](const Words& words) { return Complete(words).jobs; };
  EXPECT_EQ(wanted({"list", ""}), std::nullopt);
  EXPECT_EQ(wanted({"open", "j", ""}), std::nullopt);
  EXPECT_EQ(wanted({"--server", ""}), std::nullopt);
  const auto watch = wanted({"watch", "j1", ""});
  ASSERT_TRUE(watch);
  ASSERT_EQ(watch->states.size(), 2u);
  EXPECT_THAT(watch->states[0], Contains(v1::JOB_STATE_RUNNING));
  EXPECT_THAT(watch->states[0], Not(Contains(v1::JOB_STATE_FAILED)));
  EXPECT_THAT(watch->states[1], Contains(v1::JOB_STATE_FAILED));
  EXPECT_THAT(watch->named, ElementsAre("j1"));
  EXPECT_THAT(wanted({"resolve", ""})->states, ElementsAre(ElementsAre(v1::JOB_STATE_UNCONFIRMED)));
  EXPECT_EQ(wanted({"render", ""})->kind, v1::JOB_KIND_PREVIEW);
  EXPECT_EQ(wanted({"render", "--preview-job", ""})->kind, v1::JOB_KIND_PREVIEW);
  EXPECT_EQ(wanted({"render", "--preview-job=01"})->kind, v1::JOB_KIND_PREVIEW);
  EXPECT_EQ(wanted({"summarize", ""})->kind, v1::JOB_KIND_TRANSCRIPTION);
}

TEST_F(CompleteTest, TheWordsSayWhichGatewayIsMeant) {
  EXPECT_THAT(
      Complete({"--server", "h:1", "watch", "--tls-ca='a b'", "--timeout", "9s", "--json", ""})
          .gateway_flags,
      ElementsAre("--server", "h:1", "--tls-ca", "a b"));
  EXPECT_THAT(Complete({"watch", "--server", "\"$(x)\"", ""}).gateway_flags,
              ElementsAre("--server", "\"$(x)\""));
}

TEST_F(CompleteTest, WhatIsGivenIsNotOfferedAgain) {
  EXPECT_THAT(Offered({"list", "--all", "--"}), Not(Contains("--all")));
  EXPECT_THAT(Offered({"list", "--all", "--"}), Not(Contains("--limit")));  // cannot both be given
  EXPECT_THAT(Offered({"list", "--state", "failed", "--json", "--"}), Contains("--state"));
  EXPECT_THAT(Offered({"video", "--reference", "u", "--"}), Contains("--reference"));
  EXPECT_THAT(Offered({"list", "--json", "--"}), Not(Contains("--json")));
  EXPECT_THAT(Offered({"watch", "--", "-"}), IsEmpty());
}

TEST_F(CompleteTest, NoWordNeedsQuotesAndNoTextSteersATerminal) {
  Completion completion;
  const auto line = [&](const char* word, const char* about) {
    return CompletionLine(completion, {word, about});
  };
  for (const char* word : {"", "a b", "$(touch x)", "`x`", "a;b", "a\x1b[2J", "a\tb", "a\nb", "é",
                           "*", "~", "'", "\\"}) {
    EXPECT_EQ(line(word, "x"), "") << word;
  }
  EXPECT_EQ(line("01hx", "a\x1b[31mb\tc\nd"), "01hx\ta [31mb c d\n");
  EXPECT_LT(line("01hx", std::string(1000, 'a').c_str()).size(), 100u);
}

TEST_F(CompleteTest, ThereIsAScriptForEachShell) {
  for (const std::string& shell : CompletedShells()) {
    EXPECT_THAT(std::string(CompletionScript(shell)),
                ::testing::HasSubstr(std::string("words of `pictory` in ") + shell));
    EXPECT_THAT(std::string(CompletionScript(shell)), ::testing::HasSubstr(kCompleteCommand));
  }
}

}  // namespace
}  // namespace pictory_jobs::cli
