// What the configuration means for calls to Pictory.
#pragma once

#include <string>

#include "app/config.h"
#include "http/curl_options.h"
#include "pictory/client.h"
#include "pictory/translate.h"

namespace gateway::app {

// The options have the credentials of `config`, but for the embedded sandbox those of that account
// there, because real ones never go there.
pictory::ClientOptions ClientOptionsOf(const Config& config, const std::string& account);

// Whether Pictory's answers may name URLs of this machine: those of the embedded sandbox, and of
// what stands in for Pictory at a loopback address, plain or through TLS.
bool AnswersNameLoopback(const Config& config);

// How calls of `config` reach the service at `base_url`.
http::CurlTransportOptions TransportOptionsOf(const Config& config, const std::string& base_url);

// The options for validation and translation alike.
pictory::TranslateOptions TranslateOptionsOf(const Config& config);

// Writes one line, without secrets: where calls go, what proves who asks, and which API version's
// paths are used.
void LogUpstream(const Config& config, const std::string& base_url);

// The credentials for the embedded sandbox, of the account `default`.
inline constexpr char kSandboxKey[] = "pictai_sandbox";
inline constexpr char kSandboxClient[] = "sandbox";  // client id, secret and user id

}  // namespace gateway::app
