#include "pictory/job_result.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "base/errors.h"
#include "base/limits.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "pictory/bindings.h"
#include "pictory/job_reply.h"
#include "pictory/kinds.h"
#include "pictory/result_links.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

using Parts = std::set<v1::ResultPart>;

// The part in which a caller finds a field that the view leaves out.
v1::ResultPart PartOf(const FieldDescriptor* field) {
  const int part = MappingOf(field).part();
  return part == 0 ? v1::RESULT_PART_RESULT_JSON : static_cast<v1::ResultPart>(part);
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
    omitted.insert(PartOf(largest));
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
  for (const MemberPart& row : MemberParts()) {
    json::Captured& member = envelope.results[row.member.index];
    if (member.type != row.type) continue;
    if (row.type != json::Type::kString) {
      parts.push_back({row.part, SharedBytes(body, member.raw)});
    } else if (!member.text.empty()) {
      parts.push_back({row.part, std::move(member.text)});
    }
  }
  return parts;
}

// Whether the whole of a field that is set stands in RESULT_JSON, although a view shows it.
bool IsShortened(const Message& result) {
  std::vector<const FieldDescriptor*> set;
  result.GetReflection()->ListFields(result, &set);
  return std::any_of(set.begin(), set.end(), [](const FieldDescriptor* field) {
    return MappingOf(field).part() == v1::RESULT_PART_RESULT_JSON;
  });
}

// Parts of the result that no BASIC view holds. `result` is null where no kind is known.
Parts LeftOut(const Envelope& envelope, const json::ReadStats& stats, const Message* result) {
  Parts omitted;
  for (const json::Omitted& field : stats.omitted) omitted.insert(PartOf(field.field));
  for (const MemberPart& row : MemberParts()) {
    const bool json = row.type != json::Type::kString;
    if (json && envelope.Result(row.member).type == row.type) omitted.insert(row.part);
  }
  const bool unseen = std::ranges::any_of(
      UnseenMembers(), [&envelope](ResultKey key) { return envelope.HasResult(key); });
  if (result == nullptr || unseen || IsShortened(*result)) {
    omitted.insert(v1::RESULT_PART_RESULT_JSON);
  }
  return omitted;
}

// Fills in what the gateway makes. It makes that of the whole result, so the bounds of the view
// hold for it as for what was read.
void DeriveBasic(const KindFacts& kind, v1::Job& job, Message& result, Parts& omitted) {
  kind.derive(job);
  const auto* const descriptor = result.GetDescriptor();
  const auto* const reflection = result.GetReflection();
  if (const auto* lacks = descriptor->FindFieldByName(std::string(kind.basic_lacks))) {
    reflection->ClearField(&result, lacks);
  }
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* const field = descriptor->field(i);
    if (RoleOf(field) != v1::FIELD_ROLE_CONTROL || field->is_repeated() ||
        field->cpp_type() != FieldDescriptor::CPPTYPE_STRING ||
        reflection->GetString(result, field).size() <= limits::kBasicTextMaxBytes) {
      continue;
    }
    reflection->ClearField(&result, field);
    omitted.insert(PartOf(field));
  }
}

absl::Status UnreadableResult(const absl::Status& why) {
  return errors::Internal("A stored result cannot be read: " + std::string(why.message()));
}

// The arm of a job's result that is named as the kind.
const FieldDescriptor* FindArm(v1::JobKind kind) {
  constexpr std::string_view kPrefix = "JOB_KIND_";
  std::string name = v1::JobKind_Name(kind);
  if (name.size() <= kPrefix.size()) return nullptr;
  name = absl::AsciiStrToLower(name.substr(kPrefix.size()));
  const FieldDescriptor* const arm = v1::Job::descriptor()->FindFieldByName(name);
  const auto* const results = v1::Job::descriptor()->FindOneofByName("result");
  return arm != nullptr && arm->real_containing_oneof() == results ? arm : nullptr;
}

const FieldDescriptor* ResultArm(v1::JobKind kind) {
  using Arms = std::array<const FieldDescriptor*, v1::JobKind_ARRAYSIZE>;
  static const Arms* const kArms = [] {
    auto* const arms = new Arms{};
    for (int i = 0; i < v1::JobKind_ARRAYSIZE; ++i) {
      (*arms)[static_cast<std::size_t>(i)] = FindArm(static_cast<v1::JobKind>(i));
    }
    return arms;
  }();
  const auto index = static_cast<std::size_t>(kind);
  return index < kArms->size() ? (*kArms)[index] : nullptr;
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
  const FieldDescriptor* const arm = ResultArm(kind);
  return arm == nullptr ? nullptr : job.GetReflection()->MutableMessage(&job, arm);
}

json::ReadOptions BasicView(v1::JobKind kind) {
  json::ReadOptions options;
  options.skip_raw_json = true;
  options.string_max_bytes = limits::kBasicTextMaxBytes;
  const KindFacts& facts = FactsOf(kind);
  const FieldDescriptor* const arm = ResultArm(kind);
  // A field of which something is made is read all the same.
  if (arm != nullptr && !facts.basic_lacks.empty() && facts.derive == nullptr) {
    options.skip = {arm->message_type()->FindFieldByName(std::string(facts.basic_lacks))};
  }
  return options;
}

