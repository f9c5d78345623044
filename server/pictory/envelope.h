// An Envelope is the shell around an answer of Pictory's, read once in all its known spellings:
// whether it tells of success or failure, of which job, and where its `data` is.
//
// Views point into the body, which must outlive the envelope.
#pragma once

#include <array>
#include <cstddef>
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

// The limits for all of Pictory's texts, which are read as forgivingly as other programs read them.
inline constexpr json::Limits kReplyLimits{.reading = json::Reading::kForgiving};

// Where the members of `data` stand that tell what a job made.
inline constexpr auto kResultPaths = std::to_array<std::string_view>(
    {"data.renderParams", "data.preview", "data.previewUrl", "data.storyboard", "data.videoURL",
     "data.videoShareURL", "data.shareVideoURL", "data.transcript", "data.txt", "data.srt",
     "data.vtt", "data.mediaInfo", "data.url", "data.duration", "data.lastFrameImageUrl"});

// A ResultKey is one of these members by its name, such as `videoURL`. The compiler looks it up,
// and takes no name that is not there.
struct ResultKey {
  consteval ResultKey(const char* member) {
    constexpr std::string_view kData = "data.";
    while (kResultPaths.at(index).substr(kData.size()) != member) ++index;
  }
  std::size_t index = 0;
};

struct Envelope {
  std::optional<bool> success;
  std::string status;  // `data.status`, else `status`; "" if neither is there
  bool status_of_data = false;
  std::string job_id;      // the first usable one of the four spellings
  std::string error_code;  // as text, whatever its JSON type
  std::string error_message;
  // The code that the reason itself names, if it is more than a text. It says nothing of the job
  // that was asked for.
  std::string reason_code;
  bool reason_is_text = false;
  bool tells_error = false;  // an error object or an error_code is there
  std::string_view fields;   // `fields` of a validation error: raw JSON, or empty
  std::string_view data;     // exact bytes of `data`; empty if it is not there
  json::Type data_type = json::Type::kAbsent;
  std::optional<double> progress_percent;  // 0–100
  std::string progress_message;
  bool shows_render = false;  // a running render names itself by its progress
  std::optional<double> credits_used;
  std::vector<json::Captured> results;  // one for each of kResultPaths

  const json::Captured& Result(ResultKey key) const { return results[key.index]; }
  // Whether the member is present, and neither null nor an empty string, list or object.
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

// Reads a number that Pictory has written as a number or as a string: 42, "42"; nullopt for null,
// "" and nonsense.
std::optional<double> LenientNumber(const json::Captured& value);

}  // namespace gateway::pictory
