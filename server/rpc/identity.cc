#include "rpc/identity.h"

#include <grpc/grpc_security_constants.h>

#include <string>

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

// The names in the peer's certificate; none if the connection has proved none.
std::vector<std::string> SansOf(const grpc::ServerContextBase& context) {
  std::vector<std::string> sans;
  const auto auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return sans;
  for (const grpc::string_ref& name : auth->FindPropertyValues(GRPC_X509_SAN_PROPERTY_NAME)) {
    sans.emplace_back(name.data(), name.size());
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
