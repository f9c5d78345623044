// These rules are what the requests of a kind of job must obey beyond what their .proto says: what
// Pictory is known to ignore, to refuse late or to bill in vain. Pure; findings go to `violations`.
#pragma once

#include "google/protobuf/message.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/translate.h"
#include "pictory/violations.h"

namespace gateway::pictory {

void CheckPreview(const ::pictory::jobs::v1::CreatePreviewRequest& request,
                  const TranslateOptions& options, Violations& violations);
void CheckRender(const ::pictory::jobs::v1::RenderRequest& request, const TranslateOptions& options,
                 Violations& violations);
void CheckSummary(const ::pictory::jobs::v1::SummarizeRequest& request,
                  const TranslateOptions& options, Violations& violations);

// The rules of kinds without rules of their own: a body of JSON text is an object without a
// `webhook`, and has no member that the arm of the same body in fields (`x` beside `x_json`) does
// not know.
void CheckPlainBody(const google::protobuf::Message& request, Violations& violations);

}  // namespace gateway::pictory
