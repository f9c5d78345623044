#include <unistd.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "base/limits.h"
#include "command_tree.h"
#include "help.h"
#include "invocation.h"
#include "refusal.h"
#include "submit_commands.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

// The caller's API key for the gateway, and the caller's own for Pictory. The gateway's own for
// Pictory is PICTORY_API_KEY.
constexpr char kKeyVariable[] = "PICTORY_GATEWAY_KEY";
constexpr char kCallerKeyVariable[] = "PICTORY_CALLER_KEY";

[[noreturn]] void Wrong(const std::string& what) { throw CLI::ValidationError(what); }

// Makes values of `words` by `parse`.
template <class Value, class Parse>
void Interpret(const std::vector<std::string>& words, const char* flag, const std::string& known,
               Parse parse, std::vector<Value>& values) {
  for (const std::string& word : words) {
    const auto value = parse(word);
    if (!value) Wrong(flag + (": one of " + known) + ", not '" + word + "'");
    values.push_back(*value);
  }
}

void InterpretLabels(const Raw& raw) {
  for (const std::string& label : raw.labels) {
    const std::size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0)
      Wrong("--label: write key=value, not '" + label + "'");
    if (!raw.to->labels.emplace(label.substr(0, equals), label.substr(equals + 1)).second) {
      Wrong("--label: '" + label.substr(0, equals) + "' is given twice");
    }
  }
}

void InterpretMonth(const std::string& text, Invocation& to) {
  if (text.empty()) return;
  const bool shaped = text.size() == 7 && text[4] == '-' &&
                      std::count_if(text.begin(), text.end(),
                                    [](unsigned char c) { return std::isdigit(c) != 0; }) == 6;
  if (shaped) {
    to.year = std::stoi(text.substr(0, 4));
    to.month = std::stoi(text.substr(5));
  }
  if (!shaped || to.year < 2000 || to.month < 1 || to.month > 12) {
    Wrong("--month: write a month such as 2026-05, not '" + text + "'");
  }
}

void InterpretColor(const std::string& word, Invocation& to) {
  if (word == "always") {
    to.color = Color::kAlways;
  } else if (word == "never") {
    to.color = Color::kNever;
  }
}

std::optional<absl::Time> InterpretTime(const char* flag, const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::optional<absl::Time> time = ParseSince(text, absl::Now(), absl::LocalTimeZone());
  if (!time) {
    Wrong(std::string(flag) +
          ": write a time ago such as 2h or 7d, or a date such as 2026-05-01 or "
          "2026-05-01T14:30, not '" +
          text + "'");
  }
  return time;
}

void InterpretList(const Raw& raw, Invocation& to) {
  to.since = InterpretTime("--since", raw.since);
  to.before = InterpretTime("--before", raw.before);
  if (raw.format == "json") {
    to.json = true;
  } else if (raw.format == "wide") {
    to.format = ListFormat::kWide;
  } else if (raw.format == "id") {
    to.format = ListFormat::kIds;
  }
}

// Where the file of a template stands depends on what is done with it.
void InterpretTemplate(Invocation& to) {
  if (to.command != Command::kTemplate) return;
  const std::string& action = to.action;
  if ((action == "list") != to.source.empty()) {
    Wrong("template " + action +
          (action == "list"     ? ": takes no more"
           : action == "upload" ? ": give a FILE"
                                : ": give the template's ID"));
  }
  if ((action == "update") != !to.template_file.empty()) {
    Wrong("template " + action +
          (action == "update" ? ": give the FILE with the scenes" : ": takes no more"));
  }
  if (action == "upload") std::swap(to.source, to.template_file);
}

void CheckWebhooks(const Invocation& to) {
  if (to.command != Command::kWebhooks) return;
  if (to.action == "list" && (!to.jobs.empty() || to.all)) {
    Wrong("webhooks list: takes no JOB and no --all");
  }
  if (to.action == "replay" && to.pending) Wrong("webhooks replay: takes no --pending");
  if (to.action == "replay" && to.jobs.empty() && !to.all) {
    Wrong("webhooks replay: give a JOB, or --all");
  }
}

bool MayBeDeleted(JobState state) { return IsFinal(state) || state == v1::JOB_STATE_WAITING; }

// Pictory says, or a person, that the job made nothing; of an EXPIRED one nobody says it.
bool MayBeResubmitted(JobState state) {
  return state == v1::JOB_STATE_FAILED || state == v1::JOB_STATE_CANCELLED ||
         state == v1::JOB_STATE_EXPIRED || state == v1::JOB_STATE_OUTCOME_UNKNOWN;
}

