// A free value is a google.protobuf.Struct, ListValue or Value in a message of ours: JSON of a
// shape that nobody here knows. It is written, and never read.
//
// The functions are pure and thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "google/protobuf/descriptor.h"
#include "json/writer.h"

namespace gateway::json {

// Which of the three a message is, if it is one.
enum class FreeKind : std::uint8_t { kNone, kAny, kObject, kList };

FreeKind FreeKindOf(const google::protobuf::FieldDescriptor& field);

// The numbers of their fields, and of the entries of a Struct.
namespace free_value {
inline constexpr int kNull = 1;
inline constexpr int kNumber = 2;
inline constexpr int kText = 3;
inline constexpr int kBool = 4;
inline constexpr int kObject = 5;
inline constexpr int kList = 6;
inline constexpr int kFields = 1;    // of a Struct
inline constexpr int kElements = 1;  // of a ListValue
inline constexpr int kKey = 1;
inline constexpr int kEntryValue = 2;
}  // namespace free_value

// Writes a free value that this program serialised itself, the keys of objects sorted. False if it
// holds a value that says nothing, or what makes out.ok() false.
bool WriteFreeValue(std::string_view wire, FreeKind kind, Writer& out);

}  // namespace gateway::json
