// An API key is a random text that proves whose caller somebody is. The gateway keeps only its
// SHA-256, from which nobody makes the key again: it has 256 random bits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "tenants/tenants.h"

namespace gateway::tenants {

// What every API key begins with, so that people and scanners of leaked secrets know one.
inline constexpr std::string_view kApiKeyPrefix = "pgk_";

// A new key: the prefix and 43 characters of base64url.
Secret MakeApiKey();

Sha256 Sha256Of(std::string_view text);

// In a time that does not depend on where they differ.
bool SameHash(const Sha256& a, const Sha256& b);

std::string HexOf(const Sha256& hash);
// The hash that 64 hex digits write; nullopt for any other text.
std::optional<Sha256> HashOf(std::string_view hex);

// The lines of the tenants file for a key, as `keygen` prints them.
std::string KeyTable(std::string_view tenant, std::string_view name, const Secret& key);

}  // namespace gateway::tenants
