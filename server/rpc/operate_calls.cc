#include "rpc/operate_calls.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"

namespace gateway::rpc {
namespace {

// One operate call on its way.
struct Operation {
  std::string_view method;  // a literal
  Caller caller;
  std::string job;
  std::string what;
  std::string before;
  std::string account;  // of the job; empty: there is no such job
};

void Tell(const Operation& operation, std::string_view after, const absl::Status& status,
          const Domain& domain) {
  if (!domain.operated) return;
  domain.operated({.method = operation.method,
                   .tenant = operation.caller.tenant,
                   .caller = operation.caller.principal->name,
                   .peer = operation.caller.peer,
                   .job = operation.job,
                   .what = operation.what,
                   .before = operation.before,
                   .after = after,
                   .trace_id = operation.caller.trace.trace_id,
                   .status = status});
}

// Finds the job's state, without asking Pictory, and then goes on.
template <class Then>
void FindState(std::shared_ptr<Operation> operation, const Domain& domain, Then then) {
  const std::string& tenant = operation->caller.tenant;
  if (const jobs::SnapshotPtr known = domain.hub.Find(tenant, operation->job)) {
    operation->before = jobs::StateName(known->state);
    operation->account = known->account;
    return then(std::move(operation));
  }
  domain.store.Find(tenant, operation->job,
                    [operation, then = std::move(then)](
                        const absl::StatusOr<std::optional<jobs::JobRecord>>& found) {
                      if (found.ok() && found->has_value()) {
                        operation->before = jobs::StateName((*found)->job.state);
                        operation->account = (*found)->job.account;
                      }
                      then(operation);
                    });
}

// A method about one job that the backend serves: `call` is its own.
template <class Request, class Response>
void Operate(void (Backend::*call)(const std::string&, std::shared_ptr<const Request>,
                                   Backend::Done<Response>),
             Operation operation, std::shared_ptr<Request> request, const Reply& reply,
             const Domain& domain) {
  operation.job = request->job_id();
  if (absl::Status named = CheckJobName(request->job_id()); !named.ok()) {
    return reply(std::move(named));
  }
  FindState(std::make_shared<Operation>(std::move(operation)), domain,
            [call, request = std::move(request), reply,
             &domain](const std::shared_ptr<Operation>& found) {
              const absl::Status key = found->account.empty()
                                           ? absl::OkStatus()
                                           : CheckKeyOf(found->caller, found->job, found->account);
              if (!key.ok()) {
                Tell(*found, "", key, domain);
                return reply(key);
              }
              (domain.backend.*call)(
                  found->caller.tenant, request,
                  [found, reply, &domain](absl::StatusOr<Response> response) {
                    if (!response.ok()) {
                      Tell(*found, "", response.status(), domain);
                      return reply(response.status());
                    }
                    Tell(*found, jobs::StateName(response->job().state()), absl::OkStatus(),
                         domain);
                    domain.backend.Name({found->caller.tenant, response->job().job_id()});
                    reply(*response);
                  });
            });
}

}  // namespace

void ResolveJob(const Caller& caller, std::shared_ptr<v1::ResolveJobRequest> request,
                const Reply& reply, const Domain& domain) {
  std::string what = "look";
  if (request->decision_case() == v1::ResolveJobRequest::kAdoptPictoryJobId) {
    what = absl::StrCat("adopt ", request->adopt_pictory_job_id());
  } else if (request->abandon()) {
    what = "abandon";
  }
  Operate(&Backend::Resolve, {.method = "ResolveJob", .caller = caller, .what = std::move(what)},
          std::move(request), reply, domain);
}

void DeleteJob(const Caller& caller, std::shared_ptr<v1::DeleteJobRequest> request,
               const Reply& reply, const Domain& domain) {
  std::string what = request->cancel_only() ? "cancel" : "";
  Operate(&Backend::Delete, {.method = "DeleteJob", .caller = caller, .what = std::move(what)},
          std::move(request), reply, domain);
}

}  // namespace gateway::rpc