// Where jobs are chosen and not named, something must choose them.
void CheckChoice(const Invocation& to) {
  const bool removes = to.command == Command::kDelete;
  if (!removes && to.command != Command::kResolve && to.command != Command::kResubmit) return;
  const std::string name = removes                           ? "delete"
                           : to.command == Command::kResolve ? "resolve"
                                                             : "resubmit";
  for (const JobState state : to.states) {
    if (removes ? MayBeDeleted(state) : MayBeResubmitted(state)) continue;
    Wrong(name + ": a job that is " + StateWord(state) +
          (removes ? " cannot be deleted: it has not ended" : " is not to be submitted again"));
  }
  if (to.command == Command::kResubmit || !to.chooses()) return;
  if (!to.adopt.empty()) Wrong("resolve: --adopt needs the JOB that it is about");
  const bool chosen = to.all || !to.states.empty() || !to.kinds.empty() || !to.labels.empty() ||
                      to.since || to.before;
  if (!chosen) {
    Wrong(name + ": name a JOB, or choose jobs by " + (removes ? "--state, " : "") +
          "--kind, --label, --since and --before, or --all");
  }
}

void CheckSources(const Invocation& to, const CLI::App& app) {
  if (to.submit != nullptr && to.submit->check != nullptr) {
    if (const std::string wrong = to.submit->check(to); !wrong.empty()) Wrong(wrong);
  } else if (to.command == Command::kBatch || to.command == Command::kResubmit) {
    std::error_code error;
    const bool unnamed = to.source == "-" || (std::filesystem::exists(to.source, error) &&
                                              !std::filesystem::is_regular_file(to.source, error));
    if (unnamed && to.batch_name.empty() && !to.check_only) {
      Wrong(
          "what comes from stdin or a pipe has no name; give it one with --batch NAME, the "
          "same when it is submitted again");
    }
  } else if (to.command == Command::kResult) {
    if (!to.output.empty() && !to.part && !to.download)
      Wrong("--output: needs --part or --download");
  } else if (to.command == Command::kResolve) {
    if (app.get_subcommand("resolve")->count("--adopt") > 0 && to.adopt.empty()) {
      Wrong("--adopt: needs the id of a job of Pictory's");
    }
  }
}

// A gateway that is named wrongly must not become the one of this machine, which may be another
// account's. The gateway's own variables are not read here.
void CheckServer(const Invocation& to, const CLI::App& app) {
  if (app.count("--server") > 0) {  // or the variable, if it is not empty
    if (to.server.find_first_not_of(" \t\r\n") != std::string::npos) return;
    Wrong("--server (or PICTORY_GATEWAY) is empty; give host:port, or leave it out");
  }
  if (std::getenv("PICTORY_GATEWAY") != nullptr) {
    Wrong("PICTORY_GATEWAY: is set, but empty; set it to host:port, or unset it");
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    std::string upper = name;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (name == kKeyVariable || name == kCallerKeyVariable) continue;
    const std::string nearest = Nearest(
        upper, std::vector<std::string>{"PICTORY_GATEWAY", kKeyVariable, kCallerKeyVariable});
    if (nearest.empty()) continue;
    Wrong(OneLine(name) + ": there is no such variable; did you mean " + nearest + "?");
  }
}

// A key stands in no argument: everybody on the machine could read it there.
void TakeKey(const std::string& variable, const std::string& flag, const std::string& file,
             std::string& key) {
  const char* const value = std::getenv(variable.c_str());
  if (value == nullptr) return;
  if (!file.empty()) Wrong(flag + ": " + variable + " is set, too; keep one of them");
  key = value;
  if (key.empty()) Wrong(variable + ": is set, but empty; set it to your key, or unset it");
}

// The variable that programs with OpenSSL and curl take their authorities from.
void TakeAuthorities(Invocation& to) {
  const char* const file = std::getenv("SSL_CERT_FILE");
  if (file != nullptr) to.env_ca = file;
  if (to.media_ca.empty()) to.media_ca = to.env_ca;
}

