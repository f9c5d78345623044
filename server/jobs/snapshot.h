// Snapshot is one state of one job, frozen. It is recent, and does not promise to be the newest.
//
// The job is serialised once, when the snapshot is made; every caller and every watcher gets those
// bytes. A snapshot is immutable and shared between threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "jobs/job.h"
#include "jobs/job_key.h"

namespace gateway::jobs {

// A Frame is the bytes of a whole response message, shared by all who send it.
using Frame = std::shared_ptr<const std::string>;

// It holds the fields of a job that the gateway itself reads all the time, and the job's bytes.
// Every unfinished job has a snapshot in memory, so no text is in it twice.
struct Snapshot {
  // A text that stands in `frame`.
  struct Part {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };

  std::string tenant;
  std::string account;
  std::string trace_id;  // of the trace that its submit was in, for the log; mostly empty
  // The bytes of any response whose field 1 is this job in the BASIC view, as it is in all of our
  // responses that hold a job: tag, length, then the v1.Job.
  std::string frame;
  JobKind kind = v1::JOB_KIND_UNSPECIFIED;
  JobState state = v1::JOB_STATE_UNSPECIFIED;
  std::int32_t revision = 0;
  std::int32_t shard = 0;
  WallTime sent_at{};           // when its submit was sent; zero: unknown, or it was not
  WallTime update_time{};       // when it changed last, as callers see it
  std::uint32_t job_at = 0;     // where the v1.Job begins in `frame`
  std::uint32_t result_at = 0;  // where its result begins
  Part job_id_at;
  Part pictory_job_id_at;

  std::string_view job_id() const { return Text(job_id_at); }
  std::string_view pictory_job_id() const { return Text(pictory_job_id_at); }  // empty until known
  bool final() const { return IsFinal(state); }
  // Whether the job is of this kind as far as is known: the kind of one that was adopted shows in
  // its result, if it is one that we know.
  bool may_be(JobKind other) const {
    return kind == other || (kind == v1::JOB_KIND_UNSPECIFIED && !final());
  }
  JobKeyView key() const { return {tenant, job_id()}; }
  JobKeyView pictory_key() const { return {tenant, pictory_job_id()}; }
  std::string_view job_wire() const { return std::string_view(frame).substr(job_at); }
  std::string_view result_wire() const { return std::string_view(frame).substr(result_at); }

 private:
  std::string_view Text(Part part) const {
    return std::string_view(frame).substr(part.at, part.size);
  }
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

SnapshotPtr MakeSnapshot(const JobRecord& record);
// The same of a job of which nothing else is known.
SnapshotPtr MakeSnapshot(const Job& job);

// ByName is hash and equality for sets of pointers that are looked up by a name of which the set
// has no copy of its own. NameOf gives the name of what is pointed to.
template <class NameOf>
struct ByName {
  using is_transparent = void;
  std::size_t operator()(const auto& any) const { return std::hash<JobKeyView>()(Name(any)); }
  bool operator()(const auto& a, const auto& b) const { return Name(a) == Name(b); }

 private:
  static JobKeyView Name(const JobKeyView& name) { return name; }
  static JobKeyView Name(const auto& pointer) { return NameOf()(*pointer); }
};

// The job as callers see it, with the BASIC result if there is one.
v1::Job ToProto(const Job& job);
v1::Job ToProto(const Snapshot& snapshot);

// The labels of the snapshot's job.
std::map<std::string, std::string> LabelsOf(const Snapshot& snapshot);
// Its name; empty if it has none.
std::string NameOf(const Snapshot& snapshot);

// The job as lists show it, without the texts of its result; the parts left out are named in
// omitted_parts.
v1::Job ToListProto(const Job& job);

// The response that holds the snapshot's job. `degraded` sets upstream_degraded, which is not a
// property of the job and so not part of its snapshot; the same is true of `estimate`, which is
// null if there is none (jobs/estimates.h).
Frame JobFrame(const SnapshotPtr& snapshot, bool degraded,
               const v1::JobEstimate* estimate = nullptr);

// The same response with the FULL result; `full` is the wire bytes of a v1.Job with result and
// omitted_parts.
Frame FullFrame(const Snapshot& snapshot, std::string_view full, bool degraded);

// A WatchJobResponse that says there is nothing new.
Frame HeartbeatFrame(std::int32_t revision, bool degraded, bool store_away,
                     const v1::JobEstimate* estimate = nullptr);

}  // namespace gateway::jobs
