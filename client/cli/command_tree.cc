#include "command_tree.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/substitute.h"
#include "base/limits.h"
#include "completion_scripts.h"
#include "help.h"
#include "refusal.h"
#include "submit_commands.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

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
      ->type_name("ADDRESS")
      ->envname("PICTORY_GATEWAY");
  app.add_option("--gateway-key-file", to.gateway_key_file,
                 "File whose first line is your API key for the gateway; or set "
                 "PICTORY_GATEWAY_KEY")
      ->type_name("FILE");
  app.add_option("--caller-key-file", to.caller_key_file,
                 "File whose first line is your own API key of Pictory's, for a gateway whose "
                 "callers pay; or set PICTORY_CALLER_KEY")
      ->type_name("FILE");
  app.add_option("--tls-ca", to.tls_ca, "TLS, and trust the authorities of this PEM file")
      ->type_name("FILE");
  app.add_option("--tls-cert", to.tls_cert, "TLS with this certificate of ours (PEM file)")
      ->type_name("FILE");
  app.add_option("--tls-key", to.tls_key, "Its key (PEM file)")->type_name("FILE");
  app.add_option("--media-ca", to.media_ca,
                 "Trust the authorities of this PEM file where files are fetched and sent")
      ->type_name("FILE");
  app.add_flag("--json", to.json, "Print JSON, one object a line");
  app.add_flag("-q,--quiet", to.quiet, "Nothing on stderr but errors");
  app.add_option("--timeout", raw.timeout, "Stop waiting after this time: 90, 90s, 10m, 2h")
      ->type_name("TIME");
  Choose(app.add_option("--color", raw.color, "auto: on a terminal, unless NO_COLOR is set"),
         {"auto", "always", "never"});
}