void InterpretAll(const Raw& raw, const CLI::App& app) {
  Invocation& to = *raw.to;
  if (!raw.timeout.empty()) {
    to.timeout = ParseDuration(raw.timeout);
    if (!to.timeout)
      Wrong("--timeout: write a time such as 90s, 10m or 2h, not '" + raw.timeout + "'");
  }
  if (!raw.stream.empty()) {
    const auto stream =
        raw.stream == "0" ? std::optional(std::chrono::milliseconds(0)) : ParseDuration(raw.stream);
    if (!stream) Wrong("--stream: write a time such as 20s or 2m, or 0, not '" + raw.stream + "'");
    to.stream = *stream;
  }
  InterpretColor(raw.color, to);
  InterpretList(raw, to);
  if (!raw.part.empty()) {
    to.part = ParsePart(raw.part);
    if (!to.part) {
      Wrong("--part: one of txt, srt, vtt, result-json, render-params and transcript, not '" +
            raw.part + "'");
    }
  }
  if (to.tls_cert.empty() != to.tls_key.empty()) Wrong("--tls-cert and --tls-key need each other");
  Interpret(raw.states, "--state", help::kStates, ParseState, to.states);
  Interpret(raw.kinds, "--kind", KindWords(", "), ParseKind, to.kinds);
  InterpretLabels(raw);
  InterpretMonth(raw.month, to);
  InterpretTemplate(to);
  CheckWebhooks(to);
  CheckSources(to, app);
  CheckChoice(to);
  if (to.command == Command::kVersion || to.command == Command::kCompletion) return;
  CheckServer(to, app);
  TakeAuthorities(to);
  TakeKey(kKeyVariable, "--gateway-key-file", to.gateway_key_file, to.gateway_key);
  TakeKey(kCallerKeyVariable, "--caller-key-file", to.caller_key_file, to.caller_key);
}

// The help of the whole program, because App::help() would be that of the command `help` itself.
std::string OfWhole(const CLI::App& app) {
  return app.get_formatter()->make_help(&app, "pictory", CLI::AppFormatMode::Normal);
}

// The help for `pictory COMMAND --help` and `pictory help COMMAND`; of the whole program where no
// command is named.
Finished HelpOn(const CLI::App& app, const std::string& command) {
  if (command.empty() || command == "help") return {kSucceeded, OfWhole(app), ""};
  const std::vector<std::string> names = CommandNames(app);
  if (std::find(names.begin(), names.end(), command) == names.end()) {
    return Refusal(app, NoSuchCommand(app, command), false);
  }
  return {kSucceeded, app.get_subcommand(command)->help("pictory"), ""};
}

// Whether --json is among the arguments, for when they could not be parsed.
bool WantsJson(int argc, const char* const* argv) {
  return std::any_of(argv + 1, argv + argc,
                     [](const char* word) { return std::string_view(word) == "--json"; });
}

// How long a shell waits for ids of jobs. What is no number counts as none: nobody is there to be
// told.
std::chrono::milliseconds CompletionDeadline() {
  const char* const value = std::getenv("PICTORY_COMPLETION_SECONDS");
  double seconds = 0;
  if (value == nullptr || !absl::SimpleAtod(value, &seconds) || !(seconds > 0)) {
    return gateway::limits::kCompletionDeadline;
  }
  constexpr double kMax =
      std::chrono::duration<double>(gateway::limits::kCompletionDeadlineMax).count();
  return std::chrono::milliseconds(static_cast<int>(std::min(seconds, kMax) * 1000));
}

// What a shell gets that completes a word. Jobs are asked for as `pictory list` would with the
// words' flags; where that makes no sense, there are none.
std::variant<Invocation, Finished> ParseTyped(const std::vector<std::string>& words) {
  Invocation unused;
  Raw raw;
  raw.to = &unused;
  Completion completion = CompletionOf(*MakeCommandTree(raw), words);
  Finished without_jobs{kSucceeded, CompletionHead(completion), ""};
  if (!completion.jobs) return without_jobs;
  std::vector<const char*> list = {"pictory", "list"};
  for (const std::string& flag : completion.gateway_flags) list.push_back(flag.c_str());
  auto parsed = ParseArgs(static_cast<int>(list.size()), list.data());
  auto* const invocation = std::get_if<Invocation>(&parsed);
  if (invocation == nullptr) return without_jobs;
  invocation->command = Command::kComplete;
  invocation->completion = std::move(completion);
  invocation->timeout = CompletionDeadline();
  return parsed;
}

}  // namespace

std::variant<Invocation, Finished> ParseArgs(int argc, const char* const* argv) {
  if (argc > 1 && std::string_view(argv[1]) == kCompleteCommand) {
    return ParseTyped(std::vector<std::string>(argv + 2, argv + argc));
  }
  Invocation invocation;
  Raw raw;
  raw.to = &invocation;
  const std::unique_ptr<CLI::App> tree = MakeCommandTree(raw);
  CLI::App& app = *tree;
  try {
    app.parse(argc, argv);
    if (app.got_subcommand("help")) return HelpOn(app, raw.help_on);
    if (app.get_subcommands().empty()) Wrong("say what to do, such as `pictory list`");
    InterpretAll(raw, app);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    return HelpOn(app, chosen.empty() ? "" : chosen.front()->get_name());
  } catch (const CLI::CallForVersion& version) {
    return Finished{kSucceeded, std::string(version.what()) + "\n", ""};
  } catch (const CLI::ParseError& error) {
    return Refusal(app, WhatIsWrong(app, error), WantsJson(argc, argv));
  }
  return invocation;
}

}  // namespace pictory_jobs::cli
