// These functions turn a finished job's `data` into the result that is stored and shown. Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "json/proto_reader.h"
#include "pictory/envelope.h"
#include "pictory/job_reply.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::pictory {

// The arm of `job.result` for `kind`, set; nullptr for UNSPECIFIED.
google::protobuf::Message* MutableResult(::pictory::jobs::v1::Job& job,
                                         ::pictory::jobs::v1::JobKind kind);

// What the BASIC view of a result takes in from `data`.
json::ReadOptions BasicView(::pictory::jobs::v1::JobKind kind);

// The limits for a reply: its own size bounds its texts, and the bound of its values grows with the
// size.
json::Limits JobReplyLimits(std::size_t body_bytes);

// Leaves out of a job in the BASIC view what a list does not hold: the texts of its result, which
// are named in omitted_parts, and what is made of them.
void LeaveOutForList(::pictory::jobs::v1::Job& job);

// Completes `job`, which ReadEnvelope filled under BasicView(kind), and cuts the parts out.
// `body` keeps what the envelope's views point into; the parts share it. With `allow_loopback`,
// URLs of this machine are links too (pictory/result_links.h), here and in the FULL view.
std::shared_ptr<const JobResult> MakeResult(const std::shared_ptr<const void>& body,
                                            Envelope envelope, const json::ReadStats& stats,
                                            ::pictory::jobs::v1::JobKind kind,
                                            ::pictory::jobs::v1::Job job, bool allow_loopback);

// A result of which nothing is known but its bytes, which are the part RESULT_JSON. `body` keeps
// what `json` points into.
std::shared_ptr<const JobResult> MakeRawResult(const std::shared_ptr<const void>& body,
                                               std::string_view json);

// The FULL view of a stored result: wire bytes of a v1.Job with result and omitted_parts set, of
// some limits::kFullViewMaxBytes at most. `result_json` is the part RESULT_JSON.
absl::StatusOr<std::string> ReadFullResult(std::string_view result_json,
                                           ::pictory::jobs::v1::JobKind kind,
                                           bool allow_loopback = false);

// The BASIC view of it, as in JobResult::basic_wire. Any kind may be asked for.
absl::StatusOr<std::string> ReadBasicResult(std::string_view result_json,
                                            ::pictory::jobs::v1::JobKind kind,
                                            bool allow_loopback = false);

}  // namespace gateway::pictory
