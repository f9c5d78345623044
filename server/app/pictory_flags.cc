#include "app/pictory_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "app/secret_file.h"
#include "pictory/bindings.h"
#include "pictory/kinds.h"

namespace gateway::app {
namespace {

namespace v1 = ::pictory::jobs::v1;

const CLI::IsMember kVersions({"v1", "v2"});

v1::PathVersion VersionOf(std::string_view word) {
  return word == "v1" ? v1::PATH_VERSION_V1 : v1::PATH_VERSION_V2;
}

}  // namespace

void AddCredentialFlags(CLI::App& app, PictoryFlags& flags) {
  app.add_option("--auth", flags.auth,
                 "What proves to Pictory who asks: 'key', an API key; 'oauth', client credentials, "
                 "for the accounts that have those")
      ->check(CLI::IsMember({"key", "oauth"}))
      ->envname("PICTORY_AUTH")
      ->capture_default_str();
  app.add_option("--api-key-file", flags.api_key_file,
                 "File whose first line is the Pictory API key, read again when it changes; or "
                 "set PICTORY_API_KEY")
      ->envname("PICTORY_API_KEY_FILE");
  app.add_option("--client-id", flags.client_id, "With --auth=oauth: the client id")
      ->envname("PICTORY_CLIENT_ID");
  app.add_option(
         "--client-secret-file", flags.client_secret_file,
         "With --auth=oauth: file whose first line is the client secret, read again when it "
         "changes; or set PICTORY_CLIENT_SECRET")
      ->envname("PICTORY_CLIENT_SECRET_FILE");
  app.add_option("--user-id", flags.user_id,
                 "With --auth=oauth: sent as X-Pictory-User-Id, for the accounts that need it")
      ->envname("PICTORY_USER_ID");
}

void AddVersionFlags(CLI::App& app, PictoryFlags& flags) {
  app.add_option("--api-version", flags.api_version, "Whose paths to use: Pictory's v1 or v2 API")
      ->check(kVersions)
      ->envname("PICTORY_API_VERSION")
      ->capture_default_str();
  for (const pictory::KindFacts& kind : pictory::Kinds()) {
    if (!HasVersions(kind.kind)) continue;
    const std::string word(kind.word);
    app.add_option("--api-version." + word, flags.api_versions[kind.word],
                   "The same for " + word + " alone; wins over --api-version")
        ->check(kVersions)
        ->envname("PICTORY_API_VERSION_" + absl::AsciiStrToUpper(word));
  }
}

absl::Status CompletePictory(const PictoryFlags& flags, const Variables& variables,
                             Config& config) {
  config.auth = flags.auth == "oauth" ? pictory::AuthMode::kOAuth : pictory::AuthMode::kKey;
  config.client_id = flags.client_id;
  config.user_id = flags.user_id;
  absl::StatusOr<Secret> key = FindSecret(kApiKey, flags.api_key_file, variables);
  if (!key.ok()) return key.status();
  config.api_key = *std::move(key);
  absl::StatusOr<Secret> secret = FindSecret(kClientSecret, flags.client_secret_file, variables);
  if (!secret.ok()) return secret.status();
  config.client_secret = *std::move(secret);
  const bool oauth = config.auth == pictory::AuthMode::kOAuth;
  config.secret_file = {std::string((oauth ? kClientSecret : kApiKey).flag),
                        oauth ? flags.client_secret_file : flags.api_key_file};
  for (const auto& [name, value] : {std::pair{"the API key", config.api_key.Reveal()},
                                    std::pair{"--client-id", config.client_id},
                                    std::pair{"the client secret", config.client_secret.Reveal()},
                                    std::pair{"--user-id", config.user_id}}) {
    if (absl::Status status = CheckVisible(name, value); !status.ok()) return status;
  }
  for (const pictory::KindFacts& kind : pictory::Kinds()) {
    const auto own = flags.api_versions.find(kind.word);
    const bool given = own != flags.api_versions.end() && !own->second.empty();
    config.api_versions[kind.kind] = VersionOf(given ? own->second : flags.api_version);
  }
  return absl::OkStatus();
}

std::string MissingCredentials(const Config& config) {
  constexpr char kNoId[] = "the client id (set --client-id or PICTORY_CLIENT_ID)";
  constexpr char kNoSecret[] =
      "the client secret (set PICTORY_CLIENT_SECRET or --client-secret-file)";
  const bool id = !config.client_id.empty();
  const bool secret = !config.client_secret.empty();
  if (config.auth == pictory::AuthMode::kOAuth) {
    if (id && secret) return "";
    return absl::StrCat("--auth=oauth misses ", id ? "" : kNoId, id || secret ? "" : " and ",
                        secret ? "" : kNoSecret);
  }
  if (!config.api_key.empty()) return "";
  if (id || secret) {
    return "client credentials are set, but --auth is 'key' and there is no API key: say "
           "--auth=oauth";
  }
  return "no Pictory credentials: set PICTORY_API_KEY or --api-key-file, or --auth=oauth with "
         "client credentials, or ask for --sandbox";
}

bool HasVersions(v1::JobKind kind) {
  return pictory::VersionsOf(pictory::SubmitMaking(kind)).size() > 1;
}

std::string_view VersionWord(const Config& config, v1::JobKind kind) {
  const v1::PathVersion version =
      pictory::VersionFor(pictory::SubmitMaking(kind), {.versions = config.api_versions});
  return version == v1::PATH_VERSION_V1 ? "v1" : "v2";
}

}  // namespace gateway::app
