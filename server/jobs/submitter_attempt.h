// What submitter.cc and submitter_steps.cc share: one submission under way. Nobody else's business.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jobs/submitter.h"
#include "pictory/submit_reply.h"

namespace gateway::jobs {

// One submission under way. Its steps run one after the other; what is shared says so.
struct Submitter::Attempt {
  // Whether Pictory's answer is waited for, and callers have been told meanwhile that it is
  // unknown.
  enum class Stage { kBefore, kSent, kTelling, kTold, kAnswered };

  JobKey key;
  SubmitRequest request;
  std::string token;                // that the webhook's URL carries
  std::shared_ptr<void> part_held;  // what is read of another job's result is counted as long
  pictory::Submission submission;
  pictory::Authorization authorization;
  std::optional<Upstream::Turn> turn;  // until it is used or given back
  JobRecord record;
  MonoTime counted_at{};  // among the submits that may cost money
  bool sent_again = false;
  // Guarded by Submitter::mutex_.
  std::vector<Waiter> waiting;
  Stage stage = Stage::kBefore;
  std::optional<JobRecord> told;             // what the record became by that
  std::optional<pictory::SubmitReply> held;  // came while callers were being told
};

}  // namespace gateway::jobs
