#include "jobs/snapshot.h"

#include <tuple>
#include <utility>

#include "base/stable_bytes.h"
#include "base/trace_context.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "jobs/archive_plan.h"
#include "jobs/proto_time.h"
#include "pictory/job_result.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::jobs {
namespace {

using ::google::protobuf::internal::WireFormatLite;
using ::google::protobuf::io::CodedOutputStream;

// Bytes that set further fields of a v1.Job if they are appended to its bytes, by the rules of the
// wire format.
std::string Suffix(bool degraded, const v1::JobEstimate* estimate) {
  v1::Job further;
  further.set_upstream_degraded(degraded);
  if (estimate != nullptr) *further.mutable_estimate() = *estimate;
  return further.SerializeAsString();
}

v1::Job HeaderProto(const Job& job) {
  v1::Job out;
  out.set_job_id(job.job_id);
  out.set_pictory_job_id(job.pictory_job_id);
  out.set_request_id(job.request_id);
  out.set_kind(job.kind);
  out.set_state(job.state);
  out.set_revision(job.revision);
  if (job.progress_percent.has_value()) out.set_progress_percent(*job.progress_percent);
  out.set_message(job.message);
  *out.mutable_create_time() = ToTimestamp(job.create_time);
  *out.mutable_update_time() = ToTimestamp(job.update_time);
  if (job.finish_time.has_value()) *out.mutable_finish_time() = ToTimestamp(*job.finish_time);
  for (const auto& [key, value] : job.labels) (*out.mutable_labels())[key] = value;
  out.set_name(job.name);
  if (job.credits_used.has_value()) out.set_credits_used(*job.credits_used);
  if (!job.error_code.empty() || !job.error_message.empty()) {
    out.mutable_error()->set_code(job.error_code);
    out.mutable_error()->set_message(job.error_message);
  }
  out.set_stale(job.stale);
  out.set_upstream_missing(job.upstream_missing);
  out.set_sandbox(job.sandbox);
  if (!job.archive_wire.empty()) *out.mutable_archive() = ArchiveOf(job);
  return out;
}

// The field number of the job in all responses that hold one; a test checks the responses to
// submits.
constexpr int kJobField = v1::GetJobResponse::kJobFieldNumber;
static_assert(int{v1::WatchJobResponse::kJobFieldNumber} == kJobField);

// The tag and the length that stand before a v1.Job.
std::string FrameHead(std::size_t job_bytes) {
  std::uint8_t head[16];
  std::uint8_t* end =
      WireFormatLite::WriteTagToArray(kJobField, WireFormatLite::WIRETYPE_LENGTH_DELIMITED, head);
  end = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(job_bytes), end);
  return std::string(reinterpret_cast<const char*>(head), static_cast<std::size_t>(end - head));
}

}  // namespace

namespace {

SnapshotPtr Make(const Job& job, WallTime sent_at) {
  auto snapshot = std::make_shared<Snapshot>();
  const std::string header = StableBytes(HeaderProto(job));
  const std::string head = FrameHead(header.size() + job.result_wire.size());
  snapshot->job_at = static_cast<std::uint32_t>(head.size());
  snapshot->result_at = static_cast<std::uint32_t>(head.size() + header.size());
  std::string& frame = snapshot->frame;
  frame.reserve(snapshot->result_at + job.result_wire.size());
  frame.append(head).append(header).append(job.result_wire);
  // Finds the first place in the frame where the same bytes stand.
  const auto within = [&frame](const std::string& text) {
    return Snapshot::Part{.at = static_cast<std::uint32_t>(frame.find(text)),
                          .size = static_cast<std::uint32_t>(text.size())};
  };
  snapshot->tenant = job.tenant;
  snapshot->account = job.account;
  snapshot->trace_id = TraceIdOf(job.trace);
  snapshot->kind = job.kind;
  snapshot->state = job.state;
  snapshot->revision = job.revision;
  snapshot->shard = job.shard;
  snapshot->sent_at = sent_at;
  snapshot->update_time = job.update_time;
  snapshot->job_id_at = within(job.job_id);
  snapshot->pictory_job_id_at = within(job.pictory_job_id);
  return snapshot;
}

}  // namespace

SnapshotPtr MakeSnapshot(const JobRecord& record) { return Make(record.job, record.sent_at); }

SnapshotPtr MakeSnapshot(const Job& job) { return Make(job, {}); }

v1::Job ToProto(const Job& job) {
  v1::Job out = HeaderProto(job);
  // This program made the bytes of the result. If the store gave back something else, the job is
  // shown without a result.
  if (v1::Job result; !job.result_wire.empty() && result.ParseFromString(job.result_wire)) {
    out.MergeFrom(result);
  }
  return out;
}

v1::Job ToProto(const Snapshot& snapshot) {
  v1::Job out;
  const std::string_view wire = snapshot.job_wire();
  std::ignore = out.ParseFromArray(wire.data(), static_cast<int>(wire.size()));
  return out;
}

namespace {

v1::Job HeaderOf(const Snapshot& snapshot) {
  v1::Job header;
  std::ignore = header.ParseFromArray(snapshot.frame.data() + snapshot.job_at,
                                      static_cast<int>(snapshot.result_at - snapshot.job_at));
  return header;
}

}  // namespace

std::map<std::string, std::string> LabelsOf(const Snapshot& snapshot) {
  const v1::Job header = HeaderOf(snapshot);
  return {header.labels().begin(), header.labels().end()};
}

std::string NameOf(const Snapshot& snapshot) { return HeaderOf(snapshot).name(); }

v1::Job ToListProto(const Job& job) {
  v1::Job out = ToProto(job);
  pictory::LeaveOutForList(out);
  return out;
}

Frame JobFrame(const SnapshotPtr& snapshot, bool degraded, const v1::JobEstimate* estimate) {
  if (!degraded && estimate == nullptr) return Frame(snapshot, &snapshot->frame);
  const std::string suffix = Suffix(degraded, estimate);
  auto frame =
      std::make_shared<std::string>(FrameHead(snapshot->job_wire().size() + suffix.size()));
  frame->append(snapshot->job_wire()).append(suffix);
  return frame;
}

Frame FullFrame(const Snapshot& snapshot, std::string_view full, bool degraded) {
  const std::string_view header =
      std::string_view(snapshot.frame)
          .substr(snapshot.job_at, snapshot.result_at - snapshot.job_at);
  const std::string suffix = Suffix(degraded, nullptr);
  auto frame =
      std::make_shared<std::string>(FrameHead(header.size() + full.size() + suffix.size()));
  frame->append(header).append(full).append(suffix);
  return frame;
}

Frame HeartbeatFrame(std::int32_t revision, bool degraded, bool store_away,
                     const v1::JobEstimate* estimate) {
  v1::WatchJobResponse response;
  response.mutable_heartbeat()->set_revision(revision);
  response.mutable_heartbeat()->set_upstream_degraded(degraded);
  response.mutable_heartbeat()->set_store_away(store_away);
  if (estimate != nullptr) *response.mutable_heartbeat()->mutable_estimate() = *estimate;
  return std::make_shared<const std::string>(response.SerializeAsString());
}

}  // namespace gateway::jobs
