// The methods about what is a Pictory account's and no job's: its projects, templates and charges.
//
// Nothing of it is any tenant's own. Who has the account for itself may know it and make templates;
// where several tenants share one, that takes the role `operate`, as naming a job of Pictory's does
// (tenants/principal.h). Each change is told to the domain, for the audit, and so is GetAccount.
#pragma once

#include <memory>

#include "rpc/admission.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/unary_call.h"

namespace gateway::rpc {

void ListProjects(const Caller& caller, std::shared_ptr<v1::ListProjectsRequest> request,
                  const Reply& reply, const Domain& domain);
void GetProject(const Caller& caller, std::shared_ptr<v1::GetProjectRequest> request,
                const Reply& reply, const Domain& domain);

void GetAccount(const Caller& caller, std::shared_ptr<v1::GetAccountRequest> request,
                const Reply& reply, const Domain& domain);

void ListTemplates(const Caller& caller, std::shared_ptr<v1::ListTemplatesRequest> request,
                   const Reply& reply, const Domain& domain);
void GetTemplate(const Caller& caller, std::shared_ptr<v1::GetTemplateRequest> request,
                 const Reply& reply, const Domain& domain);
void CreateTemplate(const Caller& caller, std::shared_ptr<v1::CreateTemplateRequest> request,
                    const Reply& reply, const Admission& admission, const Domain& domain);
void UpdateTemplate(const Caller& caller, std::shared_ptr<v1::UpdateTemplateRequest> request,
                    const Reply& reply, const Admission& admission, const Domain& domain);
void DeleteTemplate(const Caller& caller, std::shared_ptr<v1::DeleteTemplateRequest> request,
                    const Reply& reply, const Admission& admission, const Domain& domain);

}  // namespace gateway::rpc
