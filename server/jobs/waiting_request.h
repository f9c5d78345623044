// These functions read the request of a job that waits from its record, and say what becomes of the
// job with the one that it is made of.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "jobs/job.h"
#include "jobs/snapshot.h"
#include "pictory/translate.h"

namespace gateway::jobs {

// The request of a record that waits; null if its bytes cannot be read.
std::shared_ptr<const google::protobuf::Message> RequestOf(const JobRecord& waiting);

// The name by which that request names the job that is waited for.
std::string NameOfOther(const JobRecord& waiting);

// Why a job that waits for `other` will never be sent: the code and the words of its error. Nullopt
// if it may be: `other` has not ended, or has SUCCEEDED, or cannot be looked up now.
struct WhyNever {
  std::string code;
  std::string words;
};
std::optional<WhyNever> WhyNeverSent(const pictory::Reference& reference,
                                     const absl::StatusOr<SnapshotPtr>& other);

}  // namespace gateway::jobs
