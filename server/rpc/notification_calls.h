// The calls about notifications that were not delivered.
#pragma once

#include <memory>

#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/unary_call.h"

namespace gateway::rpc {

void ListNotifications(const Caller& caller, std::shared_ptr<v1::ListNotificationsRequest> request,
                       const Reply& reply, const Domain& domain);

void ReplayNotification(const Caller& caller,
                        std::shared_ptr<v1::ReplayNotificationRequest> request, const Reply& reply,
                        const Domain& domain);

}  // namespace gateway::rpc
