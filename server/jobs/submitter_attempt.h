// Submitter::Attempt, one submission under way. Only the parts of Submitter include this.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "jobs/submitter.h"
#include "pictory/bindings.h"
#include "pictory/credits.h"
#include "pictory/submit_reply.h"

namespace gateway::jobs {

// An attempt's steps run one after the other, so its fields need no lock, except those that say so.
struct Submitter::Attempt {
  // How far the attempt is: before the request is sent; while Pictory's answer is waited for, and
  // meanwhile callers are told, or have been told, that the job is unconfirmed; or after the
  // answer.
  enum class Stage { kBefore, kSent, kTelling, kTold, kAnswered };

  // The credits that the submit may use.
  double CreditsToReserve(const pictory::Submission& made) const {
    const bool unknown = pictory::IsMadeOfUnknown(*request.request);
    return std::max({unknown ? pictory::kUnknownCredits : 0, credits_of_preview,
                     pictory::EstimateCredits(made.kind, *made.body)});
  }

  JobKey key;
  SubmitRequest request;
  std::string token;                // the correlation token, in the webhook's URL
  std::shared_ptr<void> part_held;  // what is read of another job's result is counted as long
  UpstreamPtr upstream;             // from the first step that needs it
  pictory::Submission submission;
  pictory::Authorization authorization;
  std::optional<Upstream::Turn> turn;  // until it is used or given back
  JobRecord record;
  MonoTime counted_at{};          // among the submits that may cost money
  BootTime sending_at{};          // when it was handed in to be recorded as SENDING
  double credits = 0;             // that it may use
  double credits_of_preview = 0;  // of them, what is known of the preview that is rendered
  bool sent_again = false;
  LateWrites::Tries tries;          // of storing what came of it
  LateWrites::Tries telling_tries;  // of storing that it is unconfirmed
  bool holds = false;               // the job that it refers to has not ended, and it is to wait
  std::size_t place = 0;            // the bytes of its place among jobs that wait, while it has one
  std::optional<std::int32_t> referenced_shard;  // of the job that it refers to
  WaitingJobs::Sent waited;  // the job has waited, nobody is to be answered, and this is to be told
  std::string waited_job_id;  // of that job; it is not written again once others see the attempt
  double credits_held = 0;    // reserved while it waited
  // Guarded by Submitter::mutex_.
  std::vector<Waiter> waiting;
  Stage stage = Stage::kBefore;
  bool active = false;                       // it counts among its tenant's active jobs
  std::optional<JobRecord> told;             // what the record became by that
  std::optional<pictory::SubmitReply> held;  // came while callers were being told
};

}  // namespace gateway::jobs
