// What the configuration means for calls to Pictory.
#pragma once

#include <string>

#include "app/config.h"
#include "pictory/client.h"
#include "pictory/translate.h"

namespace gateway::app {

// With the credentials of `config`; for the embedded sandbox with its own, because real ones never
// go there.
pictory::ClientOptions ClientOptionsOf(const Config& config);

// For validation and translation alike.
pictory::TranslateOptions TranslateOptionsOf(const Config& config);

// Where calls go, what proves who asks, and whose paths are used: one line, without secrets.
void LogUpstream(const Config& config, const std::string& base_url);

// What the embedded sandbox is asked with.
inline constexpr char kSandboxKey[] = "pictai_sandbox";
inline constexpr char kSandboxClient[] = "sandbox";  // client id, secret and user id

}  // namespace gateway::app
