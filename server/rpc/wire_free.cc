#include "rpc/wire_free.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/wire_format_lite.h"

namespace gateway::rpc {
namespace {

using google::protobuf::internal::WireFormatLite;
using pictory::Item;
using pictory::Path;
using pictory::Under;
namespace free_value = json::free_value;

// About what each takes in memory, with its place in what holds it.
constexpr std::size_t kListedMemory = sizeof(google::protobuf::Value) + 24;
constexpr std::size_t kMemberMemory = sizeof(google::protobuf::Value) + 88;
constexpr std::size_t kFreeTextMemory = 40;
constexpr std::size_t kObjectMemory = sizeof(google::protobuf::Struct) + 64;
constexpr std::size_t kListMemory = sizeof(google::protobuf::ListValue);

constexpr std::uint32_t Tag(int number, WireFormatLite::WireType type) {
  return static_cast<std::uint32_t>(number) << 3 | type;
}
constexpr auto kVarint = WireFormatLite::WIRETYPE_VARINT;
constexpr auto kFixed = WireFormatLite::WIRETYPE_FIXED64;
constexpr auto kBytes = WireFormatLite::WIRETYPE_LENGTH_DELIMITED;

}  // namespace

FreeWalk::FreeWalk(google::protobuf::io::CodedInputStream& in, std::size_t size,
                   pictory::Violations& violations, std::size_t& memory)
    : in_(in),
      violations_(violations),
      memory_(memory),
      size_(size),
      values_max_(
          std::min(limits::kRequestFreeValuesMax,
                   limits::kRequestMessagesFree + size / limits::kRequestBytesPerFreeValue)) {}

bool FreeWalk::Run(json::FreeKind kind, std::size_t max_values, const Path& path) {
  field_max_ = max_values;
  field_ends_ = values_ + max_values;
  switch (kind) {
    case json::FreeKind::kAny:
      return Any(path, 0);
    case json::FreeKind::kObject:
      return Object(path, 1);
    case json::FreeKind::kList:
      return List(path, 1);
    case json::FreeKind::kNone:
      break;
  }
  return false;
}

bool FreeWalk::Any(const Path& path, int depth) {
  if (!Count(path)) return false;
  int said = 0;
  while (const std::uint32_t tag = in_.ReadTag()) {
    if (++said > 1) return Refuse(path, "says two things at once");
    std::uint64_t number = 0;
    int size = 0;
    switch (tag) {
      case Tag(free_value::kNull, kVarint):
      case Tag(free_value::kBool, kVarint):
        if (!in_.ReadVarint64(&number)) return false;
        break;
      case Tag(free_value::kNumber, kFixed):
        if (!in_.Skip(8)) return false;
        break;
      case Tag(free_value::kText, kBytes):
        if (!in_.ReadVarintSizeAsInt(&size) || !in_.Skip(size)) return false;
        memory_ += kFreeTextMemory + static_cast<std::size_t>(size);
        break;
      case Tag(free_value::kObject, kBytes):
        if (!Inside([&] { return Object(path, depth + 1); })) return false;
        break;
      case Tag(free_value::kList, kBytes):
        if (!Inside([&] { return List(path, depth + 1); })) return false;
        break;
      default:
        return Foreign(tag, "google.protobuf.Value", path);
    }
  }
  if (!in_.ConsumedEntireMessage()) return false;
  return said == 1 || Refuse(path, "says nothing: null is a value of its own");
}

bool FreeWalk::Object(const Path& path, int depth) {
  if (!Opens(path, depth)) return false;
  memory_ += kObjectMemory;
  keys_.Open();
  while (const std::uint32_t tag = in_.ReadTag()) {
    if (tag != Tag(free_value::kFields, kBytes)) {
      return Foreign(tag, "google.protobuf.Struct", path);
    }
    if (!Inside([&] { return Member(path, depth); })) return false;
  }
  keys_.Close();
  return in_.ConsumedEntireMessage();
}

// Reads the entry of a member, whose key may be left out if it is empty.
bool FreeWalk::Member(const Path& path, int depth) {
  memory_ += kMemberMemory - kListedMemory;  // what its value does not count
  std::string key;
  int keys = 0;
  int values = 0;
  while (const std::uint32_t tag = in_.ReadTag()) {
    if (tag == Tag(free_value::kKey, kBytes)) {
      if (++keys > 1) return Refuse(path, "has a member with two keys");
      if (!Key(key, path)) return false;
    } else if (tag == Tag(free_value::kEntryValue, kBytes)) {
      if (++values > 1) return Refuse(Under(path, key), "says two things at once");
      if (!Inside([&] { return Any(Under(path, key), depth); })) return false;
    } else {
      return Foreign(tag, "google.protobuf.Struct.FieldsEntry", path);
    }
  }
  if (!in_.ConsumedEntireMessage()) return false;
  if (values == 0) return Refuse(Under(path, key), "says nothing: null is a value of its own");
  if (keys_.Add(key) != json::KeySets::kNone) {
    return Refuse(Under(path, key), "is there twice in its object");
  }
  return keys_.count() <= limits::kJsonMembersMax ||
         Refuse(path, absl::StrCat("has more than ", limits::kJsonMembersMax, " members"));
}

bool FreeWalk::Key(std::string& key, const Path& path) {
  int size = 0;
  if (!in_.ReadVarintSizeAsInt(&size)) return false;
  if (static_cast<std::size_t>(size) > limits::kJsonKeyMaxBytes) {
    return Refuse(path, absl::StrCat("has a key of ", size, " bytes; at most ",
                                     limits::kJsonKeyMaxBytes, " are taken"));
  }
  memory_ += static_cast<std::size_t>(size);
  return in_.ReadString(&key, size);
}

bool FreeWalk::List(const Path& path, int depth) {
  if (!Opens(path, depth)) return false;
  memory_ += kListMemory;
  int index = 0;
  while (const std::uint32_t tag = in_.ReadTag()) {
    if (tag != Tag(free_value::kElements, kBytes)) {
      return Foreign(tag, "google.protobuf.ListValue", path);
    }
    if (!Inside([&] { return Any(Item(Under(path, ""), index), depth); })) return false;
    ++index;
  }
  return in_.ConsumedEntireMessage();
}

template <class Walk>
bool FreeWalk::Inside(const Walk& walk) {
  int size = 0;
  if (!in_.ReadVarintSizeAsInt(&size) || size > in_.BytesUntilLimit()) return false;
  const auto outer = in_.PushLimit(size);
  if (!walk()) return false;
  in_.PopLimit(outer);
  return true;
}

bool FreeWalk::Opens(const Path& path, int depth) {
  return depth <= limits::kRequestFreeDepthMax ||
         Refuse(path, absl::StrCat("is deeper than ", limits::kRequestFreeDepthMax,
                                   " objects and lists in each other"));
}

bool FreeWalk::Count(const Path& path) {
  memory_ += kListedMemory;
  ++values_;
  if (values_ > values_max_) {
    return Refuse(path, absl::StrCat("is free value ", values_, " of the request; one of ", size_,
                                     " bytes may hold ", values_max_, ", at any depth"));
  }
  return values_ <= field_ends_ ||
         Refuse(path, absl::StrCat("is one value more than the ", field_max_,
                                   " that the field may hold, at any depth"));
}

bool FreeWalk::Foreign(std::uint32_t tag, const char* type, const Path& path) {
  return Refuse(path,
                absl::StrCat("holds a field of number ", WireFormatLite::GetTagFieldNumber(tag),
                             ", which is none of ", type));
}

bool FreeWalk::Refuse(const Path& path, std::string description) {
  refused_ = true;
  violations_.Add(errors::Clean(path.Text()), std::move(description));
  return false;
}

}  // namespace gateway::rpc
