#include "json/proto_reader.h"

#include <algorithm>
#include <utility>

#include "json/message_reader.h"

namespace gateway::json {

namespace pb = ::google::protobuf;
namespace v1 = ::pictory::jobs::v1;

// The fields of a map's entries, in every map.
constexpr int kMapKey = 1;
constexpr int kMapValue = 2;

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
      frame.next = !on_route                    ? Next::kNothing
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
      !Same(entries[static_cast<std::size_t>(index)].key, key)) {
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
  if (Skipped(*entry.field)) return;
  if (entry.alias && !entry.field->repeated && (frame.own_key & Bit(*entry.field)) != 0) {
    return;
  }
  frame.field = entry.field;
  frame.next_is_alias = entry.alias;
  frame.next = Next::kField;
}

// Notes that a value other than null is there for `field` of the message in `frame`. A value that
// came under an alias before is overridden, as the last one on the wire counts.
void MessageReader::NotePresence(Frame& frame, const FieldPlan& field) {
  if (frame.kind != Frame::kMessage || frame.next_is_alias || field.repeated) return;
  frame.own_key |= Bit(field);
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
      if (root_plan_ != nullptr && root_plan_->items() != nullptr && type != Type::kNull) {
        StoreScalar(*root_plan_->items(), type, decoded, begin);
      }
      break;
    case Next::kField:
      if (type == Type::kNull) break;
      NotePresence(frame, *frame.field);
      StoreScalar(*frame.field, type, decoded, begin);
      break;
    case Next::kMapValue: {
      if (type == Type::kNull) break;
      if (decoded.size() > options_.string_max_bytes) {
        stats_.omitted.push_back(
            {frame.field->field, FieldPath(*frame.field, nullptr), decoded.size()});
        break;
      }
      wire_.Open(frame.field->field->number());
      wire_.Text(kMapKey, frame.map_key);
      wire_.Text(kMapValue, decoded);
      wire_.Close();
      break;
    }
  }
  return true;
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
      if (root_plan_ == nullptr) {
        Push(Frame::kSkip, type, begin);
      } else {
        OpenMessage(*root_plan_, type, begin, nullptr);
      }
      break;
    case Next::kField:
      if (!element) NotePresence(frame, *frame.field);
      OpenField(*frame.field, element, type, begin);
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

void MessageReader::OpenField(const FieldPlan& field, bool element, Type type, std::size_t begin) {
  const bool array = type == Type::kArray;
  if (field.role == v1::FIELD_ROLE_RAW_JSON) {
    Frame& frame = Push(Frame::kSkip, type, begin);
    frame.raw_field = &field;
  } else if (array && field.repeated && !element) {
    Frame& frame = Push(Frame::kList, type, begin);
    frame.field = &field;
    frame.next_is_alias = false;
  } else if (!array && field.map) {
    Frame& frame = Push(Frame::kMap, type, begin);
    frame.field = &field;
  } else if (field.message != nullptr && (!array || field.message->items() != nullptr)) {
    const std::size_t open = wire_.open();
    wire_.Open(field.field->number());
    OpenMessage(*field.message, type, begin, &field);
    Top().open = open;
  } else {
    Count(Problem::Kind::kWrongType, begin);
    Push(Frame::kSkip, type, begin);
  }
}

void MessageReader::OpenMessage(const MessagePlan& plan, Type type, std::size_t begin,
                                const FieldPlan* opened_by) {
  if (plan.items() != nullptr) {
    // An object where the list is expected is its only element.
    OpenField(*plan.items(), false, type, begin);
    if (Top().kind == Frame::kList) Top().opened_by = opened_by;
    return;
  }
  if (type != Type::kObject) {  // the root only; a field's type has been looked at
    Push(Frame::kSkip, type, begin);
    return;
  }
  Frame& frame = Push(Frame::kMessage, type, begin);
  frame.plan = &plan;
  frame.opened_by = opened_by;
  if (plan.raw_self() != nullptr && !Skipped(*plan.raw_self())) {
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
    StoreRaw(*frame.raw_field, raw);
  }
  --top_;
  while (wire_.open() > frame.open) wire_.Close();
  if (frame.raw_field != nullptr && frame.kind != Frame::kMessage) {
    StoreRaw(*frame.raw_field, raw);
  }
  if (frame.captured >= 0) {
    Captured& captured = stats_.captured[static_cast<std::size_t>(frame.captured)];
    captured.type = frame.type;
    captured.raw = raw;
  }
  return true;
}

absl::StatusOr<ReadStats> ReadWire(std::string_view text, const pb::Descriptor* message,
                                   std::string& wire, const ReadOptions& options) {
  ReadStats stats;
  const absl::Status status = ReadMending(text, options.limits, [&](const Source& source) {
    stats = ReadStats();
    MessageReader reader(source, message, options, stats);
    const Fault fault = reader.Run();
    if (!fault) wire = reader.TakeWire();
    return fault;
  });
  if (!status.ok()) return status;
  return stats;
}

absl::StatusOr<ReadStats> Read(std::string_view text, pb::Message* message,
                               const ReadOptions& options) {
  std::string wire;
  absl::StatusOr<ReadStats> stats =
      ReadWire(text, message == nullptr ? nullptr : message->GetDescriptor(), wire, options);
  if (stats.ok() && message != nullptr && !message->MergeFromString(wire)) {
    return absl::InternalError("what was read is no message");  // cannot be
  }
  return stats;
}

}  // namespace gateway::json
