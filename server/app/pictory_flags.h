// The options that say how to speak to Pictory: which credentials prove who asks, and which API
// version's paths each kind of job uses.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "app/config.h"
#include "app/environment.h"
#include "pictory/jobs/v1/job.pb.h"

namespace CLI {
class App;
}

namespace gateway::app {

// The raw texts of these options, before they are checked.
struct PictoryFlags {
  std::string auth = "key";
  std::string api_key_file;
  std::string client_id;
  std::string client_secret_file;
  std::string user_id;
  std::string api_version = "v2";
  // By the words of the kinds; empty: as api_version.
  std::map<std::string_view, std::string> api_versions;
};

// The options of the credentials, and those of the API versions. `flags` must outlive `app`.
void AddCredentialFlags(CLI::App& app, PictoryFlags& flags);
void AddVersionFlags(CLI::App& app, PictoryFlags& flags);

// Reads the secrets and fills in what the texts say. An error is INVALID_ARGUMENT and names the
// option.
absl::Status CompletePictory(const PictoryFlags& flags, const Variables& variables, Config& config);

// What is missing for calls to the real Pictory, and how to set it; empty if nothing is.
std::string MissingCredentials(const Config& config);

// Whether there is a choice of API versions for a kind of job, and so an option for it.
bool HasVersions(::pictory::jobs::v1::JobKind kind);

// `v1` or `v2`: what is configured for the kind, or the only one that it has.
std::string_view VersionWord(const Config& config, ::pictory::jobs::v1::JobKind kind);

}  // namespace gateway::app
