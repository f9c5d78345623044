// Copyable is what copying a store to another one (store/copier.h) asks of each, beside what Store
// says. Nobody else uses a store meanwhile, which its mark sees to. Calls block, and are made on
// one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "jobs/store.h"
#include "store/copy_mark.h"

namespace gateway::store {

// A job with all that belongs to it, but for the parts of its result.
struct CopiedJob {
  jobs::JobRecord record;
  std::int32_t claims = 0;
  std::vector<std::string> aliases;  // sorted
  std::vector<std::string> hints;    // in the order they came

  jobs::JobKey key() const { return {record.job.tenant, record.job.job_id}; }
};

// A row of a part of a result.
struct CopiedSlice {
  jobs::JobKey job;
  int part = 0;
  std::int64_t slice = 0;
  std::int64_t total_bytes = 0;
  std::string bytes;
};

// What a store holds besides its jobs.
struct CopiedRest {
  std::int64_t epoch = 0;
  std::int64_t clean_epoch = 0;
  jobs::AskedOfAccounts accounts;

  bool operator==(const CopiedRest&) const = default;
};

// The rows of each table.
struct CopyCounts {
  std::int64_t jobs = 0;
  std::int64_t labels = 0;
  std::int64_t slices = 0;
  std::int64_t aliases = 0;
  std::int64_t hints = 0;
  std::int64_t accounts = 0;

  bool operator==(const CopyCounts&) const = default;
};

class Copyable {
 public:
  virtual ~Copyable() = default;

  // A name of the store that no other has.
  virtual absl::StatusOr<std::string> ReadStoreId() = 0;
  virtual absl::StatusOr<CopyCounts> Count() = 0;
  virtual absl::StatusOr<CopiedRest> ReadRest() = 0;
  // Reads the jobs after this one, in the order of their keys: at least one if there is one, and no
  // more than fit into memory (limits::kCopyJobs, limits::kStoreGroupMaxBytes). The first page
  // comes after an empty key.
  virtual absl::StatusOr<std::vector<CopiedJob>> ReadJobs(const jobs::JobKey& after) = 0;
  // Reads the slices of a job after that of this place, in order, in pages of as many bytes.
  virtual absl::StatusOr<std::vector<CopiedSlice>> ReadSlices(const jobs::JobKey& job, int part,
                                                              std::int64_t after_slice) = 0;
  // The jobs of this page that have slices.
  virtual absl::StatusOr<std::vector<jobs::JobKey>> FindSlices(const jobs::JobKey& after,
                                                               const jobs::JobKey& last) = 0;

  virtual absl::StatusOr<std::optional<CopyMark>> ReadMark() = 0;
  // Sets the mark, or removes it. FAILED_PRECONDITION if a gateway uses the store.
  virtual absl::Status SetMark(const std::optional<CopyMark>& mark) = 0;
  // Removes everything that the store holds, and sets its mark, both or neither.
  virtual absl::Status Clear(const std::optional<CopyMark>& mark) = 0;
  // Writes slices, which may be there already.
  virtual absl::Status WriteSlices(std::vector<CopiedSlice> slices) = 0;
  // Writes jobs as they are, and notes the last of them in the mark, both or neither.
  virtual absl::Status WriteJobs(std::vector<CopiedJob> jobs) = 0;
  // Replaces the rest. The epochs do not fall.
  virtual absl::Status WriteRest(CopiedRest rest) = 0;
};

}  // namespace gateway::store
