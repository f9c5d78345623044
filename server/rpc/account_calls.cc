#include "rpc/account_calls.h"

#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/ids.h"
#include "base/stable_bytes.h"
#include "pictory/billing_calls.h"
#include "pictory/project_calls.h"
#include "pictory/template_calls.h"
#include "rpc/large_answers.h"
#include "rpc/pressure.h"

namespace gateway::rpc {
namespace {

using jobs::Purpose;
using Answer = absl::StatusOr<jobs::AccountDesk::Answer>;

// Why the caller may not know, or change, what is the account's. Who shows no key where callers pay
// has no account.
absl::Status MayReach(const Caller& caller, std::string_view method) {
  if (caller.owner.account.empty()) return errors::PictoryKeyNeeded();
  if (caller.owner.adopts) return absl::OkStatus();
  return errors::RoleRequired("operate", method, caller.tenant, caller.principal->name);
}

absl::Status CheckId(std::string_view field, std::string_view id) {
  if (id.empty()) return errors::Invalid(std::string(field), "is required");
  if (IsUpstreamId(id)) return absl::OkStatus();
  return errors::Invalid(std::string(field), kUpstreamIdRule);
}

absl::Status Checked(pictory::Violations violations) {
  std::vector<errors::Violation> found = violations.Take();
  return found.empty() ? absl::OkStatus() : errors::Invalid(std::move(found));
}

// Answers with what may be large, and counts it until the caller has it.
template <class Response>
void Tell(const absl::StatusOr<Response>& response, const std::string& peer, const Reply& reply,
          const Domain& domain) {
  if (!response.ok()) return reply(response.status());
  auto frame = std::make_shared<const std::string>(StableBytes(*response));
  absl::StatusOr<LargeAnswers::HeldPtr> held = domain.large_answers->Hold(frame->size(), peer);
  if (!held.ok()) return reply(held.status());
  reply(Keep(std::move(frame), *std::move(held)));
}

// Looks something up: `read` makes the response of Pictory's answer.
template <class Read>
void Look(std::string_view method, const Caller& caller, absl::Status checked,
          pictory::FreeCall call, const Reply& reply, const Domain& domain, Read read) {
  if (absl::Status may = MayReach(caller, method); !may.ok()) return reply(std::move(may));
  if (!checked.ok()) return reply(std::move(checked));
  if (absl::Status shed = UnderPressure(domain, Shed::kReads); !shed.ok()) {
    return reply(std::move(shed));
  }
  domain.backend.Ask(caller.owner, Purpose::kLook, std::move(call),
                     [read, reply, peer = caller.peer, &domain](const Answer& answer) {
                       if (!answer.ok()) return reply(answer.status());
                       Tell(read(*answer), peer, reply, domain);
                     });
}

// Changes something, of which the audit is told. `what` names it.
template <class Read>
void Change(std::string_view method, const Caller& caller, std::string what, absl::Status checked,
            pictory::FreeCall call, const Reply& reply, const Admission& admission,
            const Domain& domain, Read read) {
  if (admission.draining()) return reply(admission.DrainStatus());
  if (absl::Status may = MayReach(caller, method); !may.ok()) return reply(std::move(may));
  if (!checked.ok()) return reply(std::move(checked));
  if (absl::Status shed = UnderPressure(domain, Shed::kSubmits); !shed.ok()) {
    return reply(std::move(shed));
  }
  domain.backend.Ask(
      caller.owner, Purpose::kChange, std::move(call),
      [method, caller, what = std::move(what), read, reply, &domain](const Answer& answer) {
        if (domain.operated) {
          domain.operated({.method = method,
                           .tenant = caller.tenant,
                           .caller = caller.principal->name,
                           .peer = caller.peer,
                           .job = "",
                           .what = what,
                           .status = answer.status()});
        }
        if (!answer.ok()) return reply(answer.status());
        Tell(read(*answer), caller.peer, reply, domain);
      });
}

}  // namespace

void ListProjects(const Caller& caller, std::shared_ptr<v1::ListProjectsRequest> request,
                  const Reply& reply, const Domain& domain) {
  Look("ListProjects", caller, absl::OkStatus(), pictory::ListProjectsCall(request->page_token()),
       reply, domain, [](const jobs::AccountDesk::Answer& answer) {
         return pictory::ReadProjects(answer.body, answer.allow_loopback);
       });
}

void GetProject(const Caller& caller, std::shared_ptr<v1::GetProjectRequest> request,
                const Reply& reply, const Domain& domain) {
  Look("GetProject", caller, CheckId("project_id", request->project_id()),
       pictory::GetProjectCall(request->project_id()), reply, domain,
       [](const jobs::AccountDesk::Answer& answer) {
         return pictory::ReadProject(answer.body, answer.allow_loopback);
       });
}

// First the quota is asked for, then the charges.
void GetAccount(const Caller& caller, std::shared_ptr<v1::GetAccountRequest> request,
                const Reply& reply, const Domain& domain) {
  if (absl::Status may = MayReach(caller, "GetAccount"); !may.ok()) return reply(std::move(may));
  pictory::Violations violations;
  pictory::CheckMonth(*request, violations);
  if (absl::Status wrong = Checked(std::move(violations)); !wrong.ok()) return reply(wrong);
  if (absl::Status shed = UnderPressure(domain, Shed::kReads); !shed.ok()) {
    return reply(std::move(shed));
  }
  domain.backend.Ask(
      caller.owner, Purpose::kLook, pictory::QuotaCall(),
      [caller, request = std::move(request), reply, &domain](const Answer& quota) {
        if (!quota.ok()) return reply(quota.status());
        auto account = std::make_shared<v1::GetAccountResponse>();
        account->set_account(caller.owner.account);
        if (absl::Status read = pictory::ReadQuota(quota->body, *account); !read.ok()) {
          return reply(std::move(read));
        }
        domain.backend.Ask(caller.owner, Purpose::kLook, pictory::ChargesCall(*request),
                           [peer = caller.peer, account, reply, &domain](const Answer& charges) {
                             if (!charges.ok()) return reply(charges.status());
                             absl::Status read = pictory::ReadCharges(charges->body, *account);
                             if (!read.ok()) return reply(std::move(read));
                             Tell<v1::GetAccountResponse>(std::move(*account), peer, reply, domain);
                           });
      });
}

void ListTemplates(const Caller& caller, std::shared_ptr<v1::ListTemplatesRequest>,
                   const Reply& reply, const Domain& domain) {
  Look("ListTemplates", caller, absl::OkStatus(), pictory::ListTemplatesCall(), reply, domain,
       [](const jobs::AccountDesk::Answer& answer) { return pictory::ReadTemplates(answer.body); });
}

void GetTemplate(const Caller& caller, std::shared_ptr<v1::GetTemplateRequest> request,
                 const Reply& reply, const Domain& domain) {
  Look("GetTemplate", caller, CheckId("template_id", request->template_id()),
       pictory::GetTemplateCall(request->template_id()), reply, domain,
       [](const jobs::AccountDesk::Answer& answer) { return pictory::ReadTemplate(answer.body); });
}

void CreateTemplate(const Caller& caller, std::shared_ptr<v1::CreateTemplateRequest> request,
                    const Reply& reply, const Admission& admission, const Domain& domain) {
  pictory::Violations violations;
  pictory::CheckTemplate(*request, violations);
  Change("CreateTemplate", caller, "a template", Checked(std::move(violations)),
         pictory::CreateTemplateCall(*request), reply, admission, domain,
         [](const jobs::AccountDesk::Answer& answer) {
           return pictory::ReadNewTemplate(answer.body);
         });
}

void UpdateTemplate(const Caller& caller, std::shared_ptr<v1::UpdateTemplateRequest> request,
                    const Reply& reply, const Admission& admission, const Domain& domain) {
  absl::Status wrong = CheckId("template_id", request->template_id());
  if (wrong.ok()) {
    pictory::Violations violations;
    pictory::CheckTemplateUpdate(*request, violations);
    wrong = Checked(std::move(violations));
  }
  Change("UpdateTemplate", caller, "template " + request->template_id(), std::move(wrong),
         pictory::UpdateTemplateCall(*request), reply, admission, domain,
         [](const jobs::AccountDesk::Answer&) {
           return absl::StatusOr<v1::UpdateTemplateResponse>(v1::UpdateTemplateResponse());
         });
}

void DeleteTemplate(const Caller& caller, std::shared_ptr<v1::DeleteTemplateRequest> request,
                    const Reply& reply, const Admission& admission, const Domain& domain) {
  Change("DeleteTemplate", caller, "template " + request->template_id(),
         CheckId("template_id", request->template_id()),
         pictory::DeleteTemplateCall(request->template_id()), reply, admission, domain,
         [](const jobs::AccountDesk::Answer&) {
           return absl::StatusOr<v1::DeleteTemplateResponse>(v1::DeleteTemplateResponse());
         });
}

}  // namespace gateway::rpc
