#include "pictory/job_result.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "pictory/client.h"
#include "pictory/highlights.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

using Parts = std::set<v1::ResultPart>;

// Where a caller finds a field that the view leaves out.
v1::ResultPart PartOf(std::string_view field) {
  if (field == "txt") return v1::RESULT_PART_TXT;
  if (field == "srt") return v1::RESULT_PART_SRT;
  if (field == "vtt") return v1::RESULT_PART_VTT;
  if (field == "render_params_json") return v1::RESULT_PART_RENDER_PARAMS_JSON;
  if (field == "transcript" || field == "segments" || field == "summary_text") {
    return v1::RESULT_PART_TRANSCRIPT_JSON;
  }
  return v1::RESULT_PART_RESULT_JSON;
}

std::size_t SizeOf(const Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field->is_repeated()) {
    return reflection->GetString(message, field).size();
  }
  std::size_t bytes = 0;
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && field->is_repeated()) {
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      bytes += reflection->GetRepeatedMessage(message, field, i).ByteSizeLong() + 4;
    }
  }
  return bytes;
}

// Leaves out the largest fields until the rest fits.
void Trim(Message* result, std::size_t max_bytes, Parts& omitted) {
  if (result == nullptr) return;
  while (result->ByteSizeLong() > max_bytes) {
    std::vector<const FieldDescriptor*> set;
    result->GetReflection()->ListFields(*result, &set);
    if (set.empty()) return;
    const auto largest = *std::max_element(set.begin(), set.end(),
                                           [&](const FieldDescriptor* a, const FieldDescriptor* b) {
                                             return SizeOf(*result, a) < SizeOf(*result, b);
                                           });
    omitted.insert(PartOf(largest->name()));
    result->GetReflection()->ClearField(result, largest);
  }
}

void Name(const Parts& omitted, v1::Job& job) {
  for (const v1::ResultPart part : omitted) job.add_omitted_parts(part);
}

std::vector<JobResult::Part> CutParts(const std::shared_ptr<const void>& body, Envelope& envelope) {
  std::vector<JobResult::Part> parts;
  parts.push_back({v1::RESULT_PART_RESULT_JSON,
                   envelope.data.empty() ? SharedBytes("{}") : SharedBytes(body, envelope.data)});
  const json::Captured& params = envelope.Result(ResultKey::kRenderParams);
  if (params.type == json::Type::kObject) {
    parts.push_back({v1::RESULT_PART_RENDER_PARAMS_JSON, SharedBytes(body, params.raw)});
  }
  const json::Captured& transcript = envelope.Result(ResultKey::kTranscript);
  if (transcript.type == json::Type::kArray) {
    parts.push_back({v1::RESULT_PART_TRANSCRIPT_JSON, SharedBytes(body, transcript.raw)});
  }
  constexpr std::array<std::pair<ResultKey, v1::ResultPart>, 3> kTexts = {
      {{ResultKey::kTxt, v1::RESULT_PART_TXT},
       {ResultKey::kSrt, v1::RESULT_PART_SRT},
       {ResultKey::kVtt, v1::RESULT_PART_VTT}}};
  for (const auto& [key, part] : kTexts) {
    json::Captured& text = envelope.results[static_cast<std::size_t>(key)];
    if (text.type != json::Type::kString || text.text.empty()) continue;
    parts.push_back({part, std::move(text.text)});
  }
  return parts;
}

// Parts of the result that no BASIC view holds.
Parts LeftOut(const Envelope& envelope, const json::ReadStats& stats, v1::JobKind kind,
              const v1::Job& job) {
  Parts omitted;
  for (const json::Omitted& field : stats.omitted) omitted.insert(PartOf(field.field->name()));
  if (envelope.Result(ResultKey::kRenderParams).type == json::Type::kObject) {
    omitted.insert(v1::RESULT_PART_RENDER_PARAMS_JSON);
  }
  if (envelope.Result(ResultKey::kTranscript).type == json::Type::kArray) {
    omitted.insert(v1::RESULT_PART_TRANSCRIPT_JSON);
  }
  if (kind == v1::JOB_KIND_UNSPECIFIED || envelope.HasResult(ResultKey::kStoryboard) ||
      envelope.HasResult(ResultKey::kMediaInfo) || job.transcription().summaries_size() > 0 ||
      job.summary().summaries_size() > 0) {
    omitted.insert(v1::RESULT_PART_RESULT_JSON);
  }
  return omitted;
}

absl::Status Unreadable(const absl::Status& why) {
  return errors::Internal("A stored result cannot be read: " + std::string(why.message()));
}

// A message with this one field, which is itself a message.
std::string FieldOf(int number, const std::string& wire) {
  using ::google::protobuf::internal::WireFormatLite;
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream out(&bytes);
    google::protobuf::io::CodedOutputStream coded(&out);
    coded.WriteTag(WireFormatLite::MakeTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
    coded.WriteVarint32(static_cast<std::uint32_t>(wire.size()));
    coded.WriteString(wire);
  }
  return bytes;
}

}  // namespace

