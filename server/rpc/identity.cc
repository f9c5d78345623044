#include "rpc/identity.h"

#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "rpc/peer.h"
#include "rpc/tenant_gates.h"
#include "tenants/caller_key.h"
#include "tenants/callers.h"

namespace gateway::rpc {
namespace {

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

tenants::Header HeaderOf(const Metadata& metadata, const std::string& name) {
  tenants::Header header;
  const auto [begin, end] = metadata.equal_range(grpc::string_ref(name.data(), name.size()));
  for (auto entry = begin; entry != end; ++entry) {
    header.value = {entry->second.data(), entry->second.size()};
    ++header.count;
  }
  return header;
}

// The names in the peer's certificate, as the document of tenants has them: without their kind. A
// name of another kind that is written like a URI is left out, so that it cannot stand for one.
std::vector<std::string> SansOf(const std::vector<std::string>& peer_sans) {
  std::vector<std::string> sans;
  for (const std::string& name : peer_sans) {
    const std::size_t colon = name.find(':');
    std::string value = name.substr(colon + 1);
    const bool uri = name.compare(0, colon, "uri") == 0;
    if (uri || value.find("://") == std::string::npos) sans.push_back(std::move(value));
  }
  return sans;
}

// Opens the account of the key that the call shows. A key that does not count is refused, because
// who shows one means that its account pays.
absl::StatusOr<std::string> AccountShown(const grpc::ServerContextBase& context,
                                         const tenants::Header& header, bool callers_pay,
                                         const Domain& domain) {
  if (!callers_pay) {
    return errors::PictoryKeyNotTaken("this gateway pays with its own account; send none");
  }
  if (header.count > 1) {
    return errors::PictoryKeyNotTaken("the call shows more than one; send one");
  }
  const absl::StatusOr<bool> is_private = IsPrivate(context, domain);
  if (!is_private.ok()) return is_private.status();
  if (!*is_private) {
    return errors::PictoryKeyNotTaken(
        "it came in plain text from another machine, where others may have read it; use TLS, and "
        "think of another key");
  }
  const absl::StatusOr<Secret> key = tenants::ReadCallerKey(header.value);
  if (!key.ok()) return key.status();
  return domain.backend.OpenAccount(*key);
}

absl::StatusOr<tenants::PrincipalPtr> WithAccount(const grpc::ServerContextBase& context,
                                                  tenants::PrincipalPtr principal,
                                                  tenants::Role role, const Domain& domain) {
  static const std::string name = tenants::kCallerKeyHeader;
  const tenants::Header header = HeaderOf(context.client_metadata(), name);
  if (header.count == 0) {
    if (principal->callers_pay && role == tenants::Role::kSubmit) return errors::PictoryKeyNeeded();
    return principal;
  }
  absl::StatusOr<std::string> account =
      AccountShown(context, header, principal->callers_pay, domain);
  if (!account.ok()) return account.status();
  auto paying = std::make_shared<tenants::Principal>(*principal);
  paying->account = *std::move(account);
  paying->adopts = true;  // who has the key can do everything with what is Pictory's
  return paying;
}

}  // namespace

absl::StatusOr<tenants::PrincipalPtr> IdentifyCaller(const grpc::ServerContextBase& context,
                                                     const Domain& domain) {
  static const std::string authorization = tenants::kAuthorizationHeader;
  static const std::string xfcc = tenants::kXfccHeader;
  const absl::StatusOr<std::string> peer = PeerOf(context, domain);
  if (!peer.ok()) return peer.status();
  const tenants::DirectoryPtr directory = domain.callers.directory();
  if (!directory->tenants().identities) return directory->anybody();
  const tenants::TrustRules& trust = domain.callers.trust();
  const Metadata& metadata = context.client_metadata();
  const absl::StatusOr<std::vector<std::string>> sans = PeerSans(context, domain);
  if (!sans.ok()) return sans.status();
  tenants::CallFacts call;
  call.sans = SansOf(*sans);
  call.authorization = HeaderOf(metadata, authorization);
  if (trust.xfcc) call.xfcc = HeaderOf(metadata, xfcc);
  if (!trust.tenant_header.empty()) call.tenant = HeaderOf(metadata, trust.tenant_header);
  call.peer = *peer;
  return tenants::Identify(call, *directory, trust, domain.clock.WallNow());
}

absl::StatusOr<tenants::PrincipalPtr> LetIn(const grpc::ServerContextBase& context,
                                            std::string_view method, tenants::Role role,
                                            const Domain& domain) {
  absl::StatusOr<tenants::PrincipalPtr> principal = IdentifyCaller(context, domain);
  if (!principal.ok()) return principal;
  if (absl::Status may = tenants::CheckRole(**principal, role, method); !may.ok()) return may;
  if (absl::Status rate = domain.gates->CountCall(**principal); !rate.ok()) return rate;
  return WithAccount(context, *std::move(principal), role, domain);
}

}  // namespace gateway::rpc
