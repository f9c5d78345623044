// These functions try the facts that cost nothing. They change nothing of the account.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "contract/door.h"
#include "contract/findings.h"

namespace gateway::contract {

// Told what is tried next, for whoever waits.
using Tell = std::function<void(const std::string&)>;

struct Look {
  Door& door;
  Findings& findings;
  const Tell& tell;
};

// What the account has and was charged. Not OK: Pictory was not reached, or does not take the
// credentials, so that nothing else could be tried either.
absl::Status LookAtQuota(const Look& look, bool by_key);
void LookAtCharges(const Look& look);
void LookAtJobs(const Look& look);
void LookAtProjects(const Look& look);
void LookAtTemplates(const Look& look);
void LookAtUploads(const Look& look);
void LookAtCatalog(const Look& look);
void LookAtStudio(const Look& look);
// How credentials are refused and taken. `client` is what the account itself is called with.
void LookAtCredentials(const Look& look, const Ways& ways, const jobs::UpstreamOptions& options);

}  // namespace gateway::contract
