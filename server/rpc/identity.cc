#include "rpc/identity.h"

#include <string>
#include <utility>
#include <vector>

#include "rpc/peer.h"
#include "rpc/tenant_gates.h"
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
std::vector<std::string> SansOf(const grpc::ServerContextBase& context) {
  std::vector<std::string> sans;
  for (const std::string& name : PeerSans(context)) {
    const std::size_t colon = name.find(':');
    std::string value = name.substr(colon + 1);
    const bool uri = name.compare(0, colon, "uri") == 0;
    if (uri || value.find("://") == std::string::npos) sans.push_back(std::move(value));
  }
  return sans;
}

const tenants::PrincipalPtr& Anybody() {
  static const auto* const anybody =
      new tenants::PrincipalPtr(std::make_shared<const tenants::Principal>());
  return *anybody;
}

}  // namespace

absl::StatusOr<tenants::PrincipalPtr> IdentifyCaller(const grpc::ServerContextBase& context,
                                                     const Domain& domain) {
  if (domain.callers == nullptr) return Anybody();
  static const std::string authorization = tenants::kAuthorizationHeader;
  static const std::string xfcc = tenants::kXfccHeader;
  const tenants::DirectoryPtr directory = domain.callers->directory();
  if (!directory->tenants().identities) return directory->anybody();
  const tenants::TrustRules& trust = domain.callers->trust();
  const Metadata& metadata = context.client_metadata();
  const std::string peer = context.peer();
  tenants::CallFacts call;
  call.sans = SansOf(context);
  call.authorization = HeaderOf(metadata, authorization);
  if (trust.xfcc) call.xfcc = HeaderOf(metadata, xfcc);
  if (!trust.tenant_header.empty()) call.tenant = HeaderOf(metadata, trust.tenant_header);
  call.peer = peer;
  return tenants::Identify(call, *directory, trust, domain.clock.WallNow());
}

absl::StatusOr<tenants::PrincipalPtr> LetIn(const grpc::ServerContextBase& context,
                                            std::string_view method, tenants::Role role,
                                            const Domain& domain) {
  absl::StatusOr<tenants::PrincipalPtr> principal = IdentifyCaller(context, domain);
  if (!principal.ok()) return principal;
  if (absl::Status may = tenants::CheckRole(**principal, role, method); !may.ok()) return may;
  if (absl::Status rate = domain.gates->CountCall(**principal); !rate.ok()) return rate;
  return principal;
}

}  // namespace gateway::rpc
