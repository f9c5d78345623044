// Every kind that a job can be read as.
#pragma once

#include "pictory/jobs/v1/job.pb.h"

namespace gateway::pictory {

inline constexpr ::pictory::jobs::v1::JobKind kKinds[] = {
    ::pictory::jobs::v1::JOB_KIND_UNSPECIFIED, ::pictory::jobs::v1::JOB_KIND_PREVIEW,
    ::pictory::jobs::v1::JOB_KIND_RENDER,      ::pictory::jobs::v1::JOB_KIND_TRANSCRIPTION,
    ::pictory::jobs::v1::JOB_KIND_SUMMARY,     ::pictory::jobs::v1::JOB_KIND_IMAGE,
    ::pictory::jobs::v1::JOB_KIND_VIDEO};

}  // namespace gateway::pictory
