#include "rpc/wire_bounds.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "pictory/violations.h"
#include "rpc/wire_free.h"
#include "rpc/wire_plan.h"

namespace gateway::rpc {
namespace {

using google::protobuf::internal::WireFormatLite;
using pictory::Item;
using pictory::Path;
using pictory::Under;
using Kind = WirePlan::Kind;

// About what a text, the entry of a map or an unknown field takes in memory, without its bytes.
constexpr std::size_t kTextMemory = 48;
constexpr std::size_t kEntryMemory = 160;
constexpr std::size_t kUnknownMemory = 64;

std::size_t MessagesMax(std::size_t bytes) {
  return std::min(limits::kRequestMessagesMax,
                  limits::kRequestMessagesFree + bytes / limits::kRequestBytesPerMessage);
}

std::size_t ItemsMax(const WirePlan::Field& field) {
  if (field.once) return 1;
  return field.repeated ? field.bounds.max_items : std::size_t{limits::kRequestFieldRepeatsMax};
}

std::uint32_t WireTypeOf(Kind kind) {
  switch (kind) {
    case Kind::kVarint:
      return WireFormatLite::WIRETYPE_VARINT;
    case Kind::kFixed32:
      return WireFormatLite::WIRETYPE_FIXED32;
    case Kind::kFixed64:
      return WireFormatLite::WIRETYPE_FIXED64;
    default:
      return WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
  }
}

// Whether the field is a list of numbers in one piece.
bool IsPacked(std::uint32_t tag, const WirePlan::Field& field) {
  return field.repeated &&
         WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED &&
         WireTypeOf(field.kind) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
}

// Whether the tag fits the field. If it does not, the parser takes it for an unknown field.
bool Fits(std::uint32_t tag, const WirePlan::Field& field) {
  return static_cast<std::uint32_t>(WireFormatLite::GetTagWireType(tag)) ==
             WireTypeOf(field.kind) ||
         IsPacked(tag, field);
}

// A Walk goes through the bytes of a message. Its functions return false where it ends: the bytes
// are broken, or too much was found.
class Walk {
 public:
  Walk(google::protobuf::io::ZeroCopyInputStream& bytes, std::size_t size)
      : in_(&bytes), size_(size), free_(in_, size, violations_, memory_) {
    std::ignore = in_.PushLimit(static_cast<int>(size));
  }

  WireFindings Run(const WirePlan& plan) {
    Message(plan, "", 0);
    return {readable_, violations_.Take(), memory_};
  }

 private:
  // Walks a message up to the limit that was pushed.
  bool Message(const WirePlan& plan, const Path& path, std::size_t depth) {
    if (!Enter(plan, path, depth)) return false;
    const WirePlan::Field* over = nullptr;
    while (const std::uint32_t tag = in_.ReadTag()) {
      const WirePlan::Field* const field =
          plan.Numbered(static_cast<std::uint32_t>(WireFormatLite::GetTagFieldNumber(tag)));
      if (field == nullptr || !Fits(tag, *field)) {
        if (!Unknown(tag, *plan.type, path)) return false;
        continue;
      }
      const auto slot = static_cast<std::size_t>(field - plan.fields.data());
      std::size_t items = 1;
      if (IsPacked(tag, *field)) {
        if (!CountPacked(field->kind, items)) return Broken();
      } else if (over !=
                 nullptr) {  // how long the list is will be told; nothing else of it matters
        if (!WireFormatLite::SkipField(&in_, tag)) return Broken();
      } else if (!Value(*field, path, counts_[depth][slot], depth)) {
        return false;
      }
      counts_[depth][slot] += items;
      if (over == nullptr && counts_[depth][slot] > ItemsMax(*field)) over = field;
    }
    if (!in_.ConsumedEntireMessage()) return Broken();
    if (over == nullptr) return true;
    return TooMany(*over, counts_[depth][static_cast<std::size_t>(over - plan.fields.data())],
                   path);
  }