json::Limits JobReplyLimits(std::size_t body_bytes) {
  json::Limits limits = kReplyLimits;
  limits.max_string_bytes = std::max(limits.max_string_bytes, body_bytes);
  limits.max_values = std::max(limits.max_values, body_bytes / limits::kJobReplyBytesPerValue);
  return limits;
}

void LeaveOutForList(v1::Job& job) {
  const FieldDescriptor* const arm = job.GetReflection()->GetOneofFieldDescriptor(
      job, v1::Job::descriptor()->FindOneofByName("result"));
  if (arm == nullptr) return;
  Message* const result = job.GetReflection()->MutableMessage(&job, arm);
  const auto* const descriptor = result->GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* const field = descriptor->field(i);
    if (MappingOf(field).part() == 0) continue;
    const bool text = !field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    // A view names the parts that it does not hold itself.
    if (text && RoleOf(field) != v1::FIELD_ROLE_CONTROL &&
        !result->GetReflection()->GetString(*result, field).empty()) {
      job.add_omitted_parts(PartOf(field));
    }
    result->GetReflection()->ClearField(result, field);
  }
}

std::shared_ptr<const JobResult> MakeResult(const std::shared_ptr<const void>& body,
                                            Envelope envelope, const json::ReadStats& stats,
                                            v1::JobKind kind, v1::Job job, bool allow_loopback) {
  Message* const message = MutableResult(job, kind);
  Parts omitted = LeftOut(envelope, stats, message);
  if (message != nullptr && ClearBadLinks(*message, allow_loopback)) {
    omitted.insert(v1::RESULT_PART_RESULT_JSON);
  }
  const KindFacts& facts = FactsOf(kind);
  if (message != nullptr && facts.derive != nullptr) DeriveBasic(facts, job, *message, omitted);
  Trim(message, limits::kBasicViewMaxBytes, omitted);
  Name(omitted, job);
  auto result = std::make_shared<JobResult>();
  result->basic_wire = job.SerializeAsString();
  result->parts = CutParts(body, envelope);
  return result;
}

std::shared_ptr<const JobResult> MakeRawResult(const std::shared_ptr<const void>& body,
                                               std::string_view json) {
  auto result = std::make_shared<JobResult>();
  v1::Job job;
  job.add_omitted_parts(v1::RESULT_PART_RESULT_JSON);
  result->basic_wire = job.SerializeAsString();
  result->parts.push_back({v1::RESULT_PART_RESULT_JSON, SharedBytes(body, json)});
  return result;
}

absl::StatusOr<std::string> ReadFullResult(std::string_view result_json, v1::JobKind kind,
                                           bool allow_loopback) {
  json::ReadOptions options;
  options.limits = JobReplyLimits(result_json.size());
  if (kind == v1::JOB_KIND_UNSPECIFIED) {
    // The result is put into the envelope that it once came in, because ReadEnvelope points into
    // that.
    const std::string shell = "{\"data\":" + std::string(result_json) + "}";
    const absl::StatusOr<Envelope> envelope = ReadEnvelope(shell, nullptr, options);
    if (!envelope.ok()) return UnreadableResult(envelope.status());
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
  if (!read.ok()) return UnreadableResult(read.status());
  // Most results are sent as they are read, without ever being a message.
  const KindFacts& facts = FactsOf(kind);
  if (facts.derive == nullptr && wire.size() <= limits::kFullViewMaxBytes &&
      !HasBadLink(wire, result->GetDescriptor(), allow_loopback)) {
    return FieldOf(job.result_case(), wire);
  }
  if (!result->ParseFromString(wire)) return errors::Internal("a result read is no message");
  if (facts.derive != nullptr) facts.derive(job);
  Parts omitted;
  if (ClearBadLinks(*result, allow_loopback)) omitted.insert(v1::RESULT_PART_RESULT_JSON);
  Trim(result, limits::kFullViewMaxBytes, omitted);
  Name(omitted, job);
  return job.SerializeAsString();
}

absl::StatusOr<std::string> ReadBasicResult(std::string_view result_json, v1::JobKind kind,
                                            bool allow_loopback) {
  // In the envelope that it once came in, because the parts of a result are cut out of that.
  const auto shell =
      std::make_shared<const std::string>("{\"data\":" + std::string(result_json) + "}");
  json::ReadOptions options = BasicView(kind);
  options.limits = JobReplyLimits(shell->size());
  v1::Job job;
  json::ReadStats stats;
  absl::StatusOr<Envelope> envelope =
      ReadEnvelope(*shell, MutableResult(job, kind), options, &stats);
  if (!envelope.ok()) return UnreadableResult(envelope.status());
  return MakeResult(shell, *std::move(envelope), stats, kind, std::move(job), allow_loopback)
      ->basic_wire;
}

}  // namespace gateway::pictory
