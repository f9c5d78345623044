// The shell around every answer of Pictory's, read once in all its known spellings: does it tell of
// success or failure, of which job, and where is its `data`.
//
// Views point into the body, which must outlive the envelope.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "json/check.h"
#include "json/proto_reader.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::pictory {

// How all of Pictory's words are read: whatever other programs can read of them.
inline constexpr json::Limits kReplyLimits{.reading = json::Reading::kForgiving};

// Members of `data` that tell what a job made. In the order of ResultKeyName().
enum class ResultKey {
  kRenderParams,
  kPreview,
  kPreviewUrl,
  kStoryboard,
  kVideoUrl,
  kShareUrl,
  kShareUrlOld,
  kTranscript,
  kTxt,
  kSrt,
  kVtt,
  kMediaInfo,
  kUrl,  // AI studio's pictures and clips
  kCount
};

struct Envelope {
  std::optional<bool> success;
  std::string status;  // `data.status`, else `status`; "" if neither is there
  bool status_of_data = false;
  std::string job_id;      // the first usable one of the four spellings
  std::string error_code;  // as text, whatever its JSON type
  std::string error_message;
  bool tells_error = false;  // an error object or an error_code is there
  std::string_view fields;   // `fields` of a validation error: raw JSON, or empty
  std::string_view data;     // exact bytes of `data`; empty if it is not there
  json::Type data_type = json::Type::kAbsent;
  std::optional<double> progress_percent;  // 0–100
  std::string progress_message;
  bool shows_render = false;  // a running render names itself by its progress
  std::optional<double> credits_used;
  std::vector<json::Captured> results;  // one a ResultKey

  const json::Captured& Result(ResultKey key) const {
    return results[static_cast<std::size_t>(key)];
  }
  // Present, and neither null nor an empty string, list or object.
  bool HasResult(ResultKey key) const;
  // Pictory says that it does not know the job asked for.
  bool SaysNotFound() const;
};

// Reads `body`, and, if `data_message` is given, its `data` into that message as `options` say.
// INVALID_ARGUMENT if the body is not one good JSON object.
absl::StatusOr<Envelope> ReadEnvelope(std::string_view body,
                                      google::protobuf::Message* data_message = nullptr,
                                      json::ReadOptions options = {},
                                      json::ReadStats* stats = nullptr);

// A number in any dress Pictory has given one: 42, "42"; nullopt for null, "" and nonsense.
std::optional<double> LenientNumber(const json::Captured& value);

}  // namespace gateway::pictory