  bool Enter(const WirePlan& plan, const Path& path, std::size_t depth) {
    memory_ += plan.memory_bytes;
    if (++messages_ > MessagesMax(size_)) {
      return Stop(path, absl::StrCat("is message ", messages_, " of the request; one of ", size_,
                                     " bytes may hold ", MessagesMax(size_), ", at any depth"));
    }
    if (depth >= std::size_t{limits::kRequestDepthMax}) {
      return Stop(path, absl::StrCat("is deeper than ", limits::kRequestDepthMax, " messages"));
    }
    if (counts_.size() <= depth) counts_.resize(depth + 1);
    counts_[depth].assign(plan.fields.size(), 0);
    return true;
  }

  bool Value(const WirePlan::Field& field, const Path& around, std::size_t index,
             std::size_t depth) {
    const Path single = Under(around, field.field->name());
    const Path path =
        field.repeated && field.kind != Kind::kMap ? Item(single, static_cast<int>(index)) : single;
    std::uint64_t number = 0;
    switch (field.kind) {
      case Kind::kVarint:
        return in_.ReadVarint64(&number) || Broken();
      case Kind::kFixed32:
        return in_.Skip(4) || Broken();
      case Kind::kFixed64:
        return in_.Skip(8) || Broken();
      case Kind::kText:
        return Text(field, path);
      case Kind::kMap:
      case Kind::kMessage:
      case Kind::kFree:
        break;
    }
    int size = 0;
    if (!Size(size)) return Broken();
    if (field.kind == Kind::kFree && !WithinBytes(size, field.bounds.max_bytes, path)) return false;
    const auto outer = in_.PushLimit(size);
    if (!Inside(field, path, depth)) return false;
    in_.PopLimit(outer);
    return true;
  }

  bool Inside(const WirePlan::Field& field, const Path& path, std::size_t depth) {
    if (field.kind == Kind::kMap) return Entry(field, path);
    if (field.kind == Kind::kMessage) return Message(*field.message, path, depth + 1);
    if (free_.Run(field.free, field.bounds.max_items, path)) return true;
    return !free_.refused() && Broken();
  }

  bool Text(const WirePlan::Field& field, const Path& path) {
    int size = 0;
    if (!Size(size)) return Broken();
    memory_ += kTextMemory + static_cast<std::size_t>(size);
    return WithinBytes(size, field.bounds.max_bytes, path) && (in_.Skip(size) || Broken());
  }

  // Walks key and value of an entry in a map of texts, up to the limit. An entry is no message
  // here: it is counted by its map, and the key names it.
  bool Entry(const WirePlan::Field& field, const Path& path) {
    memory_ += kEntryMemory;
    key_.clear();
    int fields = 0;
    while (const std::uint32_t tag = in_.ReadTag()) {
      if (++fields > limits::kRequestFieldRepeatsMax) {
        return Stop(path,
                    absl::StrCat("has an entry of more than ", limits::kRequestFieldRepeatsMax,
                                 " fields, where key and value are two"));
      }
      const int number = WireFormatLite::GetTagFieldNumber(tag);
      if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED ||
          number > 2) {
        if (!Unknown(tag, *field.field->message_type(), path)) return false;
        continue;
      }
      int size = 0;
      if (!Size(size)) return Broken();
      memory_ += static_cast<std::size_t>(size);
      if (number == 1 && static_cast<std::size_t>(size) <= field.bounds.max_key_bytes) {
        if (!in_.ReadString(&key_, size)) return Broken();
        continue;
      }
      if (!EntryText(number, size, field.bounds, path)) return false;
      if (!in_.Skip(size)) return Broken();
    }
    return in_.ConsumedEntireMessage() || Broken();
  }

