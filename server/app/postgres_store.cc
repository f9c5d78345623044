#include "app/postgres_store.h"

#include <unistd.h>

#include <array>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "app/secret_file.h"
#include "base/own_file.h"
#include "base/random.h"
#include "obs/log.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

constexpr char kNameFile[] = "gateway.id";
constexpr std::size_t kNameBytes = 8;

// The gateway's name, made at its first start.
absl::StatusOr<std::string> NameIn(const std::filesystem::path& directory) {
  const std::string path = (directory / kNameFile).string();
  if (absl::Status own = CheckOwnFile(path); !own.ok()) return own;
  std::string name;
  if (std::ifstream file(path); std::getline(file, name) && !name.empty()) return name;
  name = RandomHex(kNameBytes);
  if (absl::Status written = ReplaceOwnFile(path, name + "\n"); !written.ok()) return written;
  return name;
}

}  // namespace

std::string AddressOfThis() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return absl::StrCat(host.data(), ", process ", getpid());
}

absl::StatusOr<Secret> ReadStorePlace(const std::string& flag, const std::string& text,
                                      const std::string& file) {
  const std::string given = text.empty() ? flag + "-file" : flag;
  if (!text.empty() && !file.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, "-file: ", flag, " is set, too; keep one of them"));
  }
  std::string conninfo = text;
  if (!file.empty()) {
    absl::StatusOr<Secret> read = ReadSecretFile(given, file);
    if (!read.ok()) return read.status();
    conninfo = read->Reveal();
  }
  const absl::StatusOr<postgres::Place> place = postgres::PlaceOf(conninfo);
  if (!place.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(given, ": ", std::string(place.status().message())));
  }
  if (!text.empty() && place->has_password) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, ": holds a password, which others can see there; put the URL into a file for ", flag,
        "-file, or the password into the file of PGPASSFILE"));
  }
  return Secret(std::move(conninfo));
}

absl::Status CompleteStore(const std::string& store, const std::string& store_file,
                           Config& config) {
  if (store.empty() && store_file.empty()) return absl::OkStatus();
  absl::StatusOr<Secret> place = ReadStorePlace("--store", store, store_file);
  if (!place.ok()) return place.status();
  config.store = *std::move(place);
  return absl::OkStatus();
}

absl::StatusOr<OpenedPostgres> OpenPostgres(const Config& config,
                                            const std::filesystem::path& directory,
                                            std::function<void()> failed) {
  OpenedPostgres opened;
  auto lock = store::StateLock::Take(directory.string());
  if (!lock.ok()) return lock.status();
  opened.lock = *std::move(lock);
  absl::StatusOr<std::string> name = NameIn(directory);
  if (!name.ok()) return name.status();
  postgres::PostgresOptions options{.conninfo = config.store.Reveal(),
                                    .sandbox = config.sandbox,
                                    .gateway = *std::move(name),
                                    .address = AddressOfThis()};
  options.on_fatal = [failed = std::move(failed)](const absl::Status& why) {
    Log(Level::kError, "store_failed",
        {{"reason", std::string(why.message())},
         {"advice",
          "nothing is submitted any more and this gateway ends; put right what the reason says, "
          "then start it again (server/docs/operations.md, \"Jobs in PostgreSQL\")"}});
    failed();
  };
  options.on_away = [](const std::string& why) {
    Log(Level::kError, "store_away",
        {{"reason", why},
         {"note",
          "submits are refused until PostgreSQL is back; what is known of running jobs is kept, "
          "and stored then"}});
  };
  options.on_refused = [](const std::string& why) {
    Log(Level::kError, "store_refuses",
        {{"reason", why},
         {"note", "PostgreSQL answers, and refuses what it is asked; is told once a minute"}});
  };
  options.on_back = [] { Log(Level::kWarn, "store_back", {}); };
  auto store = postgres::PostgresJobStore::Open(std::move(options));
  if (!store.ok()) return store.status();
  opened.store = *std::move(store);
  if (!opened.store->has_standby() && !config.sandbox) {
    Log(Level::kWarn, "store_without_standby",
        {{"postgres", opened.store->place()},
         {"note",
          "PostgreSQL waits for no standby (synchronous_standby_names is empty): if its disk is "
          "lost, so is what was paid for since its last backup"}});
  }
  return opened;
}

}  // namespace gateway::app
