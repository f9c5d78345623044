#include "json/message_reader.h"

#include "absl/strings/str_cat.h"
#include "json/numbers.h"

namespace gateway::json {

namespace v1 = ::pictory::jobs::v1;
using Field = google::protobuf::FieldDescriptor;

void MessageReader::Count(Problem::Kind kind, std::size_t begin) {
  switch (kind) {
    case Problem::Kind::kUnknown:
      ++stats_.unknown;
      break;
    case Problem::Kind::kWrongType:
      ++stats_.wrong_type;
      break;
    case Problem::Kind::kOutOfRange:
      ++stats_.out_of_range;
      break;
  }
  if (stats_.problems.size() < options_.max_problems) {
    stats_.problems.push_back({kind, PathAt(text(), begin)});
  }
}

void MessageReader::StoreScalar(const FieldPlan& field, Type type, std::string_view decoded,
                                std::size_t begin) {
  if (field.role == v1::FIELD_ROLE_RAW_JSON) {
    StoreRaw(field, RawScalar(type, decoded, begin));
    return;
  }
  if (field.message != nullptr) {
    if (field.message->items() != nullptr) {
      wire_.Open(field.field->number());
      StoreScalar(*field.message->items(), type, decoded, begin);
      wire_.Close();
    } else if (field.string_as != nullptr && type == Type::kString) {
      wire_.Open(field.field->number());
      StoreText(*field.string_as, decoded, &field);
      const FieldPlan* raw = field.message->raw_self();
      if (raw != nullptr && !Skipped(*raw)) {
        StoreRaw(*raw, RawScalar(type, decoded, begin), &field);
      }
      wire_.Close();
    } else {
      Count(Problem::Kind::kWrongType, begin);
    }
    return;
  }
  if (field.type == Field::CPPTYPE_STRING && (type == Type::kString || type == Type::kNumber)) {
    StoreText(field, decoded);
  } else if (field.type == Field::CPPTYPE_BOOL) {
    const bool value = decoded == "true";
    if (type == Type::kNumber || (!value && decoded != "false")) {
      Count(Problem::Kind::kWrongType, begin);
    } else {
      wire_.Bool(field.field->number(), value);
    }
  } else if (type == Type::kNumber || type == Type::kString) {
    StoreNumber(field, type, decoded, begin);
  } else {
    Count(Problem::Kind::kWrongType, begin);
  }
}

void MessageReader::StoreNumber(const FieldPlan& field, Type type, std::string_view decoded,
                                std::size_t begin) {
  NumberFault fault = NumberFault::kNotANumber;
  if (field.type == Field::CPPTYPE_DOUBLE) {
    double value = 0;
    fault = type == Type::kNumber ? ConvertDouble(decoded, value) : ParseDouble(decoded, value);
    if (fault == NumberFault::kNone) wire_.Double(field.field->number(), value);
  } else if (field.type == Field::CPPTYPE_INT32) {
    std::int32_t value = 0;
    fault = ParseInt32(decoded, value);
    if (fault == NumberFault::kNone) wire_.Int(field.field->number(), value);
  }
  if (fault == NumberFault::kNotANumber) Count(Problem::Kind::kWrongType, begin);
  if (fault == NumberFault::kOutOfRange) Count(Problem::Kind::kOutOfRange, begin);
}

void MessageReader::StoreText(const FieldPlan& field, std::string_view text,
                              const FieldPlan* below) {
  if (text.size() > options_.string_max_bytes) {
    stats_.omitted.push_back({field.field, FieldPath(field, below), text.size()});
    return;
  }
  wire_.Text(field.field->number(), text);
}

// Bytes of the text as they came, unless they are no UTF-8, which a string of a message has to be.
void MessageReader::StoreRaw(const FieldPlan& field, std::string_view raw, const FieldPlan* below) {
  if (MayBreakUtf8()) {
    StoreText(field, WellFormed(raw), below);
  } else {
    StoreText(field, raw, below);
  }
}

// `below`, if given, is a message field of the frame whose bare string goes into `last`.
std::string MessageReader::FieldPath(const FieldPlan& last, const FieldPlan* below) const {
  std::string path;
  const auto name = [&path](const FieldPlan& field) {
    absl::StrAppend(&path, path.empty() ? "" : ".", field.field->name());
  };
  for (std::size_t i = 1; i <= top_; ++i) {
    const Frame& frame = frames_[i];
    if (frame.kind == Frame::kMessage && frame.opened_by != nullptr &&
        frames_[i - 1].kind != Frame::kList) {
      name(*frame.opened_by);
    } else if (frame.kind == Frame::kList || frame.kind == Frame::kMap) {
      if (frame.opened_by != nullptr) name(*frame.opened_by);
      name(*frame.field);
      if (frame.kind == Frame::kList) absl::StrAppend(&path, "[", frame.index, "]");
    }
  }
  const Frame& frame = frames_[top_];
  const bool named = frame.kind == Frame::kList || frame.kind == Frame::kMap;
  if (below != nullptr && !named) name(*below);
  if (below != nullptr || !named) name(last);
  return path;
}

}  // namespace gateway::json