  bool EntryText(int number, int size, const FieldBounds& bounds, const Path& path) {
    if (number == 1) return WithinBytes(size, bounds.max_key_bytes, Under(path, "key"));
    if (static_cast<std::size_t>(size) <= bounds.max_bytes) return true;
    const std::string entry = absl::StrCat(path.Text(), "[", errors::Clean(key_), "]");
    return WithinBytes(size, bounds.max_bytes, entry);
  }

  bool Unknown(std::uint32_t tag, const google::protobuf::Descriptor& type, const Path& path) {
    memory_ += kUnknownMemory;
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    if (++unknown_ > limits::kRequestUnknownFieldsMax) {
      const std::string name = absl::StrCat(number);
      return Stop(Under(path, name),
                  absl::StrCat("field number ", number, " is not known in ", type.full_name(),
                               ", as ", limits::kRequestUnknownFieldsMax,
                               " others before it: this server's .proto is older than yours"));
    }
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_START_GROUP) {
      const int before = in_.CurrentPosition();
      if (!WireFormatLite::SkipField(&in_, tag)) return Broken();
      memory_ += static_cast<std::size_t>(in_.CurrentPosition() - before);
      return true;
    }
    // What is in a group counts as well, so that there are never many in each other.
    while (const std::uint32_t inner = in_.ReadTag()) {
      if (WireFormatLite::GetTagWireType(inner) == WireFormatLite::WIRETYPE_END_GROUP) {
        return WireFormatLite::GetTagFieldNumber(inner) == number || Broken();
      }
      if (!Unknown(inner, type, path)) return false;
    }
    return Broken();
  }

  bool CountPacked(Kind kind, std::size_t& items) {
    int size = 0;
    if (!Size(size)) return false;
    memory_ += 8 * static_cast<std::size_t>(size);
    if (kind != Kind::kVarint) {
      items = static_cast<std::size_t>(size) / (kind == Kind::kFixed32 ? 4 : 8);
      return in_.Skip(size);
    }
    const auto outer = in_.PushLimit(size);
    std::uint64_t number = 0;
    for (items = 0; in_.BytesUntilLimit() > 0; ++items) {
      if (!in_.ReadVarint64(&number)) return false;
    }
    in_.PopLimit(outer);
    return true;
  }

  // Reads the size of what follows, all of which is here.
  bool Size(int& size) { return in_.ReadVarintSizeAsInt(&size) && size <= in_.BytesUntilLimit(); }

  // The rest is looked at all the same, so that the caller hears of every text that is too long.
  bool WithinBytes(int size, std::size_t max, const Path& path) {
    if (static_cast<std::size_t>(size) <= max) return true;
    violations_.Add(path, absl::StrCat("is ", size, " bytes long; at most ", max, " are taken"));
    return !violations_.full();
  }

  bool TooMany(const WirePlan::Field& field, std::size_t found, const Path& path) {
    const char* const what = !field.repeated            ? "values"
                             : field.kind == Kind::kMap ? "entries"
                                                        : "elements";
    return Stop(
        Under(path, field.field->name()),
        absl::StrCat("has ", found, " ", what, "; at most ", ItemsMax(field), " are taken"));
  }
  bool Stop(const Path& path, std::string description) {
    violations_.Add(path, std::move(description));
    return false;
  }
  bool Broken() {
    readable_ = false;
    return false;
  }

  google::protobuf::io::CodedInputStream in_;
  const std::size_t size_;
  std::vector<std::vector<std::size_t>>
      counts_;       // by depth: of each field of the message open there
  std::string key_;  // of the entry of a map
  std::size_t messages_ = 0;
  int unknown_ = 0;
  std::size_t memory_ = 0;
  bool readable_ = true;
  pictory::Violations violations_;
  FreeWalk free_;
};

}  // namespace

WireFindings CheckWire(google::protobuf::io::ZeroCopyInputStream& bytes, std::size_t size,
                       const google::protobuf::Descriptor& type) {
  return Walk(bytes, size).Run(WirePlanOf(type));
}

}  // namespace gateway::rpc
