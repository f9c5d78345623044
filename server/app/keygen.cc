#include "app/keygen.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "tenants/api_key.h"
#include "tenants/tenants_file.h"

namespace gateway::app {
namespace {

const CLI::Validator kName(
    [](const std::string& text) {
      return tenants::IsTenantName(text)
                 ? std::string()
                 : std::string("must be 1 to 63 of a-z, 0-9, '-', '_' and '.'");
    },
    "NAME");

}  // namespace

void AddKeygenOptions(CLI::App& app, KeygenFlags& flags) {
  app.add_option("--tenant", flags.tenant, "The tenant that the key is for")->check(kName);
  app.add_option("--name", flags.name,
                 "What the log calls the key, such as the program that has it")
      ->check(kName);
}

std::string KeygenText(const KeygenFlags& flags) {
  const Secret key = tenants::MakeApiKey();
  return absl::StrCat("# The key, which is shown this once; its caller sends it as\n",
                      "# authorization: Bearer KEY (pictory: PICTORY_GATEWAY_KEY)\n", key.Reveal(),
                      "\n\n# For the file of --tenants, which holds no secret:\n",
                      tenants::KeyTable(flags.tenant, flags.name, key));
}

}  // namespace gateway::app
