// One state of one job, frozen: recent, not a promise to be the newest.
//
// The message is serialised once, when the snapshot is made; every caller and every watcher gets
// those bytes. Immutable, shared between threads.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "jobs/job.h"

namespace gateway::jobs {

// Bytes of a whole response message, shared by all who send it.
using Frame = std::shared_ptr<const std::string>;

struct Snapshot {
  // Without its result_wire, which would be kept twice: see result_wire() below.
  Job job;
  // The bytes of any response whose field 1 is this job in the BASIC view, as all of ours are that
  // hold one: tag, length, then the v1.Job.
  std::string frame;
  std::size_t job_at = 0;     // where the v1.Job begins in `frame`
  std::size_t result_at = 0;  // where its result begins

  bool final() const { return IsFinal(job.state); }
  std::string_view job_wire() const { return std::string_view(frame).substr(job_at); }
  std::string_view result_wire() const { return std::string_view(frame).substr(result_at); }
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

SnapshotPtr MakeSnapshot(Job job);

// The message callers see: with the BASIC result if there is one.
v1::Job ToProto(const Job& job);

// Without the result's texts, for lists; the parts left out are named in omitted_parts.
v1::Job ToListProto(const Job& job);

// The response that holds the snapshot's job. `degraded` sets upstream_degraded, which is no
// property of the job and so not part of its snapshot.
Frame JobFrame(const SnapshotPtr& snapshot, bool degraded);

// The same with the FULL result: `full` is wire bytes of a v1.Job with result and omitted_parts.
Frame FullFrame(const Snapshot& snapshot, std::string_view full, bool degraded);

// A WatchJobResponse that says there is nothing new.
Frame HeartbeatFrame(std::int32_t revision, bool degraded);

}  // namespace gateway::jobs
