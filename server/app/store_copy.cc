#include "app/store_copy.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "app/exit_codes.h"
#include "app/postgres_store.h"
#include "app/process.h"
#include "app/run.h"
#include "base/limits.h"
#include "store/copier.h"
#include "store/sqlite_job_store.h"

namespace gateway::app {
namespace {

// Of two copies at once in one database the later one takes over.
constexpr char kCopyGateway[] = "store-copy";

void TellOperator(const std::string& words) {
  std::fputs(absl::StrCat("store copy: ", words, "\n").c_str(), stderr);
  std::fflush(stderr);
}

struct OpenedEnd {
  std::unique_ptr<jobs::Store> store;
  store::CopyEnd end;
};

bool NamesPostgres(const std::string& text) {
  return absl::StartsWith(text, "postgres://") || absl::StartsWith(text, "postgresql://") ||
         (absl::StrContains(text, '=') && !std::filesystem::exists(text));
}

absl::StatusOr<OpenedEnd> OpenDirectory(const std::string& text, bool sandbox, bool must_exist) {
  std::filesystem::path directory = text;
  if (directory.filename() == "jobs.db") {
    directory = directory.parent_path();
  } else {
    directory /= sandbox ? "sandbox" : "pictory";
  }
  if (must_exist && access((directory / "jobs.db").c_str(), F_OK) != 0) {
    return absl::NotFoundError(absl::StrCat(
        "there is no ", (directory / "jobs.db").string(), "; name the --state-dir of the gateway",
        sandbox ? "" : ", with --sandbox if its jobs are the sandbox's"));
  }
  auto opened = store::SqliteJobStore::Open(
      {.directory = directory.string(), .sandbox = sandbox, .copying = true});
  if (!opened.ok()) return opened.status();
  OpenedEnd end{.end = {.store = opened->get(), .place = directory.string()}};
  end.store = *std::move(opened);
  return end;
}

absl::StatusOr<OpenedEnd> OpenServer(const std::string& conninfo, bool sandbox, bool must_exist) {
  auto opened = postgres::PostgresJobStore::Open({.conninfo = conninfo,
                                                  .sandbox = sandbox,
                                                  .copying = true,
                                                  .gateway = kCopyGateway,
                                                  .address = AddressOfThis()});
  if (!opened.ok()) return opened.status();
  if (must_exist && (*opened)->created()) {
    return absl::NotFoundError(absl::StrCat("there was no store at ", (*opened)->place()));
  }
  OpenedEnd end{.end = {.store = opened->get(),
                        .place = absl::StrCat("PostgreSQL (", (*opened)->place(), ")")}};
  end.store = *std::move(opened);
  return end;
}

// `flag` is `--from` or `--to`.
absl::StatusOr<OpenedEnd> OpenEnd(const std::string& flag, const std::string& text,
                                  const std::string& file, const StoreCopyFlags& flags) {
  const bool must_exist = flag == "--from" || flags.undo;
  if (file.empty() && !NamesPostgres(text)) return OpenDirectory(text, flags.sandbox, must_exist);
  const absl::StatusOr<Secret> place = ReadStorePlace(flag, text, file);
  if (!place.ok()) return place.status();
  return OpenServer(place->Reveal(), flags.sandbox, must_exist);
}

absl::Status CheckEnds(const StoreCopyFlags& flags) {
  const auto wrong = [](const char* why) { return absl::InvalidArgumentError(why); };
  if (flags.from.empty() == flags.from_file.empty()) {
    return wrong("--from: name the store to copy, here or by --from-file");
  }
  if (flags.target_is_lost && (!flags.undo || !flags.to.empty() || !flags.to_file.empty())) {
    return wrong("--target-is-lost: stands with --undo, in the place of --to");
  }
  if (!flags.target_is_lost && flags.to.empty() == flags.to_file.empty()) {
    return wrong("--to: name the store that is to have the jobs, here or by --to-file");
  }
  // Said before anything is opened.
  for (const auto& [flag, text, file] :
       {std::tuple("--from", flags.from, flags.from_file), {"--to", flags.to, flags.to_file}}) {
    if (text.empty() || !file.empty() || !NamesPostgres(text)) continue;
    if (absl::Status place = ReadStorePlace(flag, text, file).status(); !place.ok()) return place;
  }
  return absl::OkStatus();
}

std::string Grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

// Tells now and then how far it is.
class Progress {
 public:
  explicit Progress(const char* what) : what_(what) {}

  void At(std::int64_t jobs, std::int64_t of) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    const bool first = next_ == std::chrono::steady_clock::time_point{};
    next_ = now + limits::kCopyTold;
    if (first) return;
    TellOperator(absl::StrCat(what_, " ", Grouped(jobs), " of ", Grouped(of), " jobs"));
  }

