#include "tenants/identify.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "tenants/api_key.h"
#include "tenants/xfcc.h"

namespace gateway::tenants {
namespace {

constexpr std::string_view kBearer = "Bearer ";

// Null: the source claims nothing.
using Claim = absl::StatusOr<PrincipalPtr>;

absl::Status Repeated(std::string_view header) {
  return errors::CallerUnknown(
      absl::StrCat("The call has the header ", std::string(header),
                   " more than once, so that nobody knows which one counts; send it once"));
}

Claim ByNames(const std::vector<std::string>& names, const Directory& directory) {
  PrincipalPtr found;
  for (const std::string& name : names) {
    PrincipalPtr known = directory.FindName(absl::StrCat("san:", name));
    if (known == nullptr) continue;
    if (found != nullptr && found->tenant != known->tenant) {
      return errors::CallerUnknown(
          "The certificate has names of more than one tenant; use a certificate for each");
    }
    if (found == nullptr) found = std::move(known);
  }
  return found;
}

// What stands behind `Bearer`; empty if there is nothing of the kind.
std::string_view BearerOf(std::string_view header) {
  if (!absl::StartsWithIgnoreCase(absl::string_view(header.data(), header.size()),
                                  absl::string_view(kBearer.data(), kBearer.size()))) {
    return {};
  }
  header.remove_prefix(kBearer.size());
  while (header.starts_with(' ')) header.remove_prefix(1);
  return header;
}

Claim ByAuthorization(const Header& header, const Directory& directory, WallTime now) {
  if (header.count > 1) return Repeated(kAuthorizationHeader);
  const std::string_view bearer = BearerOf(header.value);
  if (bearer.empty()) return nullptr;
  if (bearer.starts_with(kApiKeyPrefix)) {
    PrincipalPtr known = directory.FindKey(bearer);
    if (known != nullptr) return known;
    return errors::CallerUnknown(
        "The API key is not one of this gateway's, or no longer; ask its operator for one");
  }
  if (!directory.takes_tokens()) return nullptr;
  Claim found = directory.FindToken(bearer, now);
  if (found.ok()) return found;
  return errors::CallerUnknown(
      absl::StrCat(std::string(found.status().message()), "; get a new one, or ask the operator"));
}

Claim ByXfcc(const Header& header, const Directory& directory) {
  if (header.count > 1) return Repeated(kXfccHeader);
  const absl::StatusOr<ClientCertificate> certificate = ParseXfcc(header.value);
  if (!certificate.ok()) {
    return errors::CallerUnknown(absl::StrCat("The header ",
                                              std::string(certificate.status().message()),
                                              "; the proxy in front must make it anew"));
  }
  std::vector<std::string> names = certificate->uris;
  // One that is written like a URI cannot stand for one.
  std::copy_if(certificate->dns.begin(), certificate->dns.end(), std::back_inserter(names),
               [](const std::string& dns) { return dns.find("://") == std::string::npos; });
  return ByNames(names, directory);
}

Claim ByTenantHeader(const Header& header, const Directory& directory, const TrustRules& trust) {
  if (header.count > 1) return Repeated(trust.tenant_header);
  PrincipalPtr known = directory.FindName(absl::StrCat("header:", std::string(header.value)));
  if (known != nullptr) return known;
  return errors::CallerUnknown(
      absl::StrCat("The header ", trust.tenant_header, " names nobody that this gateway knows"));
}

absl::Status Nobody(const CallFacts& call, const Directory& directory, const TrustRules& trust) {
  std::string ways;
  const auto add = [&ways](const std::string& way) {
    absl::StrAppend(&ways, ways.empty() ? "" : ", or ", way);
  };
  if (directory.takes_keys()) {
    add(absl::StrCat("an API key (authorization: Bearer ", std::string(kApiKeyPrefix), "…)"));
  }
  if (directory.takes_tokens()) add("a JSON Web Token (authorization: Bearer …)");
  bool names = false;
  for (const auto& [name, tenant] : directory.tenants().tenants) {
    for (const std::string& identity : tenant.identities) {
      names = names || identity.starts_with("san:");
    }
  }
  if (names) add("a client certificate that it knows");
  const bool proxies = !trust.proxies.empty() && (trust.xfcc || !trust.tenant_header.empty());
  if (proxies) add("the word of a trusted proxy");
  std::string text = absl::StrCat(
      "This gateway must know who calls, and nothing that counts came with the call. It takes ",
      ways.empty() ? "nothing yet: its tenants file has neither keys nor identities" : ways);
  const bool unheard = (trust.xfcc && call.xfcc.count > 0) ||
                       (!trust.tenant_header.empty() && call.tenant.count > 0);
  if (unheard && !trust.proxies.Has(call.peer)) {
    absl::StrAppend(&text, ". What the call says of itself in headers does not count from ",
                    errors::Clean(call.peer), ", which is no trusted proxy");
  }
  return errors::CallerUnknown(text);
}

}  // namespace

absl::StatusOr<PrincipalPtr> Identify(const CallFacts& call, const Directory& directory,
                                      const TrustRules& trust, WallTime now) {
  if (!directory.tenants().identities) return directory.anybody();
  if (!call.sans.empty()) {
    Claim claim = ByNames(call.sans, directory);
    if (!claim.ok() || *claim != nullptr) return claim;
  }
  if (call.authorization.count > 0) {
    Claim claim = ByAuthorization(call.authorization, directory, now);
    if (!claim.ok() || *claim != nullptr) return claim;
  }
  const bool xfcc = trust.xfcc && call.xfcc.count > 0;
  const bool header = !trust.tenant_header.empty() && call.tenant.count > 0;
  if ((xfcc || header) && trust.proxies.Has(call.peer)) {
    if (xfcc) {
      Claim claim = ByXfcc(call.xfcc, directory);
      if (!claim.ok() || *claim != nullptr) return claim;
    }
    if (header) return ByTenantHeader(call.tenant, directory, trust);
  }
  return Nobody(call, directory, trust);
}

}  // namespace gateway::tenants