Message* MutableResult(v1::Job& job, v1::JobKind kind) {
  switch (kind) {
    case v1::JOB_KIND_PREVIEW:
      return job.mutable_preview();
    case v1::JOB_KIND_RENDER:
      return job.mutable_render();
    case v1::JOB_KIND_TRANSCRIPTION:
      return job.mutable_transcription();
    case v1::JOB_KIND_SUMMARY:
      return job.mutable_summary();
    default:
      return nullptr;
  }
}

json::ReadOptions BasicView(v1::JobKind kind) {
  json::ReadOptions options;
  options.skip_raw_json = true;
  options.string_max_bytes = limits::kBasicTextMaxBytes;
  // A summary's words are read all the same: its segments come from them.
  if (kind == v1::JOB_KIND_TRANSCRIPTION) {
    options.skip = {v1::TranscriptionResult::descriptor()->FindFieldByName("transcript")};
  }
  return options;
}

json::Limits JobReplyLimits(std::size_t body_bytes) {
  json::Limits limits = kReplyLimits;
  limits.max_string_bytes = std::max(limits.max_string_bytes, body_bytes);
  limits.max_values = std::max(limits.max_values, body_bytes / limits::kJobReplyBytesPerValue);
  return limits;
}

v1::JobKind ShownKind(const Envelope& envelope) {
  if (envelope.HasResult(ResultKey::kVideoUrl) || envelope.HasResult(ResultKey::kShareUrl) ||
      envelope.HasResult(ResultKey::kShareUrlOld) || envelope.shows_render) {
    return v1::JOB_KIND_RENDER;
  }
  if (envelope.HasResult(ResultKey::kRenderParams) || envelope.HasResult(ResultKey::kPreview) ||
      envelope.HasResult(ResultKey::kPreviewUrl) || envelope.HasResult(ResultKey::kStoryboard)) {
    return v1::JOB_KIND_PREVIEW;
  }
  if (envelope.Result(ResultKey::kTranscript).type != json::Type::kArray) {
    return v1::JOB_KIND_UNSPECIFIED;
  }
  v1::SummaryResult words;
  json::ReadOptions options = BasicView(v1::JOB_KIND_SUMMARY);
  options.limits = JobReplyLimits(envelope.data.size());
  const auto read = json::Read(envelope.data, &words, options);
  return read.ok() && HasHighlights(words) ? v1::JOB_KIND_SUMMARY : v1::JOB_KIND_TRANSCRIPTION;
}

std::shared_ptr<const JobResult> MakeResult(const std::shared_ptr<const void>& body,
                                            Envelope envelope, const json::ReadStats& stats,
                                            v1::JobKind kind, v1::Job job) {
  Parts omitted = LeftOut(envelope, stats, kind, job);
  Message* const message = MutableResult(job, kind);
  if (kind == v1::JOB_KIND_SUMMARY) {
    v1::SummaryResult& summary = *job.mutable_summary();
    FillSegments(summary);
    summary.clear_transcript();
    if (summary.summary_text().size() > limits::kBasicTextMaxBytes) {
      summary.clear_summary_text();
      omitted.insert(v1::RESULT_PART_TRANSCRIPT_JSON);
    }
  }
  Trim(message, limits::kBasicViewMaxBytes, omitted);
  Name(omitted, job);
  auto result = std::make_shared<JobResult>();
  result->basic_wire = job.SerializeAsString();
  result->parts = CutParts(body, envelope);
  return result;
}

absl::StatusOr<std::string> ReadFullResult(std::string_view result_json, v1::JobKind kind) {
  json::ReadOptions options;
  options.limits = JobReplyLimits(result_json.size());
  if (kind == v1::JOB_KIND_UNSPECIFIED) {
    // In the shell it once came in, which the envelope goes on pointing into.
    const std::string shell = "{\"data\":" + std::string(result_json) + "}";
    const absl::StatusOr<Envelope> envelope = ReadEnvelope(shell, nullptr, options);
    if (!envelope.ok()) return Unreadable(envelope.status());
    kind = ShownKind(*envelope);
  }
  v1::Job job;
  Message* const result = MutableResult(job, kind);
  if (result == nullptr) {
    job.add_omitted_parts(v1::RESULT_PART_RESULT_JSON);
    return job.SerializeAsString();
  }
  std::string wire;
  const auto read = json::ReadWire(result_json, result->GetDescriptor(), wire, options);
  if (!read.ok()) return Unreadable(read.status());
  // Most results are sent as they are read, without ever being a message.
  if (kind != v1::JOB_KIND_SUMMARY && wire.size() <= limits::kFullViewMaxBytes) {
    return FieldOf(job.result_case(), wire);
  }
  if (!result->ParseFromString(wire)) return errors::Internal("a result read is no message");
  if (kind == v1::JOB_KIND_SUMMARY) FillSegments(*job.mutable_summary());
  Parts omitted;
  Trim(result, limits::kFullViewMaxBytes, omitted);
  Name(omitted, job);
  return job.SerializeAsString();
}

}  // namespace gateway::pictory