void AddSubmitFlags(CLI::App* sub, Raw& raw) {
  Invocation& to = *raw.to;
  sub->add_option("--request-id", to.request_id, "Idempotency key: 1-64 of A-Z a-z 0-9 _ -")
      ->type_name("ID");
  sub->add_option("--label", raw.labels, "Kept with the job: key=value; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--notify-url", to.notify_url,
                  "Have the gateway POST to this URL when the job has ended")
      ->type_name("URL");
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

// What a command chooses jobs by.
CLI::Option* AddState(CLI::App* sub, Raw& raw) {
  return sub->add_option("--state", raw.states, "Only in this state")
      ->type_name("STATE")
      ->allow_extra_args(false);
}
std::array<CLI::Option*, 2> AddKindAndLabel(CLI::App* sub, Raw& raw) {
  return {sub->add_option("--kind", raw.kinds, "Only of this kind")
              ->type_name("KIND")
              ->allow_extra_args(false),
          sub->add_option("--label", raw.labels, "Only with this key=value")
              ->type_name("KEY=VALUE")
              ->allow_extra_args(false)};
}
std::array<CLI::Option*, 3> AddFilter(CLI::App* sub, Raw& raw) {
  CLI::Option* const state = AddState(sub, raw);
  const auto [kind, label] = AddKindAndLabel(sub, raw);
  return {state, kind, label};
}

// When they were created.
std::array<CLI::Option*, 2> AddTimes(CLI::App* sub, Raw& raw) {
  return {sub->add_option("--since", raw.since,
                          "Only created since then: 2h, 7d, 2026-05-01, or a time")
              ->type_name("TIME"),
          sub->add_option("--before", raw.before, "Only created before then, written alike")
              ->type_name("TIME")};
}

void AddYes(CLI::App* sub, Raw& raw) {
  sub->add_flag("--yes", raw.to->yes, "Do it; without, it is only told what would be done");
}

// Adds what jobs are chosen by in place of a JOB, to which something is done then.
void AddChoice(CLI::App* sub, Raw& raw, CLI::Option* job) {
  for (CLI::Option* filter : AddKindAndLabel(sub, raw)) filter->excludes(job);
  for (CLI::Option* time : AddTimes(sub, raw)) time->excludes(job);
  sub->add_flag("--all", raw.to->all, "All there are")->excludes(job);
  AddYes(sub, raw);
}

void AddBatchFlags(CLI::App* sub, Raw& raw) {
  Invocation& to = *raw.to;
  to.parallel = gateway::limits::kBatchParallel;
  sub->add_option("--batch", to.batch_name,
                  "Name that the request_ids are made of (the file's, without its folders)")
      ->type_name("NAME");
  sub->add_option("--parallel", to.parallel, "Submits at once (8)")
      ->type_name("N")
      ->check(AboveZero())
      ->check(CLI::Range(1, gateway::limits::kBatchParallelMax));
  sub->add_flag("--allow-unknown-fields", to.allow_unknown_fields,
                "Send fields of the bodies that are not known");
}

void AddBatch(CLI::App& app, Raw& raw) {
  Invocation& to = *raw.to;
  CLI::App* batch =
      Add(app, to, Command::kBatch, "submit", "Submit many jobs from one file", help::kBatch);
  batch->add_option("FILE", to.source, "One JSON object a line; - is stdin")->required();
  AddBatchFlags(batch, raw);
  batch->add_option("--label", raw.labels, "Kept with each job: key=value; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  batch->add_flag("--keep-going", to.keep_going, "Leave bad lines out and submit the others");
  batch->add_flag("--changed", to.changed,
                  "Submit new lines although lines that were submitted before are changed or gone");
  CLI::Option* check = batch->add_flag("--check", to.check_only, "Only look for bad lines");
  batch->add_flag("--watch", to.watch, "Go on until all jobs are done")->excludes(check);
}

void AddResubmit(CLI::App& app, Raw& raw) {
  Invocation& to = *raw.to;
  CLI::App* again = Add(app, to, Command::kResubmit, "resubmit",
                        "Submit the lines of a file again whose jobs have failed", help::kResubmit);
  again->add_option("FILE", to.source, "The file of `pictory submit`; - is stdin")->required();
  AddBatchFlags(again, raw);
  AddFilter(again, raw);
  AddTimes(again, raw);
  AddYes(again, raw);
  again->add_flag("--watch", to.watch, "Go on until all jobs are done");
}

// The name of an argument says what it is, and needs no `TEXT` behind it.
void NameNoTypes(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    for (CLI::Option* option : command->get_options()) {
      if (option->get_positional() && option->get_type_name() == "TEXT") option->type_name("");
    }
  }
}

void AddJobCommands(CLI::App& app, Raw& raw) {
  Invocation& to = *raw.to;
  const auto one_job = [&to](CLI::App* sub) {
    sub->add_option("JOB", to.jobs, "The job: its id, the beginning of it, Pictory's id, or @last")
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
  AddFilter(list, raw);
  CLI::Option* limit = list->add_option("--limit", to.limit, "At most so many (50)")
                           ->type_name("N")
                           ->check(AboveZero());
  CLI::Option* all = list->add_flag("--all", to.all, "All of them")->excludes(limit);
  AddTimes(list, raw);
  Choose(list->add_option("-o,--output", raw.format, "wide: with times and all ids"),
         {"wide", "id", "json"});
  list->add_flag("--watch", to.watch, "Go on, with a line for each job that is new or has changed")
      ->excludes(all);

  CLI::App* watch = Add(app, to, Command::kWatch, "watch",
                        "Show the progress of jobs until they are done", help::kWatch);
  CLI::Option* named = watch->add_option("JOB", to.jobs, "One job or several; none: all of them");
  for (CLI::Option* filter : AddFilter(watch, raw)) filter->excludes(named);
  jobs(Add(app, to, Command::kWait, "wait", "Wait silently until jobs are done", help::kWait));

  CLI::App* result =
      Add(app, to, Command::kResult, "result", "Show or fetch a job's result", help::kResult);
  one_job(result);
  CLI::Option* part =
      result->add_option("--part", raw.part, "This part, byte for byte")->type_name("PART");
  result->add_option("-o,--output", to.output, "Into this file; - is standard output")
      ->type_name("FILE");
  CLI::Option* download =
      result
          ->add_flag("--download", to.download, "The file itself: of a render, a video or an image")
          ->excludes(part);
  result
      ->add_option("--file", to.file,
                   "This file, as the gateway's archive names it: video.srt, thumbnail.jpg…")
      ->needs(download);
  result
      ->add_option("--max-mib", to.max_mib, "MiB that the video may have (65536, which is 64 GiB)")
      ->type_name("N")
      ->check(AboveZero())
      ->needs(download);

  one_job(Add(app, to, Command::kOpen, "open", "Open a job's result in the browser", help::kOpen));

  CLI::App* resolve =
      Add(app, to, Command::kResolve, "resolve", "Resolve an UNCONFIRMED job", help::kResolve);
  CLI::Option* unconfirmed =
      resolve->add_option("JOB", to.jobs, "The job; or choose some by flags")->expected(0, 1);
  CLI::Option* adopt =
      resolve->add_option("--adopt", to.adopt, "It is this job of Pictory's")->type_name("ID");
  resolve->add_flag("--abandon", to.abandon, "Give it up")->excludes(adopt);
  AddChoice(resolve, raw, unconfirmed);

  CLI::App* remove = Add(app, to, Command::kDelete, "delete",
                         "Remove finished jobs, or cancel waiting ones", help::kDelete);
  CLI::Option* ended =
      remove->add_option("JOB", to.jobs, "One job or several; or choose some by flags");
  AddState(remove, raw)->excludes(ended);
  AddChoice(remove, raw, ended);
  remove->add_flag("--cancel-only", to.cancel_only, "Cancel what is WAITING, and delete nothing");

  CLI::App* update = Add(app, to, Command::kUpdatePreview, "update-preview",
                         "Change a finished preview before it is rendered", help::kUpdatePreview);
  update->add_option("JOB", to.preview_job, "The preview, as a JOB of `pictory get`")->required();
  update->add_option("FILE", to.source, "JSON array of the changed elements; - is stdin")
      ->required();

  CLI::App* projects = Add(app, to, Command::kProjects, "projects",
                           "Show the projects saved at Pictory", help::kProjects);
  CLI::Option* project = projects->add_option("PROJECT", to.source, "This one, in full");
  projects->add_option("--page-token", to.page_token, "From this page on, where a list ended early")
      ->type_name("TOKEN")
      ->excludes(project);
  CLI::App* account = Add(app, to, Command::kAccount, "account",
                          "Show the Pictory account's quota and charges", help::kAccount);
  account->add_option("--month", raw.month, "The charges of this month, such as 2026-05, in UTC")
      ->type_name("MONTH");
  account->add_option("--by", to.by_label, "Also what jobs have told, by this label's values")
      ->type_name("KEY");
  CLI::App* templates = Add(app, to, Command::kTemplate, "template",
                            "Show, upload, change and delete templates", help::kTemplate);
  Choose(templates->add_option("ACTION", to.action, "What to do")->required(),
         {"list", "get", "upload", "update", "delete"});
  templates->add_option("ID|FILE", to.source, "The template; of an upload the .pictai file");
  templates->add_option("FILE", to.template_file, "Of an update: the scenes, as a JSON array");

  CLI::App* webhooks = Add(app, to, Command::kWebhooks, "webhooks",
                           "Show and repeat what receivers were not told", help::kWebhooks);
  Choose(webhooks->add_option("ACTION", to.action, "What to do")->required(), {"list", "replay"});
  CLI::Option* told = webhooks->add_option("JOB", to.jobs, "Of a replay: one job or several");
  webhooks->add_flag("--all", to.all, "Of a replay: all that were given up")->excludes(told);
  webhooks->add_flag("--pending", to.pending, "Of a list: those that are still tried");

  CLI::App* upload =
      Add(app, to, Command::kUpload, "upload", "Send a file to Pictory", help::kUpload);
  upload->add_option("FILE", to.source, "Media, a picture or slides")->required();
  upload
      ->add_option("--content-type", to.content_type,
                   "Such as video/webm, where the file's name does not show it")
      ->type_name("TYPE");
  CLI::App* usage =
      Add(app, to, Command::kUsageOf, "usage", "Show what was used of the limits", help::kUsageOf);
  CLI::Option* by =
      usage->add_option("--by", to.by_label, "Also what jobs have used, by this label's values")
          ->type_name("KEY");
  usage->add_option("--since", raw.since, "With --by: only created since then, such as 24h or 7d")
      ->type_name("TIME")
      ->needs(by);
  Add(app, to, Command::kDoctor, "doctor", "Look for what is in the way", help::kDoctor)
      ->add_option("--stream", raw.stream, "Hold a stream open so long (20s); 0: none")
      ->type_name("TIME");
  Choose(Add(app, to, Command::kCompletion, "completion", "Print what a shell completes words by",
             help::kCompletion)
             ->add_option("SHELL", to.source, "Whose script")
             ->required(),
         CompletedShells());
  Add(app, to, Command::kVersion, "version", "Show the version", "");
  app.add_subcommand("help", "Show this help, or that of a command")
      ->add_option("COMMAND", raw.help_on, "A command");
}

}  // namespace

std::unique_ptr<CLI::App> MakeCommandTree(Raw& raw) {
  auto app = std::make_unique<CLI::App>(help::kAbout, "pictory");
  app->footer(help::kMain);
  const auto formatter = std::make_shared<CLI::Formatter>();
  KeepLines(*formatter);
  app->formatter(formatter);
  app->require_subcommand(0, 1);
  app->fallthrough();
  app->set_help_flag("-h,--help", "Show this help");
  app->set_version_flag("-V,--version", std::string("pictory ") + PICTORY_VERSION,
                        "Show the version");
  AddCommon(*app, raw);
  AddSubmits(*app, raw);
  AddBatch(*app, raw);
  AddResubmit(*app, raw);
  AddJobCommands(*app, raw);
  NameNoTypes(*app);
  return app;
}

}  // namespace pictory_jobs::cli
