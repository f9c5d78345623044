// These functions read and write the tables for a copy (store/copyable.h), row by row as they are.
// Those that write are for a transaction. They throw Error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "postgres/connection.h"
#include "store/copyable.h"

namespace gateway::postgres {

std::optional<store::CopyMark> ReadCopyMark(Connection& connection);
void WriteCopyMark(Connection& connection, const std::optional<store::CopyMark>& mark);
// Whether this gateway may use the store (store/copy_mark.h); if so, notes that it does, should the
// store be a copy. The row of pictory.store is locked.
absl::Status Admit(Connection& connection);
// FAILED_PRECONDITION if another one than `gateway` uses the store. None can begin to before the
// end of the transaction.
absl::Status CheckUnused(Connection& connection, const std::string& gateway);

std::string ReadStoreId(Connection& connection);
store::CopyCounts CountRows(Connection& connection);
store::CopiedRest ReadCopiedRest(Connection& connection);
std::vector<store::CopiedJob> ReadCopiedJobs(Connection& connection, const jobs::JobKey& after);
std::vector<store::CopiedSlice> ReadCopiedSlices(Connection& connection, const jobs::JobKey& job,
                                                 int part, std::int64_t after_slice);
std::vector<jobs::JobKey> FindCopiedSlices(Connection& connection, const jobs::JobKey& after,
                                           const jobs::JobKey& last);

void ClearRows(Connection& connection, const std::optional<store::CopyMark>& mark);
void WriteCopiedSlices(Connection& connection, const std::vector<store::CopiedSlice>& slices);
void WriteCopiedJobs(Connection& connection, const std::vector<store::CopiedJob>& jobs);
void WriteCopiedRest(Connection& connection, const store::CopiedRest& rest);

}  // namespace gateway::postgres
