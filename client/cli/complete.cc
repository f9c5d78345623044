#include "complete.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "refusal.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kAboutColumns = 72;

template <class Descriptor, class Word>
void AddValues(const Descriptor& values, Word word, std::vector<Candidate>& out) {
  for (int i = 1; i < values.value_count(); ++i) {  // 0 is UNSPECIFIED
    out.push_back({absl::AsciiStrToLower(absl::StrReplaceAll(word(i), {{"_", "-"}})), ""});
  }
}

std::vector<JobState> StatesThat(bool (*hold)(JobState)) {
  std::vector<JobState> states;
  for (int i = 1; i < v1::JobState_descriptor()->value_count(); ++i) {
    const auto state = static_cast<JobState>(v1::JobState_descriptor()->value(i)->number());
    if (hold(state)) states.push_back(state);
  }
  return states;
}

// The jobs that a command is of use for.
WantedJobs JobsFor(const std::string& command) {
  const auto unfinished = StatesThat([](JobState state) { return !IsFinal(state); });
  const auto finished = StatesThat([](JobState state) { return IsFinal(state); });
  const std::vector<JobState> succeeded = {v1::JOB_STATE_SUCCEEDED};
  if (command == "watch" || command == "wait") return {.states = {unfinished, finished}};
  if (command == "result" || command == "open") return {.states = {succeeded}};
  if (command == "resolve") return {.states = {{v1::JOB_STATE_UNCONFIRMED}}};
  if (command == "delete") return {.states = {finished, {v1::JOB_STATE_WAITING}}};
  if (command == "update-preview") return {v1::JOB_KIND_PREVIEW, {succeeded}};
  if (command == "render") return {v1::JOB_KIND_PREVIEW, {succeeded, unfinished}};
  if (command == "summarize") return {v1::JOB_KIND_TRANSCRIPTION, {succeeded, unfinished}};
  return {.states = {{}}};
}

// What bash gives as it was typed. A word with other quotes in it stays, and is no name of ours.
std::string Unquoted(const std::string& word) {
  const bool quoted = word.size() > 1 && (word[0] == '"' || word[0] == '\'') &&
                      word.back() == word[0] && word.find_first_of("\\$`") == word.npos;
  return quoted ? word.substr(1, word.size() - 2) : word;
}

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

bool Repeatable(const CLI::Option& option) {
  return option.get_items_expected_max() > 1 ||
         option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
}

class Completing {
 public:
  explicit Completing(const CLI::App& app) : app_(app) {}

  void Read(const std::string& word) {
    if (pending_ != nullptr) {
      Remember(*pending_, Unquoted(word));
      pending_ = nullptr;
    } else if (!only_arguments_ && word == "--") {
      only_arguments_ = true;
    } else if (!only_arguments_ && word.size() > 1 && word[0] == '-') {
      ReadOption(word);
    } else if (command_ == nullptr) {
      const auto known = CommandNames(app_);
      lost_ = lost_ || std::find(known.begin(), known.end(), Unquoted(word)) == known.end();
      if (!lost_) command_ = app_.get_subcommand(Unquoted(word));
    } else {
      arguments_.push_back(Unquoted(word));
    }
  }

  Completion Result(const std::string& word) {
    result_.typed = word;
    if (lost_) return result_;
    const std::size_t equals = word.find('=');
    if (pending_ != nullptr) {
      AddThings(pending_->get_type_name());
    } else if (!only_arguments_ && word.size() > 1 && word[0] == '-' && equals != word.npos) {
      result_.kept = word.substr(0, equals + 1);
      result_.typed = word.substr(equals + 1);
      const CLI::Option* const option = Find(word.substr(0, equals));
      if (option != nullptr && TakesValue(*option)) AddThings(option->get_type_name());
    } else if (!only_arguments_ && !word.empty() && word[0] == '-') {
      AddOptions();
    } else if (command_ == nullptr) {
      AddCommands();
    } else if (const CLI::Option* const argument = Argument(); argument != nullptr) {
      AddThings(argument->get_single_name() + "|" + argument->get_type_name());
    } else if (!only_arguments_) {
      AddOptions();
    }
    return result_;
  }

 private:
  // Flags of the whole program may stand behind the command, too.
  const CLI::Option* Find(const std::string& flag) const {
    const CLI::Option* own = command_ == nullptr ? nullptr : command_->get_option_no_throw(flag);
    return own != nullptr ? own : app_.get_option_no_throw(flag);
  }

  void ReadOption(const std::string& word) {
    const std::size_t equals = word.find('=');
    const CLI::Option* const option = Find(word.substr(0, equals));
    if (option == nullptr) return;
    given_.push_back(option);
    if (!TakesValue(*option)) return;
    if (equals == word.npos) {
      pending_ = option;
    } else {
      Remember(*option, Unquoted(word.substr(equals + 1)));
    }
  }

