// The messages of the API under short names, and what to know of a job's state.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "pictory/jobs/v1/job.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace pictory_jobs {

namespace v1 = ::pictory::jobs::v1;

using v1::CreatePreviewRequest;
using v1::CreateTemplateRequest;
using v1::CreateTemplateResponse;
using v1::CreateUploadRequest;
using v1::CreateUploadResponse;
using v1::GenerateImageRequest;
using v1::GenerateVideoRequest;
using v1::GetAccountRequest;
using v1::GetAccountResponse;
using v1::GetProjectResponse;
using v1::GetServerInfoResponse;
using v1::GetTemplateResponse;
using v1::GetUsageRequest;
using v1::GetUsageResponse;
using v1::Job;
using v1::JobEstimate;
using v1::JobKind;
using v1::JobState;
using v1::JobView;
using v1::ListJobsRequest;
using v1::ListNotificationsRequest;
using v1::ListNotificationsResponse;
using v1::ListProjectsRequest;
using v1::ListProjectsResponse;
using v1::ListTemplatesResponse;
using v1::Notification;
using v1::RenderRequest;
using v1::ResolveJobRequest;
using v1::ResolveJobResponse;
using v1::ResultPart;
using v1::SummarizeRequest;
using v1::TranscribeRequest;
using v1::UpdatePreviewRequest;
using v1::UpdateTemplateRequest;

// True for SUCCEEDED and for the five other ends: FAILED, EXPIRED, CLEANED, OUTCOME_UNKNOWN and
// CANCELLED.
bool IsFinal(JobState state);

// The job, which has its result. FAILED_PRECONDITION, with Pictory's reason, if it is in any other
// state than SUCCEEDED.
absl::StatusOr<Job> MustSucceed(Job job);

// A random request_id. A caller that mints its own and keeps it can repeat a submit after its own
// crash, and gets the same job.
std::string MintRequestId();

}  // namespace pictory_jobs
