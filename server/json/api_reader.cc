#include "json/api_reader.h"

#include <cstdint>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "google/protobuf/struct.pb.h"
#include "json/api_value.h"
#include "json/free_value.h"
#include "json/sax.h"
#include "pictory/jobs/v1/annotations.pb.h"

namespace gateway::json {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Follows the events of one text. Each open object or array has a frame.
class ApiReader final : public SaxHandler<ApiReader> {
 public:
  ApiReader(const Source& source, const Limits& limits, Message& message,
            const ApiReadOptions& options)
      : SaxHandler(source, limits), options_(options) {
    // The root value's surroundings.
    frames_.push_back({.kind = Frame::kAround, .message = &message});
  }

  bool OnKey(std::string_view key, std::size_t begin) {
    Frame& top = frames_.back();
    top.key_begin = begin;
    switch (top.kind) {
      case Frame::kMessage:
        top.field = FindField(top, key, begin);
        break;
      case Frame::kMap:
        top.key = key;
        break;
      case Frame::kFreeObject:
        top.free_next = &(*top.object->mutable_fields())[std::string(key)];
        break;
      default:
        break;
    }
    return true;
  }

  bool OnScalar(Type type, std::string_view decoded, std::size_t begin) {
    Frame& top = frames_.back();
    switch (top.kind) {
      case Frame::kAround:
        Complain(begin, "must be an object");
        return true;
      case Frame::kMessage:
        StoreMember(top, type, decoded, begin);
        return true;
      case Frame::kList:
        return CountElement(top) && Element(top, type, decoded, begin);
      case Frame::kMap:
        if (!CountElement(top)) return false;
        if (type != Type::kString) Complain(begin, "must be a string");
        if (type == Type::kString) AddEntry(top, decoded);
        return true;
      case Frame::kFreeObject:
      case Frame::kFreeList:
        if (!CountFree()) return false;
        if (const std::string wrong = StoreFreeScalar(type, decoded, NextFree(top));
            !wrong.empty()) {
          Complain(begin, wrong);
        }
        return true;
      case Frame::kSkip:
        return true;
    }
    return true;
  }

  bool OnStart(Type type, std::size_t begin) {
    Frame& top = frames_.back();
    switch (top.kind) {
      case Frame::kAround:
        if (type != Type::kObject) return Skip(begin, "must be an object");
        return Open({.kind = Frame::kMessage, .message = top.message});
      case Frame::kMessage:
        if (top.field == nullptr) return Skip();
        return OpenField(top, *top.field, type, begin);
      case Frame::kList:
        if (!CountElement(top)) return false;
        return OpenElement(top, type, begin);
      case Frame::kMap:
        return CountElement(top) && Skip(begin, "must be a string");
      case Frame::kFreeObject:
      case Frame::kFreeList:
        return CountFree() && OpenFree(NextFree(top), type);
      case Frame::kSkip:
        return Skip();
    }
    return true;
  }

  bool OnEnd(Type, std::size_t) {
    frames_.pop_back();
    return true;
  }

  std::vector<errors::Violation> TakeWrong() { return std::move(wrong_); }

 private:
  struct Frame {
    enum Kind : std::uint8_t { kAround, kMessage, kList, kMap, kFreeObject, kFreeList, kSkip };
    Kind kind = kSkip;
    Message* message = nullptr;              // kAround, kMessage; kList, kMap: that which has it
    const FieldDescriptor* field = nullptr;  // kMessage: of the member that comes next, if known
    std::map<const FieldDescriptor*, std::string> seen{};  // kMessage: and how it was written
    std::string key{};                                     // kMap: of the next entry
    std::size_t key_begin = 0;
    int elements = 0;                              // kList, kMap
    google::protobuf::Struct* object = nullptr;    // kFreeObject
    google::protobuf::ListValue* list = nullptr;   // kFreeList
    google::protobuf::Value* free_next = nullptr;  // kFreeObject
  };

  void Complain(std::size_t begin, std::string what) {
    if (wrong_.size() >= limits::kViolationsMax) return;
    wrong_.push_back({PathAt(text(), begin), std::move(what)});
  }
  void ComplainOf(std::string_view key, std::size_t begin, std::string what) {
    if (wrong_.size() >= limits::kViolationsMax) return;
    // A key stands in the object that is open: its place is that of the value, which is to come.
    std::string around = PathAt(text(), begin);
    if (!around.ends_with(key))
      absl::StrAppend(&around, around.empty() ? "" : ".", std::string(key));
    wrong_.push_back({std::move(around), std::move(what)});
  }

