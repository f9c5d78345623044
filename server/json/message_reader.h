// A MessageReader does the work of Read(): it follows the events of one text and serialises one
// message from it. Private to json/.
//
// Each open object or array has a frame that knows what its values are for; what nobody wants costs
// a counter. proto_reader.cc takes the events, message_reader.cc stores the values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/path_table.h"
#include "json/proto_plan.h"
#include "json/proto_reader.h"
#include "json/sax.h"
#include "json/wire_writer.h"

namespace gateway::json {

class MessageReader final : public SaxHandler<MessageReader> {
 public:
  MessageReader(const Source& source, const google::protobuf::Descriptor* message,
                const ReadOptions& options, ReadStats& stats)
      : SaxHandler(source, options.limits),
        options_(options),
        stats_(stats),
        root_plan_(message == nullptr ? nullptr : &PlanOf(message)),
        route_(SplitPath(options.message_at)) {
    if (options.capture != nullptr) stats.captured.resize(options.capture->size());
    frames_.reserve(limits::kJsonMaxDepth + 2);  // so that none moves; most texts need three
    // The root value's surroundings.
    frames_.emplace_back();
    frames_[0].kind = Frame::kRoute;
    frames_[0].next = route_.empty() ? Next::kRoot : Next::kRoute;
    frames_[0].next_node = options.capture != nullptr && options.capture->size() > 0 ? 0 : -1;
  }

  bool OnKey(std::string_view key, std::size_t begin);
  bool OnScalar(Type type, std::string_view decoded, std::size_t begin);
  bool OnStart(Type type, std::size_t begin);
  bool OnEnd(Type type, std::size_t end);

  // What was read, once Run() is over.
  std::string TakeWire() { return wire_.Take(); }

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
    int level = -1;             // kRoute: how many parts of the route led here; -1 off the route
    int index = -1;             // kList: of the newest element
    int hint = 0;               // kMessage: the entry likely to come next
    int capture_node = -1;      // of this value
    int next_node = -1;         // of the value that comes next
    int captured = -1;          // this value is wanted under that number
    std::size_t open = 0;       // messages around this value, when it ends
    std::uint64_t own_key = 0;  // kMessage: fields that came under their own key
    std::size_t begin = 0;
    const MessagePlan* plan = nullptr;     // kMessage
    const FieldPlan* field = nullptr;      // kList, kMap: the field; kMessage: the next value's
    const FieldPlan* opened_by = nullptr;  // the field of the message around, if another
    const FieldPlan* raw_field = nullptr;  // takes this value's bytes
    std::string map_key;
  };

  Frame& Top() { return frames_[top_]; }
  Frame& Push(Frame::Kind kind, Type type, std::size_t begin) {
    if (++top_ == frames_.size()) frames_.emplace_back();
    Frame& frame = frames_[top_];
    frame.kind = kind;
    frame.next = Next::kNothing;
    frame.type = type;
    frame.level = frame.index = -1;
    frame.capture_node = frame.next_node = frame.captured = -1;
    frame.hint = 0;
    frame.own_key = 0;
    frame.begin = begin;
    frame.open = wire_.open();
    frame.field = frame.opened_by = frame.raw_field = nullptr;
    frame.plan = nullptr;
    return frame;
  }

  bool Skipped(const FieldPlan& field) const {
    if (options_.skip_raw_json && (field.role == ::pictory::jobs::v1::FIELD_ROLE_RAW_JSON ||
                                   field.role == ::pictory::jobs::v1::FIELD_ROLE_RAW_SELF)) {
      return true;
    }
    return !options_.skip.empty() && std::find(options_.skip.begin(), options_.skip.end(),
                                               field.field) != options_.skip.end();
  }

  // Messages of more than 64 fields lose only the care about aliases.
  static std::uint64_t Bit(const FieldPlan& field) {
    return field.index < 64 ? std::uint64_t{1} << field.index : 0;
  }
  static bool Same(const std::string& a, std::string_view b) {
    return a.size() == b.size() && SameBytes(a.data(), b.data(), b.size());
  }
  void NextMember(Frame& frame, std::string_view key);
  void NotePresence(Frame& frame, const FieldPlan& field);
  // Values are always stored into the innermost message that is open.
  void StoreScalar(const FieldPlan& field, Type type, std::string_view decoded, std::size_t begin);
  void StoreNumber(const FieldPlan& field, Type type, std::string_view decoded, std::size_t begin);
  void StoreText(const FieldPlan& field, std::string_view text, const FieldPlan* below = nullptr);
  void StoreRaw(const FieldPlan& field, std::string_view raw, const FieldPlan* below = nullptr);
  void OpenField(const FieldPlan& field, bool element, Type type, std::size_t begin);
  void OpenMessage(const MessagePlan& plan, Type type, std::size_t begin,
                   const FieldPlan* opened_by);
  void Count(Problem::Kind kind, std::size_t begin);
  std::string FieldPath(const FieldPlan& last, const FieldPlan* below) const;

  const ReadOptions& options_;
  ReadStats& stats_;
  const MessagePlan* const root_plan_;  // null: only captures are wanted
  const std::vector<std::string_view> route_;
  std::vector<Frame> frames_;  // [0]: around the root
  std::size_t top_ = 0;
  WireWriter wire_;
  int skip_depth_ = 0;  // open containers inside a skipped one
};

}  // namespace gateway::json
