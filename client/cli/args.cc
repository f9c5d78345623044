#include <unistd.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/substitute.h"
#include "base/limits.h"
#include "help.h"
#include "invocation.h"
#include "refusal.h"
#include "submit_commands.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

// The flags as they are given, before they are checked.
struct Raw {
  Invocation* to = nullptr;
  std::string timeout;
  std::string stream;
  std::string part;
  std::string month;
  std::vector<std::string> labels;
  std::vector<std::string> states;
  std::vector<std::string> kinds;
  std::string help_on;  // `pictory help COMMAND`
};

// The caller's API key for the gateway, and the caller's own for Pictory. The gateway's own for
// Pictory is PICTORY_API_KEY.
constexpr char kKeyVariable[] = "PICTORY_GATEWAY_KEY";
constexpr char kCallerKeyVariable[] = "PICTORY_CALLER_KEY";

[[noreturn]] void Wrong(const std::string& what) { throw CLI::ValidationError(what); }

// Has texts printed with the lines they have. CLI11 breaks them anew since 2.5.
template <class Formatter>
void KeepLines(Formatter& formatter) {
  if constexpr (requires { formatter.enable_footer_formatting(false); }) {
    formatter.enable_footer_formatting(false);
    formatter.enable_description_formatting(false);
  }
}

CLI::App* Add(CLI::App& app, Invocation& to, Command command, const char* name, const char* about,
              const std::string& footer) {
  CLI::App* sub = app.add_subcommand(name, about);
  sub->footer(footer);
  sub->callback([&to, command] { to.command = command; });
  return sub;
}

void AddCommon(CLI::App& app, Raw& raw) {
  Invocation& to = *raw.to;
  app.add_option("--server", to.server, "The gateway: host:port, or https://host[:port]")
      ->envname("PICTORY_GATEWAY");
  app.add_option("--gateway-key-file", to.gateway_key_file,
                 "File whose first line is your API key for the gateway; or set "
                 "PICTORY_GATEWAY_KEY");
  app.add_option("--caller-key-file", to.caller_key_file,
                 "File whose first line is your own API key of Pictory's, for a gateway whose "
                 "callers pay; or set PICTORY_CALLER_KEY");
  app.add_option("--tls-ca", to.tls_ca, "TLS, and trust the authorities of this PEM file");
  app.add_option("--tls-cert", to.tls_cert, "TLS with this certificate of ours (PEM file)");
  app.add_option("--tls-key", to.tls_key, "Its key (PEM file)");
  app.add_flag("--json", to.json, "Print JSON, one object a line");
  app.add_flag("-q,--quiet", to.quiet, "Nothing on stderr but errors");
  app.add_option("--timeout", raw.timeout, "Stop waiting after this time: 90, 90s, 10m, 2h");
}

void AddSubmitFlags(CLI::App* sub, Raw& raw) {
  Invocation& to = *raw.to;
  sub->add_option("--request-id", to.request_id, "Idempotency key: 1-64 of A-Z a-z 0-9 _ -");
  sub->add_option("--label", raw.labels, "Kept with the job: key=value; repeatable")
      ->allow_extra_args(false);
  sub->add_flag("--allow-unknown-fields", to.allow_unknown_fields,
                "Send fields of the file that are not known");
  CLI::Option* watch = sub->add_flag("--watch", to.watch, "Show progress until the job is done");
  sub->add_flag("--wait", to.wait, "Wait silently until the job is done")->excludes(watch);
}

void AddSubmits(CLI::App& app, Raw& raw) {
  for (const SubmitCommand& submit : SubmitCommands()) {
    CLI::App* command = app.add_subcommand(submit.name, submit.about);
    command->footer(std::string(help::kSubmit) + submit.examples);
    command->callback([to = raw.to, &submit] {
      to->command = Command::kSubmit;
      to->submit = &submit;
    });
    submit.add_options(*command, *raw.to);
    AddSubmitFlags(command, raw);
  }
}

void AddBatch(CLI::App& app, Raw& raw) {
  Invocation& to = *raw.to;
  CLI::App* batch =
      Add(app, to, Command::kBatch, "submit", "Submit many jobs from one file", help::kBatch);
  batch->add_option("FILE", to.source, "One JSON object a line; - is stdin")->required();
  to.parallel = gateway::limits::kBatchParallel;
  batch->add_option("--batch", to.batch_name,
                    "Name that the request_ids are made of (the file's, without its folders)");
  batch->add_option("--parallel", to.parallel, "Submits at once (8)")
      ->check(AboveZero())
      ->check(CLI::Range(1, gateway::limits::kBatchParallelMax));
  batch->add_option("--label", raw.labels, "Kept with each job: key=value; repeatable")
      ->allow_extra_args(false);
  batch->add_flag("--allow-unknown-fields", to.allow_unknown_fields,
                  "Send fields of the bodies that are not known");
  batch->add_flag("--keep-going", to.keep_going, "Leave bad lines out and submit the others");
  CLI::Option* check = batch->add_flag("--check", to.check_only, "Only look for bad lines");
  batch->add_flag("--watch", to.watch, "Go on until all jobs are done")->excludes(check);
}