  void Remember(const CLI::Option& option, const std::string& value) {
    const std::string type = option.get_type_name();
    const std::string name = "--" + option.get_single_name();
    if (app_.get_option_no_throw(name) != &option || (type != "FILE" && type != "ADDRESS")) return;
    result_.gateway_flags.insert(result_.gateway_flags.end(), {name, value});
  }

  // The argument that the word is; null: there is none left.
  const CLI::Option* Argument() const {
    std::size_t before = arguments_.size();
    for (const CLI::Option* option : command_->get_options()) {
      if (!option->get_positional()) continue;
      if (before == 0 || option->get_items_expected_max() > 1) return option;
      --before;
    }
    return nullptr;
  }

  // `things` are kinds of things in capitals, and words as they are, with bars between them.
  void AddThings(const std::string& things) {
    for (const std::string& thing : std::vector<std::string>(absl::StrSplit(things, '|'))) {
      if (thing == "FILE") {
        result_.files = true;
      } else if (thing == "JOB") {
        result_.jobs = JobsFor(command_ == nullptr ? "" : command_->get_name());
        result_.jobs->named = arguments_;
      } else if (thing == "STATE") {
        const auto& states = *v1::JobState_descriptor();
        AddValues(
            states,
            [&](int i) { return StateWord(static_cast<JobState>(states.value(i)->number())); },
            result_.candidates);
      } else if (thing == "KIND") {
        const auto& kinds = *v1::JobKind_descriptor();
        AddValues(
            kinds, [&](int i) { return KindWord(static_cast<JobKind>(kinds.value(i)->number())); },
            result_.candidates);
      } else if (thing == "PART") {
        const auto& parts = *v1::ResultPart_descriptor();
        AddValues(
            parts,
            [&](int i) { return PartWord(static_cast<ResultPart>(parts.value(i)->number())); },
            result_.candidates);
      } else if (thing == "COMMAND") {
        AddCommands();
      } else if (std::none_of(thing.begin(), thing.end(),
                              [](unsigned char c) { return std::isupper(c) != 0; })) {
        result_.candidates.push_back({thing, ""});
      }
    }
  }

  void AddCommands() {
    for (const std::string& name : CommandNames(app_)) {
      result_.candidates.push_back({name, app_.get_subcommand(name)->get_description()});
    }
  }

  bool MayBeGiven(const CLI::Option& option) const {
    return std::none_of(given_.begin(), given_.end(), [&option](const CLI::Option* given) {
      return (given == &option && !Repeatable(option)) ||
             option.get_excludes().count(const_cast<CLI::Option*>(given)) > 0;
    });
  }

  void AddOptions() {
    for (const CLI::App* app : {command_, &app_}) {
      if (app == nullptr) continue;
      for (const CLI::Option* option : app->get_options()) {
        if (!MayBeGiven(*option)) continue;
        for (const std::string& name : option->get_lnames()) AddOption("--" + name, *option);
        for (const std::string& name : option->get_snames()) AddOption("-" + name, *option);
      }
    }
  }

  void AddOption(const std::string& word, const CLI::Option& option) {
    const auto same = [&word](const Candidate& candidate) { return candidate.word == word; };
    if (std::any_of(result_.candidates.begin(), result_.candidates.end(), same)) return;
    result_.candidates.push_back({word, option.get_description()});
  }

  const CLI::App& app_;
  const CLI::App* command_ = nullptr;
  const CLI::Option* pending_ = nullptr;  // its value comes next
  std::vector<const CLI::Option*> given_;
  std::vector<std::string> arguments_;  // of the command
  bool only_arguments_ = false;
  bool lost_ = false;  // there is no such command
  Completion result_;
};

// Whether a shell takes the word for itself, whatever it is set to.
bool IsPlain(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return c < 0x80 &&
           (std::isalnum(c) != 0 ||
            std::string_view("@%+=:,./_-").find(static_cast<char>(c)) != std::string_view::npos);
  });
}

}  // namespace

Completion CompletionOf(const CLI::App& app, const std::vector<std::string>& words) {
  Completing completing(app);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) completing.Read(words[i]);
  return completing.Result(words.empty() ? "" : words.back());
}

std::string CompletionHead(const Completion& completion) {
  std::string out = completion.files ? "files\n" : "words\n";
  for (const Candidate& candidate : completion.candidates) {
    out += CompletionLine(completion, candidate);
  }
  return out;
}

std::string CompletionLine(const Completion& completion, const Candidate& candidate) {
  const std::string word = completion.kept + candidate.word;
  if (candidate.word.rfind(completion.typed, 0) != 0 || !IsPlain(word)) return "";
  return absl::StrCat(word, "\t", Fit(OneLine(candidate.about), kAboutColumns), "\n");
}

}  // namespace pictory_jobs::cli