 private:
  const char* const what_;
  std::chrono::steady_clock::time_point next_{};
};

std::string ReportText(const store::CopyReport& report, const OpenedEnd& from,
                       const OpenedEnd& to) {
  std::string text = absl::StrCat(report.already   ? "Was moved already"
                                  : report.resumed ? "Moved, on from where an earlier copy "
                                                     "ended"
                                                   : "Moved",
                                  ", from ", from.end.place, " to ", to.end.place, ".\n");
  const auto row = [&text](const char* table, std::int64_t rows) {
    absl::StrAppend(&text, "  ", table, std::string(10 - std::string_view(table).size(), ' '),
                    Grouped(rows), "\n");
  };
  row("jobs", report.counts.jobs);
  row("labels", report.counts.labels);
  row("slices", report.counts.slices);
  row("aliases", report.counts.aliases);
  row("hints", report.counts.hints);
  row("accounts", report.counts.accounts);
  absl::StrAppend(&text, "All was read back and is alike, job by job.\n");
  if (report.interrupted > 0) {
    absl::StrAppend(&text,
                    "Submits under way when the gateway ended: ", Grouped(report.interrupted),
                    ". Those that may have reached "
                    "Pictory are UNCONFIRMED and are never sent again.\n");
  }
  absl::StrAppend(&text, "Start gateways with ", to.end.place,
                  " now; they are refused on the other one. Keep their --state-dir, which has what "
                  "is not in the store.\n");
  return text;
}

int Failed(const absl::Status& why) {
  TellOperator(std::string(why.message()));
  return why.code() == absl::StatusCode::kInvalidArgument ? kCopyUsage : kCannotServe;
}

}  // namespace

void AddStoreCopyOptions(CLI::App& app, StoreCopyFlags& flags) {
  app.add_option("--from", flags.from,
                 "The store to copy: the --state-dir of a gateway, or a jobs.db; or PostgreSQL, as "
                 "for --store");
  app.add_option("--from-file", flags.from_file, "A file with that, as for --store-file");
  app.add_option("--to", flags.to,
                 "The store that is to have the jobs: empty, or not there yet, or one whose jobs "
                 "were moved to the other");
  app.add_option("--to-file", flags.to_file, "A file with that, as for --store-file");
  app.add_flag("--sandbox", flags.sandbox, "The jobs are those of the sandbox");
  app.add_flag("--undo", flags.undo,
               "Give the copy up, ended or not, if no gateway has used --to: empties it, and lets "
               "gateways use --from again");
  app.add_flag("--target-is-lost", flags.target_is_lost,
               "With --undo: there is no --to any more. If there is, and gateways use both, jobs "
               "are paid for twice");
  app.footer(
      "No gateway may run with either store. One that is killed goes on when it is repeated; "
      "until\n"
      "it has ended, no gateway starts with either. Exit codes: 0 all is copied, read back and\n"
      "alike, 1 it is not, 2 wrong usage.");
}

int RunStoreCopy(const StoreCopyFlags& flags) {
  HardenProcess();
  ForgetSecretVariables();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  SkipDeadlockDetection();
  if (absl::Status right = CheckEnds(flags); !right.ok()) return Failed(right);
  absl::StatusOr<OpenedEnd> from = OpenEnd("--from", flags.from, flags.from_file, flags);
  if (!from.ok()) return Failed(from.status());
  std::optional<OpenedEnd> to;
  if (!flags.target_is_lost) {
    absl::StatusOr<OpenedEnd> opened = OpenEnd("--to", flags.to, flags.to_file, flags);
    if (!opened.ok()) return Failed(opened.status());
    to = *std::move(opened);
  }
  std::string text;
  if (flags.undo) {
    const absl::Status undone =
        store::UndoCopy(from->end, to.has_value() ? std::optional(to->end) : std::nullopt);
    if (!undone.ok()) return Failed(undone);
    text = absl::StrCat("Given up. Gateways may use ", from->end.place, " again.\n");
  } else {
    Progress copied("copied"), compared("read back");
    const auto now =
        std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now());
    const absl::StatusOr<store::CopyReport> report = store::Copy(
        from->end, to->end, now,
        {.copied = [&](std::int64_t jobs, std::int64_t of) { copied.At(jobs, of); },
         .compared = [&](std::int64_t jobs, std::int64_t of) { compared.At(jobs, of); }});
    if (!report.ok()) return Failed(report.status());
    text = ReportText(*report, *from, *to);
  }
  from->store->Close();
  if (to.has_value()) to->store->Close();
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : kCannotServe;
}

}  // namespace gateway::app