  const FieldDescriptor* FindField(Frame& frame, std::string_view key, std::size_t begin) {
    const Descriptor& type = *frame.message->GetDescriptor();
    const std::string name(key);
    const FieldDescriptor* field = type.FindFieldByName(name);
    for (int i = 0; field == nullptr && i < type.field_count(); ++i) {
      if (type.field(i)->json_name() == name) field = type.field(i);
    }
    if (field == nullptr) {
      ComplainOf(key, begin, Unknown(type, key));
      return nullptr;
    }
    const auto [seen, fresh] = frame.seen.emplace(field, name);
    if (!fresh) {
      ComplainOf(key, begin, absl::StrCat("is there already, as ", seen->second));
      return nullptr;
    }
    return field;
  }

  std::string Unknown(const Descriptor& type, std::string_view key) const {
    std::vector<std::string> known;
    for (int i = 0; i < type.field_count(); ++i) {
      known.emplace_back(type.field(i)->json_name());
      known.emplace_back(type.field(i)->name());
    }
    const std::string nearest = options_.nearest == nullptr ? "" : options_.nearest(key, known);
    return nearest.empty() ? "is not known here"
                           : absl::StrCat("is not known here; did you mean ", nearest, "?");
  }

  // Whether a member may be stored beside what is there.
  bool MayStore(const Frame& frame, std::size_t begin) {
    const auto* const group = frame.field->real_containing_oneof();
    if (group == nullptr) return true;
    for (const auto& [other, written] : frame.seen) {
      if (other == frame.field || other->real_containing_oneof() != group) continue;
      if (!frame.message->GetReflection()->HasField(*frame.message, other)) continue;
      Complain(begin, absl::StrCat("excludes ", written, ", which is there too"));
      return false;
    }
    return true;
  }

  void StoreMember(Frame& frame, Type type, std::string_view decoded, std::size_t begin) {
    if (frame.field == nullptr) return;
    const FieldDescriptor& field = *frame.field;
    const FreeKind free = field.is_repeated() ? FreeKind::kNone : FreeKindOf(field);
    if (type == Type::kNull && free != FreeKind::kAny) return;
    if (!MayStore(frame, begin)) return;
    std::string wrong;
    if (field.is_map()) {
      wrong = "must be an object";
    } else if (field.is_repeated()) {
      wrong = "must be an array";
    } else if (free == FreeKind::kObject) {
      wrong = "must be an object";
    } else if (free == FreeKind::kList) {
      wrong = "must be an array";
    } else if (free == FreeKind::kAny) {
      wrong = StoreFreeScalar(type, decoded, *FreeOf<google::protobuf::Value>(frame, field));
    } else {
      wrong = StoreApiScalar(type, decoded, field, *frame.message, options_);
    }
    if (!wrong.empty()) Complain(begin, std::move(wrong));
  }

  bool Element(Frame& list, Type type, std::string_view decoded, std::size_t begin) {
    const std::string wrong = StoreApiScalar(type, decoded, *list.field, *list.message, options_);
    if (!wrong.empty()) Complain(begin, wrong);
    return true;
  }

  bool OpenField(Frame& frame, const FieldDescriptor& field, Type type, std::size_t begin) {
    if (!MayStore(frame, begin)) return Skip();
    Message& message = *frame.message;
    if (field.is_map()) {
      if (type != Type::kObject) return Skip(begin, "must be an object");
      return Open({.kind = Frame::kMap, .message = &message, .field = &field});
    }
    if (field.is_repeated()) {
      if (type != Type::kArray) return Skip(begin, "must be an array");
      return Open({.kind = Frame::kList, .message = &message, .field = &field});
    }
    switch (FreeKindOf(field)) {
      case FreeKind::kObject:
        if (type != Type::kObject) return Skip(begin, "must be an object");
        return Open(
            {.kind = Frame::kFreeObject, .object = FreeOf<google::protobuf::Struct>(frame, field)});
      case FreeKind::kList:
        if (type != Type::kArray) return Skip(begin, "must be an array");
        return Open(
            {.kind = Frame::kFreeList, .list = FreeOf<google::protobuf::ListValue>(frame, field)});
      case FreeKind::kAny:
        return CountFree() && OpenFree(*FreeOf<google::protobuf::Value>(frame, field), type);
      case FreeKind::kNone:
        break;
    }
    if (!HasMembers(field) || type != Type::kObject) return SkipWrong(field, type, begin);
    return OpenMessage(message.GetReflection()->MutableMessage(&message, &field));
  }