void AddJobCommands(CLI::App& app, Raw& raw) {
  Invocation& to = *raw.to;
  const auto one_job = [&to](CLI::App* sub) {
    sub->add_option("JOB", to.jobs, "The gateway's id of the job, or Pictory's")
        ->required()
        ->expected(1);
  };
  const auto jobs = [&to](CLI::App* sub) {
    sub->add_option("JOB", to.jobs, "One job or several")->required();
  };

  CLI::App* get = Add(app, to, Command::kGet, "get", "Show jobs", help::kGet);
  jobs(get);
  get->add_flag("--full", to.full, "With texts and all else up to 3 MiB");

  CLI::App* list = Add(app, to, Command::kList, "list", "Show jobs",
                       absl::Substitute(help::kList, KindWords(" ")));
  list->add_option("--state", raw.states, "Only in this state")->allow_extra_args(false);
  list->add_option("--kind", raw.kinds, "Only of this kind")->allow_extra_args(false);
  list->add_option("--label", raw.labels, "Only with this key=value")->allow_extra_args(false);
  CLI::Option* limit =
      list->add_option("--limit", to.limit, "At most so many (50)")->check(AboveZero());
  list->add_flag("--all", to.all, "All of them")->excludes(limit);

  jobs(Add(app, to, Command::kWatch, "watch", "Show the progress of jobs until they are done",
           help::kWatch));
  jobs(Add(app, to, Command::kWait, "wait", "Wait silently until jobs are done", help::kWait));

  CLI::App* result =
      Add(app, to, Command::kResult, "result", "Show or fetch a job's result", help::kResult);
  one_job(result);
  CLI::Option* part = result->add_option("--part", raw.part, "This part, byte for byte");
  result->add_option("-o,--output", to.output, "Into this file; - is standard output");
  CLI::Option* download =
      result
          ->add_flag("--download", to.download, "The file itself: of a render, a video or an image")
          ->excludes(part);
  result
      ->add_option("--max-mib", to.max_mib, "MiB that the video may have (65536, which is 64 GiB)")
      ->check(AboveZero())
      ->needs(download);

  CLI::App* resolve =
      Add(app, to, Command::kResolve, "resolve", "Settle an UNCONFIRMED job", help::kResolve);
  one_job(resolve);
  CLI::Option* adopt = resolve->add_option("--adopt", to.adopt, "It is this job of Pictory's");
  resolve->add_flag("--abandon", to.abandon, "Give it up")->excludes(adopt);

  jobs(Add(app, to, Command::kDelete, "delete", "Remove finished jobs, or cancel a waiting one",
           help::kDelete));

  CLI::App* update = Add(app, to, Command::kUpdatePreview, "update-preview",
                         "Change a finished preview before it is rendered", help::kUpdatePreview);
  update->add_option("JOB", to.preview_job, "The preview: the gateway's id, or Pictory's")
      ->required();
  update->add_option("FILE", to.source, "JSON array of the changed elements; - is stdin")
      ->required();

  CLI::App* projects = Add(app, to, Command::kProjects, "projects",
                           "Show the projects saved at Pictory", help::kProjects);
  CLI::Option* project = projects->add_option("PROJECT", to.source, "This one, in full");
  projects->add_option("--page-token", to.page_token, "From this page on, where a list ended early")
      ->excludes(project);
  CLI::App* account = Add(app, to, Command::kAccount, "account",
                          "Show the Pictory account's quota and charges", help::kAccount);
  account->add_option("--month", raw.month, "The charges of this month, such as 2026-05, in UTC");
  account->add_option("--by", to.by_label, "Also what jobs have told, by this label's values");
  CLI::App* templates = Add(app, to, Command::kTemplate, "template",
                            "Show, upload, change and delete templates", help::kTemplate);
  templates->add_option("ACTION", to.action, "list, get, upload, update or delete")
      ->required()
      ->check(CLI::IsMember({"list", "get", "upload", "update", "delete"}));
  templates->add_option("ID|FILE", to.source, "The template; of an upload the .pictai file");
  templates->add_option("FILE", to.template_file, "Of an update: the scenes, as a JSON array");

  CLI::App* upload =
      Add(app, to, Command::kUpload, "upload", "Send a file to Pictory", help::kUpload);
  upload->add_option("FILE", to.source, "Media, a picture or slides")->required();
  upload->add_option("--content-type", to.content_type,
                     "Such as video/webm, where the file's name does not show it");
  Add(app, to, Command::kUsageOf, "usage", "Show what was used of the limits", help::kUsageOf)
      ->add_option("--by", to.by_label, "Also the credits of all jobs by this label's values");
  Add(app, to, Command::kDoctor, "doctor", "Look for what is in the way", help::kDoctor)
      ->add_option("--stream", raw.stream, "Hold a stream open so long (20s); 0: none");
  Add(app, to, Command::kVersion, "version", "Show the version", "");
  app.add_subcommand("help", "Show this help, or that of a command")
      ->add_option("COMMAND", raw.help_on, "A command");
}

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

void CheckSources(const Invocation& to, const CLI::App& app) {
  if (to.submit != nullptr && to.submit->check != nullptr) {
    if (const std::string wrong = to.submit->check(to); !wrong.empty()) Wrong(wrong);
  } else if (to.command == Command::kBatch) {
    if (to.source == "-" && to.batch_name.empty() && !to.check_only) {
      Wrong(
          "submit: what comes from stdin has no name; give it one with --batch NAME, the same "
          "when it is submitted again");
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
  CheckSources(to, app);
  if (to.command == Command::kVersion) return;
  CheckServer(to, app);
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

}  // namespace

std::variant<Invocation, Finished> ParseArgs(int argc, const char* const* argv) {
  Invocation invocation;
  Raw raw;
  raw.to = &invocation;
  CLI::App app(help::kAbout, "pictory");
  app.footer(help::kMain);
  const auto formatter = std::make_shared<CLI::Formatter>();
  KeepLines(*formatter);
  app.formatter(formatter);
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.set_help_flag("-h,--help", "Show this help");
  app.set_version_flag("-V,--version", std::string("pictory ") + PICTORY_VERSION);
  AddCommon(app, raw);
  AddSubmits(app, raw);
  AddBatch(app, raw);
  AddJobCommands(app, raw);
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
