#include "rpc/info_call.h"

#include <optional>
#include <string>
#include <utility>

#include "base/errors.h"
#include "rpc/pressure.h"
#include "rpc/times.h"

namespace gateway::rpc {
namespace {

// No job has this name; to look for it reads the store.
constexpr char kNobody[] = "server-info";

void SetRoles(tenants::Roles roles, v1::GetServerInfoResponse& info) {
  if (roles.Has(tenants::Role::kRead)) info.add_roles("read");
  if (roles.Has(tenants::Role::kSubmit)) info.add_roles("submit");
  if (roles.Has(tenants::Role::kOperate)) info.add_roles("operate");
}

void SetObstacle(const absl::Status& why, v1::GetServerInfoResponse::Obstacle& out) {
  out.set_reason(errors::Reason(why));
  out.set_message(std::string(why.message()));
}

v1::GetServerInfoResponse InfoFor(const Caller& caller, const Domain& domain) {
  v1::GetServerInfoResponse info = domain.backend.GetServerInfo();
  SetTime(domain.clock.WallNow(), *info.mutable_server_time());
  info.set_caller(caller.principal->name);
  info.set_tenant(caller.tenant);
  SetRoles(caller.principal->roles, info);
  info.set_account(caller.owner.account);
  info.set_callers_pay(caller.principal->callers_pay);
  info.set_require_request_id(domain.require_request_id);
  const absl::Status obstacle = caller.owner.account.empty()
                                    ? errors::PictoryKeyNeeded()
                                    : domain.backend.PictoryObstacle(caller.owner.account);
  if (!obstacle.ok()) SetObstacle(obstacle, *info.mutable_pictory_obstacle());
  for (std::size_t i = 0; i < kShedNames.size(); ++i) {
    if (domain.shedding != nullptr && domain.shedding->Sheds(static_cast<Shed>(i))) {
      info.add_shed(std::string(kShedNames[i]));
    }
  }
  return info;
}

}  // namespace

void GetServerInfo(const Caller& caller, std::shared_ptr<v1::GetServerInfoRequest>,
                   const Reply& reply, const Domain& domain) {
  v1::GetServerInfoResponse info = InfoFor(caller, domain);
  if (const absl::Status shed = UnderPressure(domain, Shed::kReads); !shed.ok()) {
    SetObstacle(shed, *info.mutable_store_obstacle());
    return reply(info);
  }
  domain.store.Find(caller.tenant, kNobody,
                    [reply, info = std::move(info)](
                        const absl::StatusOr<std::optional<jobs::JobRecord>>& read) mutable {
                      if (!read.ok()) SetObstacle(read.status(), *info.mutable_store_obstacle());
                      reply(info);
                    });
}

}  // namespace gateway::rpc