  bool OpenElement(Frame& list, Type type, std::size_t begin) {
    const FieldDescriptor& field = *list.field;
    if (!HasMembers(field) || type != Type::kObject) return SkipWrong(field, type, begin);
    return OpenMessage(list.message->GetReflection()->AddMessage(list.message, &field));
  }

  bool OpenMessage(Message* message) {
    if (++messages_ > limits::kRequestMessagesMax) {
      return Fail(absl::StrCat("there are more than ", limits::kRequestMessagesMax,
                               " objects, which is more than a request may hold"));
    }
    return Open({.kind = Frame::kMessage, .message = message});
  }

  static bool HasMembers(const FieldDescriptor& field) {
    return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
           field.message_type()->full_name() != "google.protobuf.Timestamp";
  }

  bool SkipWrong(const FieldDescriptor& field, Type type, std::size_t begin) {
    if (HasMembers(field)) return Skip(begin, "must be an object");
    // What a scalar should have been is said as for a scalar of a wrong type.
    return Skip(begin, StoreApiScalar(type, "", field, *frames_.back().message, options_));
  }

  template <class Free>
  static Free* FreeOf(Frame& frame, const FieldDescriptor& field) {
    return google::protobuf::internal::DownCast<Free*>(
        frame.message->GetReflection()->MutableMessage(frame.message, &field));
  }

  bool OpenFree(google::protobuf::Value& value, Type type) {
    if (type == Type::kObject) {
      return Open({.kind = Frame::kFreeObject, .object = value.mutable_struct_value()});
    }
    return Open({.kind = Frame::kFreeList, .list = value.mutable_list_value()});
  }

  google::protobuf::Value& NextFree(Frame& frame) {
    return frame.kind == Frame::kFreeList ? *frame.list->add_values() : *frame.free_next;
  }

  bool CountFree() {
    if (++free_values_ <= limits::kRequestFreeValuesMax) return true;
    return Fail(absl::StrCat("there are more than ", limits::kRequestFreeValuesMax,
                             " values of free shape, which is more than a request may hold"));
  }

  bool CountElement(Frame& frame) {
    const int max = frame.field->options().GetExtension(::pictory::jobs::v1::bound).max_items();
    if (max == 0 || ++frame.elements <= max) return true;
    return Fail(absl::StrCat(std::string(frame.field->json_name()), " has more than ", max,
                             " elements, which is its bound"));
  }

  void AddEntry(Frame& frame, std::string_view value) {
    // Every map of the API is of texts by texts; a test says so.
    Message& entry = *frame.message->GetReflection()->AddMessage(frame.message, frame.field);
    const Reflection& reflection = *entry.GetReflection();
    reflection.SetString(&entry, frame.field->message_type()->map_key(), frame.key);
    reflection.SetString(&entry, frame.field->message_type()->map_value(), std::string(value));
  }

  bool Open(Frame frame) {
    frames_.push_back(std::move(frame));
    return true;
  }
  bool Skip() { return Open({.kind = Frame::kSkip}); }
  bool Skip(std::size_t begin, std::string what) {
    Complain(begin, std::move(what));
    return Skip();
  }

  const ApiReadOptions& options_;
  std::vector<Frame> frames_;
  std::vector<errors::Violation> wrong_;
  std::size_t messages_ = 0;
  std::size_t free_values_ = 0;
};

// Whether a value of the field has no text of its own.
bool HasNoText(const FieldDescriptor& field) {
  return field.message_type()->full_name() != "google.protobuf.Timestamp";
}

}  // namespace

std::vector<errors::Violation> ReadApi(std::string_view text, Message& message,
                                       const ApiReadOptions& options) {
  Limits bounds;
  bounds.max_members = limits::kJsonMembersMax;
  bounds.max_string_bytes = limits::kRequestMaxBytes;
  std::vector<errors::Violation> wrong;
  const absl::Status read = ReadMending(text, bounds, [&](const Source& source) {
    message.Clear();
    ApiReader reader(source, bounds, message, options);
    Fault fault = reader.Run();
    wrong = reader.TakeWrong();
    return fault;
  });
  if (read.ok()) return wrong;
  return {{"", absl::StrCat("the body cannot be read as JSON: ", read.message())}};
}

std::string ReadApiText(std::string_view text, const FieldDescriptor& field, Message& message,
                        const ApiReadOptions& options) {
  Type type = Type::kString;  // numbers may stand in strings
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL && (text == "true" || text == "false")) {
    type = Type::kBool;
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && HasNoText(field)) {
    return "cannot be given in a query; send it in the body of the POST that does the same";
  }
  return StoreApiScalar(type, text, field, message, options);
}

}  // namespace gateway::json
