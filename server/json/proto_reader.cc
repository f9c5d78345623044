#include "json/proto_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "json/numbers.h"
#include "json/path_table.h"
#include "json/proto_plan.h"
#include "json/sax.h"

namespace gateway::json {

namespace pb = ::google::protobuf;
namespace v1 = ::pictory::jobs::v1;

namespace {

using Field = pb::FieldDescriptor;

class MessageReader final : public SaxHandler<MessageReader> {
 public:
  MessageReader(std::string_view text, pb::Message* message, const ReadOptions& options,
                ReadStats& stats)
      : SaxHandler(text, options.limits),
        options_(options),
        stats_(stats),
        root_(message),
        root_plan_(message == nullptr ? nullptr : &PlanOf(message->GetDescriptor())),
        route_(SplitPath(options.message_at)) {
    if (options.capture != nullptr) stats.captured.resize(options.capture->size());
    // The root value's surroundings.
    frames_[0].kind = Frame::kRoute;
    frames_[0].next = route_.empty() ? Next::kRoot : Next::kRoute;
    frames_[0].next_node = options.capture != nullptr && options.capture->size() > 0 ? 0 : -1;
  }

  bool OnKey(std::string_view key, std::size_t begin);
  bool OnScalar(Type type, std::string_view decoded, std::size_t begin);
  bool OnStart(Type type, std::size_t begin);
  bool OnEnd(Type type, std::size_t end);

 private:
  // What becomes of the value that comes next.
  enum class Next : std::uint8_t { kNothing, kUnknown, kRoute, kRoot, kField, kMapValue };

  // An object or array that is open.
  struct Frame {
    enum Kind : std::uint8_t { kSkip, kRoute, kMessage, kList, kMap };
    Kind kind = kSkip;
    Next next = Next::kNothing;
    Type type = Type::kAbsent;
    bool next_is_alias = false;
    int level = -1;         // kRoute: how many parts of the route led here; -1 off the route
    int index = -1;         // kList: of the newest element
    int hint = 0;           // kMessage: the entry likely to come next
    int capture_node = -1;  // of this value
    int next_node = -1;     // of the value that comes next
    int captured = -1;      // this value is wanted under that number
    std::uint64_t own_key = 0;  // kMessage: fields that came under their own key
    std::size_t begin = 0;
    pb::Message* message = nullptr;       // kMessage: itself; kList, kMap: the holder
    const MessagePlan* plan = nullptr;    // kMessage
    const FieldPlan* field = nullptr;     // kList, kMap: the field; kMessage: the next value's
    const FieldPlan* opened_by = nullptr; // the field of the message around, if another
    pb::Message* raw_holder = nullptr;    // takes this value's bytes
    const FieldPlan* raw_field = nullptr;
    std::string map_key;
  };

  Frame& Top() { return frames_[top_]; }
  Frame& Push(Frame::Kind kind, Type type, std::size_t begin) {
    Frame& frame = frames_[++top_];
    frame.kind = kind;
    frame.next = Next::kNothing;
    frame.type = type;
    frame.level = frame.index = -1;
    frame.capture_node = frame.next_node = frame.captured = -1;
    frame.hint = 0;
    frame.own_key = 0;
    frame.begin = begin;
    frame.message = frame.raw_holder = nullptr;
    frame.field = frame.opened_by = frame.raw_field = nullptr;
    frame.plan = nullptr;
    return frame;
  }

  bool Skipped(const FieldPlan& field) const {
    if (options_.skip_raw_json && (field.role == v1::FIELD_ROLE_RAW_JSON ||
                                   field.role == v1::FIELD_ROLE_RAW_SELF)) {
      return true;
    }
    return !options_.skip.empty() &&
           std::find(options_.skip.begin(), options_.skip.end(), field.field) !=
               options_.skip.end();
  }

  void NextMember(Frame& frame, std::string_view key);
  void NotePresence(Frame& frame, pb::Message& message, const FieldPlan& field);
  void StoreScalar(pb::Message& message, const FieldPlan& field, Type type,
                   std::string_view decoded, std::size_t begin);
  void StoreNumber(pb::Message& message, const FieldPlan& field, Type type,
                   std::string_view decoded, std::size_t begin);
  void StoreText(pb::Message& message, const FieldPlan& field, std::string_view text,
                 const FieldPlan* below = nullptr);
  void OpenField(pb::Message& message, const FieldPlan& field, bool element, Type type,
                 std::size_t begin);
  void OpenMessage(pb::Message& message, const MessagePlan& plan, Type type, std::size_t begin,
                   const FieldPlan* opened_by);
  pb::Message* Sub(pb::Message& message, const FieldPlan& field) {
    const pb::Reflection* reflection = message.GetReflection();
    return field.repeated ? reflection->AddMessage(&message, field.field)
                          : reflection->MutableMessage(&message, field.field);
  }
  void Count(Problem::Kind kind, std::size_t begin);
  std::string FieldPath(const FieldPlan& last, const FieldPlan* below) const;

