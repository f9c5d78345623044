// These functions make the calls for the templates of an account, and read their answers. Pure.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "pictory/free_call.h"
#include "pictory/jobs/v1/template.pb.h"
#include "pictory/violations.h"

namespace gateway::pictory {

// Checks that there is a file.
void CheckTemplate(const ::pictory::jobs::v1::CreateTemplateRequest& request,
                   Violations& violations);
// Checks that the scenes are a JSON array that has some.
void CheckTemplateUpdate(const ::pictory::jobs::v1::UpdateTemplateRequest& request,
                         Violations& violations);

FreeCall CreateTemplateCall(const ::pictory::jobs::v1::CreateTemplateRequest& request);
FreeCall UpdateTemplateCall(const ::pictory::jobs::v1::UpdateTemplateRequest& request);
FreeCall ListTemplatesCall();
FreeCall GetTemplateCall(std::string_view template_id);
FreeCall DeleteTemplateCall(std::string_view template_id);

// UNAVAILABLE if the list is not readable.
absl::StatusOr<::pictory::jobs::v1::ListTemplatesResponse> ReadTemplates(std::string_view body);
// The answer to a creation. UNKNOWN if it names no template, because there may be one.
absl::StatusOr<::pictory::jobs::v1::CreateTemplateResponse> ReadNewTemplate(std::string_view body);
// The answer to who asks for one. UNAVAILABLE if it names none.
absl::StatusOr<::pictory::jobs::v1::GetTemplateResponse> ReadTemplate(std::string_view body);

}  // namespace gateway::pictory
