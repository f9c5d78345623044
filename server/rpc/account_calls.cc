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
void Tell(const absl::StatusOr<Response>& response, LargeAnswers::Holder holder, const Reply& reply,
          const Domain& domain) {
  if (!response.ok()) return reply(response.status());
  auto frame = std::make_shared<const std::string>(StableBytes(*response));
  absl::StatusOr<LargeAnswers::HeldPtr> held =
      domain.large_answers->Hold(frame->size(), std::move(holder));
  if (!held.ok()) return reply(held.status());
  reply(Keep(std::move(frame), *std::move(held)));
}

// Answers that a template was made, in any case: where there is no room for all that Pictory told
// of it, without its text and its variables.
void TellMade(absl::StatusOr<v1::CreateTemplateResponse> made, LargeAnswers::Holder holder,
              const Reply& reply, const Domain& domain) {
  if (!made.ok()) return reply(made.status());
  absl::StatusOr<LargeAnswers::HeldPtr> held =
      domain.large_answers->Hold(made->ByteSizeLong(), std::move(holder));
  if (held.ok()) {
    return reply(Keep(std::make_shared<const std::string>(StableBytes(*made)), *std::move(held)));
  }
  const auto told = static_cast<std::int32_t>(made->template_json().size());
  if (told > 0) made->set_omitted_bytes(told);
  made->clear_template_json();
  made->mutable_info()->clear_variables();
  reply(*made);
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
  domain.backend.Ask(
      caller.owner, Purpose::kLook, std::move(call),
      [read, reply, holder = LargeAnswers::HolderOf(caller), &domain](const Answer& answer) {
        if (!answer.ok()) return reply(answer.status());
        Tell(read(*answer), holder, reply, domain);
      });
}

// Tells the audit of a call that is about the account and no job. `what` names what it was about.
void Audit(std::string_view method, const Caller& caller, const std::string& what,
           const absl::Status& status, const Domain& domain) {
  if (!domain.operated) return;
  domain.operated({.method = method,
                   .tenant = caller.tenant,
                   .caller = caller.principal->name,
                   .peer = caller.peer,
                   .job = "",
                   .what = what,
                   .trace_id = caller.trace.trace_id,
                   .status = status});
}

// Changes something, of which the audit is told. `what` names it, `check` says what is wrong with
// the request and `make` makes the call of it, both only of who may; `tell` answers what Pictory
// did. Who is gone before the call has its turn has changed nothing, and what is sent is counted
// until Pictory has answered.
template <class Check, class Make, class Answered>
void Change(std::string_view method, const Caller& caller, std::string what, Check check, Make make,
            const Reply& reply, const Admission& admission, const Domain& domain, Answered tell) {
  if (admission.draining()) return reply(admission.DrainStatus());
  if (absl::Status may = MayReach(caller, method); !may.ok()) return reply(std::move(may));
  if (absl::Status wrong = check(); !wrong.ok()) return reply(std::move(wrong));
  if (absl::Status shed = UnderPressure(domain, Shed::kSubmits); !shed.ok()) {
    return reply(std::move(shed));
  }
  if (reply.cancelled()->load()) return;
  pictory::FreeCall call = make();
  call.cancelled = reply.cancelled();
  absl::StatusOr<std::shared_ptr<void>> held =
      HoldLarge(domain, call.body == nullptr ? 0 : call.body->size());
  if (!held.ok()) return reply(held.status());
  domain.backend.Ask(caller.owner, Purpose::kChange, std::move(call),
                     [method, caller, what = std::move(what), held = *std::move(held), tell, reply,
                      &domain](const Answer& answer) {
                       Audit(method, caller, what, answer.status(), domain);
                       if (!answer.ok()) return reply(answer.status());
                       tell(*answer);
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

// First the quota is asked for, then the charges. They are what all of the account's tenants have
// spent, so the audit is told who looks.
void GetAccount(const Caller& caller, std::shared_ptr<v1::GetAccountRequest> request,
                const Reply& reply, const Domain& domain) {
  if (absl::Status may = MayReach(caller, "GetAccount"); !may.ok()) return reply(std::move(may));
  pictory::Violations violations;
  pictory::CheckMonth(*request, violations);
  if (absl::Status wrong = Checked(std::move(violations)); !wrong.ok()) return reply(wrong);
  if (absl::Status shed = UnderPressure(domain, Shed::kReads); !shed.ok()) {
    return reply(std::move(shed));
  }
  domain.backend.LookTwice(
      caller.owner, pictory::QuotaCall(), pictory::ChargesCall(*request),
      [caller, reply, &domain](const absl::StatusOr<jobs::AccountDesk::Both>& answers) {
        Audit("GetAccount", caller, "account " + caller.owner.account, answers.status(), domain);
        if (!answers.ok()) return reply(answers.status());
        v1::GetAccountResponse account;
        account.set_account(caller.owner.account);
        absl::Status read = pictory::ReadQuota(answers->first.body, account);
        if (read.ok()) read = pictory::ReadCharges(answers->second.body, account);
        if (!read.ok()) return reply(std::move(read));
        Tell<v1::GetAccountResponse>(std::move(account), LargeAnswers::HolderOf(caller), reply,
                                     domain);
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
  Change(
      "CreateTemplate", caller, "a template",
      [&] {
        pictory::Violations violations;
        pictory::CheckTemplate(*request, violations);
        return Checked(std::move(violations));
      },
      [&] { return pictory::CreateTemplateCall(*request); }, reply, admission, domain,
      [holder = LargeAnswers::HolderOf(caller), reply,
       &domain](const jobs::AccountDesk::Answer& answer) {
        TellMade(pictory::ReadNewTemplate(answer.body), holder, reply, domain);
      });
}

void UpdateTemplate(const Caller& caller, std::shared_ptr<v1::UpdateTemplateRequest> request,
                    const Reply& reply, const Admission& admission, const Domain& domain) {
  Change(
      "UpdateTemplate", caller, "template " + request->template_id(),
      [&] {
        absl::Status named = CheckId("template_id", request->template_id());
        if (!named.ok()) return named;
        pictory::Violations violations;
        pictory::CheckTemplateUpdate(*request, violations);
        return Checked(std::move(violations));
      },
      [&] { return pictory::UpdateTemplateCall(*request); }, reply, admission, domain,
      [reply](const jobs::AccountDesk::Answer&) { reply(v1::UpdateTemplateResponse()); });
}

void DeleteTemplate(const Caller& caller, std::shared_ptr<v1::DeleteTemplateRequest> request,
                    const Reply& reply, const Admission& admission, const Domain& domain) {
  Change(
      "DeleteTemplate", caller, "template " + request->template_id(),
      [&] { return CheckId("template_id", request->template_id()); },
      [&] { return pictory::DeleteTemplateCall(request->template_id()); }, reply, admission, domain,
      [reply](const jobs::AccountDesk::Answer&) { reply(v1::DeleteTemplateResponse()); });
}

}  // namespace gateway::rpc