  const ReadOptions& options_;
  ReadStats& stats_;
  pb::Message* const root_;
  const MessagePlan* const root_plan_;
  const std::vector<std::string_view> route_;
  std::array<Frame, limits::kJsonMaxDepth + 2> frames_;
  std::size_t top_ = 0;
  int skip_depth_ = 0;  // open containers inside a skipped one
};

void MessageReader::Count(Problem::Kind kind, std::size_t begin) {
  switch (kind) {
    case Problem::Kind::kUnknown: ++stats_.unknown; break;
    case Problem::Kind::kWrongType: ++stats_.wrong_type; break;
    case Problem::Kind::kOutOfRange: ++stats_.out_of_range; break;
  }
  if (stats_.problems.size() < options_.max_problems) {
    stats_.problems.push_back({kind, PathAt(text(), begin)});
  }
}

bool MessageReader::OnKey(std::string_view key, std::size_t) {
  if (skip_depth_ > 0) return true;
  Frame& frame = Top();
  if (frame.capture_node >= 0) frame.next_node = options_.capture->Child(frame.capture_node, key);
  switch (frame.kind) {
    case Frame::kMessage:
      NextMember(frame, key);
      break;
    case Frame::kRoute: {
      const auto level = static_cast<std::size_t>(frame.level);
      const bool on_route = frame.level >= 0 && level < route_.size() && route_[level] == key;
      frame.next = !on_route                     ? Next::kNothing
                   : level + 1 == route_.size() ? Next::kRoot
                                                : Next::kRoute;
      break;
    }
    case Frame::kMap:
      frame.map_key.assign(key);
      frame.next = Next::kMapValue;
      break;
    default:
      break;
  }
  return true;
}

void MessageReader::NextMember(Frame& frame, std::string_view key) {
  const auto& entries = frame.plan->entries();
  auto index = frame.hint;
  if (static_cast<std::size_t>(index) >= entries.size() ||
      entries[static_cast<std::size_t>(index)].key != key) {
    index = frame.plan->Find(key);
  }
  frame.next = Next::kNothing;
  if (index < 0) {
    // A key on the way to something wanted is not unknown.
    if (frame.next_node < 0) frame.next = Next::kUnknown;
    return;
  }
  frame.hint = index + 1;
  const MessagePlan::Entry& entry = entries[static_cast<std::size_t>(index)];
  const auto number = static_cast<std::size_t>(entry.field - frame.plan->fields().data());
  if (Skipped(*entry.field)) return;
  if (entry.alias && !entry.field->repeated && number < 64 && (frame.own_key >> number & 1) != 0) {
    return;
  }
  frame.field = entry.field;
  frame.next_is_alias = entry.alias;
  frame.next = Next::kField;
}

// A value other than null is there for `field` of the message in `frame`.
void MessageReader::NotePresence(Frame& frame, pb::Message& message, const FieldPlan& field) {
  if (frame.kind != Frame::kMessage || frame.next_is_alias || field.repeated) return;
  const auto number = static_cast<std::size_t>(&field - frame.plan->fields().data());
  if (number < 64) frame.own_key |= std::uint64_t{1} << number;
  // An alias may have come before.
  if (field.message != nullptr) message.GetReflection()->ClearField(&message, field.field);
}

bool MessageReader::OnScalar(Type type, std::string_view decoded, std::size_t begin) {
  if (skip_depth_ > 0) return true;
  Frame& frame = Top();
  if (frame.next_node >= 0) {
    const int index = options_.capture->node(frame.next_node).index;
    if (index >= 0) {
      Captured& captured = stats_.captured[static_cast<std::size_t>(index)];
      captured.type = type;
      captured.raw = RawScalar(type, decoded, begin);
      captured.text.assign(decoded);
    }
    frame.next_node = -1;
  }
  if (frame.kind == Frame::kList) ++frame.index;
  switch (frame.kind == Frame::kList ? Next::kField : frame.next) {
    case Next::kNothing:
    case Next::kRoute:
      break;
    case Next::kUnknown:
      Count(Problem::Kind::kUnknown, begin);
      break;
    case Next::kRoot:
      stats_.message_type = type;
      if (root_ != nullptr && root_plan_->items() != nullptr && type != Type::kNull) {
        StoreScalar(*root_, *root_plan_->items(), type, decoded, begin);
      }
      break;
    case Next::kField:
      if (type == Type::kNull) break;
      NotePresence(frame, *frame.message, *frame.field);
      StoreScalar(*frame.message, *frame.field, type, decoded, begin);
      break;
    case Next::kMapValue: {
      if (type == Type::kNull) break;
      if (decoded.size() > options_.string_max_bytes) {
        stats_.omitted.push_back({frame.field->field, FieldPath(*frame.field, nullptr),
                                  decoded.size()});
        break;
      }
      pb::Message* entry =
          frame.message->GetReflection()->AddMessage(frame.message, frame.field->field);
      const pb::Descriptor* types = frame.field->field->message_type();
      entry->GetReflection()->SetString(entry, types->map_key(), frame.map_key);
      entry->GetReflection()->SetString(entry, types->map_value(), std::string(decoded));
      break;
    }
  }
  return true;
}

void MessageReader::StoreScalar(pb::Message& message, const FieldPlan& field, Type type,
                                std::string_view decoded, std::size_t begin) {
  if (field.role == v1::FIELD_ROLE_RAW_JSON) {
    StoreText(message, field, RawScalar(type, decoded, begin));
    return;
  }
  if (field.message != nullptr) {
    if (field.message->items() != nullptr) {
      StoreScalar(*Sub(message, field), *field.message->items(), type, decoded, begin);
    } else if (field.string_as != nullptr && type == Type::kString) {
      pb::Message* sub = Sub(message, field);
      StoreText(*sub, *field.string_as, decoded, &field);
      const FieldPlan* raw = field.message->raw_self();
      if (raw != nullptr && !Skipped(*raw)) {
        StoreText(*sub, *raw, RawScalar(type, decoded, begin), &field);
      }
    } else {
      Count(Problem::Kind::kWrongType, begin);
    }
    return;
  }
  if (field.type == Field::CPPTYPE_STRING && (type == Type::kString || type == Type::kNumber)) {
    StoreText(message, field, decoded);
  } else if (field.type == Field::CPPTYPE_BOOL) {
    const pb::Reflection* reflection = message.GetReflection();
    const bool value = decoded == "true";
    if (type == Type::kNumber || (!value && decoded != "false")) {
      Count(Problem::Kind::kWrongType, begin);
    } else if (field.repeated) {
      reflection->AddBool(&message, field.field, value);
    } else {
      reflection->SetBool(&message, field.field, value);
    }
  } else if (type == Type::kNumber || type == Type::kString) {
    StoreNumber(message, field, type, decoded, begin);
  } else {
    Count(Problem::Kind::kWrongType, begin);
  }
}

void MessageReader::StoreNumber(pb::Message& message, const FieldPlan& field, Type type,
                                std::string_view decoded, std::size_t begin) {
  const pb::Reflection* reflection = message.GetReflection();
  NumberFault fault = NumberFault::kNotANumber;
  if (type == Type::kString && decoded.size() > limits::kJsonNumberMaxBytes) {
    // No number that long is meant as one.
  } else if (field.type == Field::CPPTYPE_DOUBLE) {
    double value = 0;
    fault = ParseDouble(decoded, value);
    if (fault == NumberFault::kNone) {
      field.repeated ? reflection->AddDouble(&message, field.field, value)
                     : reflection->SetDouble(&message, field.field, value);
    }
  } else if (field.type == Field::CPPTYPE_INT32) {
    std::int32_t value = 0;
    fault = ParseInt32(decoded, value);
    if (fault == NumberFault::kNone) {
      field.repeated ? reflection->AddInt32(&message, field.field, value)
                     : reflection->SetInt32(&message, field.field, value);
    }
  }
  if (fault == NumberFault::kNotANumber) Count(Problem::Kind::kWrongType, begin);
  if (fault == NumberFault::kOutOfRange) Count(Problem::Kind::kOutOfRange, begin);
}

void MessageReader::StoreText(pb::Message& message, const FieldPlan& field, std::string_view text,
                              const FieldPlan* below) {
  if (text.size() > options_.string_max_bytes) {
    stats_.omitted.push_back({field.field, FieldPath(field, below), text.size()});
    return;
  }
  const pb::Reflection* reflection = message.GetReflection();
  if (field.repeated) {
    reflection->AddString(&message, field.field, std::string(text));
  } else {
    reflection->SetString(&message, field.field, std::string(text));
  }
}

bool MessageReader::OnStart(Type type, std::size_t begin) {
  if (skip_depth_ > 0 || Top().kind == Frame::kSkip) {
    ++skip_depth_;
    return true;
  }
  Frame& frame = Top();
  const int node = std::exchange(frame.next_node, -1);
  const bool element = frame.kind == Frame::kList;
  if (element) ++frame.index;
  switch (element ? Next::kField : frame.next) {
    case Next::kNothing:
      Push(Frame::kSkip, type, begin);
      break;
    case Next::kUnknown:
      Count(Problem::Kind::kUnknown, begin);
      Push(Frame::kSkip, type, begin);
      break;
    case Next::kMapValue:
      Count(Problem::Kind::kWrongType, begin);
      Push(Frame::kSkip, type, begin);
      break;
    case Next::kRoute:
      Push(Frame::kRoute, type, begin).level = frame.level + 1;
      break;
    case Next::kRoot:
      stats_.message_type = type;
      if (root_ == nullptr) {
        Push(Frame::kSkip, type, begin);
      } else {
        OpenMessage(*root_, *root_plan_, type, begin, nullptr);
      }
      break;
    case Next::kField:
      if (!element) NotePresence(frame, *frame.message, *frame.field);
      OpenField(*frame.message, *frame.field, element, type, begin);
      break;
  }
  Frame& opened = Top();
  opened.capture_node = type == Type::kObject ? node : -1;
  // Something wanted may lie in what is otherwise passed over.
  if (opened.kind == Frame::kSkip && opened.capture_node >= 0 &&
      options_.capture->node(node).first_child >= 0) {
    opened.kind = Frame::kRoute;
  }
  if (node >= 0) opened.captured = options_.capture->node(node).index;
  return true;
}

void MessageReader::OpenField(pb::Message& message, const FieldPlan& field, bool element,
                              Type type, std::size_t begin) {
  const bool array = type == Type::kArray;
  if (field.role == v1::FIELD_ROLE_RAW_JSON) {
    Frame& frame = Push(Frame::kSkip, type, begin);
    frame.raw_holder = &message;
    frame.raw_field = &field;
  } else if (array && field.repeated && !element) {
    Frame& frame = Push(Frame::kList, type, begin);
    frame.message = &message;
    frame.field = &field;
    frame.next_is_alias = false;
  } else if (!array && field.map) {
    Frame& frame = Push(Frame::kMap, type, begin);
    frame.message = &message;
    frame.field = &field;
  } else if (field.message != nullptr && (!array || field.message->items() != nullptr)) {
    OpenMessage(*Sub(message, field), *field.message, type, begin, &field);
  } else {
    Count(Problem::Kind::kWrongType, begin);
    Push(Frame::kSkip, type, begin);
  }
}

void MessageReader::OpenMessage(pb::Message& message, const MessagePlan& plan, Type type,
                                std::size_t begin, const FieldPlan* opened_by) {
  if (plan.items() != nullptr) {
    // An object where the list is expected is its only element.
    OpenField(message, *plan.items(), false, type, begin);
    if (Top().kind == Frame::kList) Top().opened_by = opened_by;
    return;
  }
  if (type != Type::kObject) {  // the root only; a field's type has been looked at
    Push(Frame::kSkip, type, begin);
    return;
  }
  Frame& frame = Push(Frame::kMessage, type, begin);
  frame.message = &message;
  frame.plan = &plan;
  frame.opened_by = opened_by;
  if (plan.raw_self() != nullptr && !Skipped(*plan.raw_self())) {
    frame.raw_holder = &message;
    frame.raw_field = plan.raw_self();
  }
}

bool MessageReader::OnEnd(Type, std::size_t end) {
  if (skip_depth_ > 0) {
    --skip_depth_;
    return true;
  }
  const Frame& frame = Top();
  const std::string_view raw = text().substr(frame.begin, end - frame.begin);
  // FieldPath speaks of the frames around; a RAW_SELF field lies inside its own.
  if (frame.raw_field != nullptr && frame.kind == Frame::kMessage) {
    StoreText(*frame.raw_holder, *frame.raw_field, raw);
  }
  --top_;
  if (frame.raw_field != nullptr && frame.kind != Frame::kMessage) {
    StoreText(*frame.raw_holder, *frame.raw_field, raw);
  }
  if (frame.captured >= 0) {
    Captured& captured = stats_.captured[static_cast<std::size_t>(frame.captured)];
    captured.type = frame.type;
    captured.raw = raw;
  }
  return true;
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

}  // namespace

absl::StatusOr<ReadStats> Read(std::string_view text, pb::Message* message,
                               const ReadOptions& options) {
  ReadStats stats;
  MessageReader reader(text, message, options, stats);
  const absl::Status status = reader.Run();
  if (!status.ok()) return status;
  return stats;
}

}  // namespace gateway::json
