// Check makes a bounded check of JSON text from anybody, without a DOM, and in one pass unless the
// text is odd.
//
// The strict reading, for callers' texts, refuses what parsers disagree on or what would harm us
// later: broken UTF-8, a surrogate without its other half, duplicate keys at any depth, and
// whatever exceeds the limits. The forgiving reading, for Pictory's texts, takes what JavaScript
// and Python take: half a surrogate pair and broken UTF-8 are U+FFFD, of equal keys the last
// counts, NaN and Infinity are null, a byte order mark is passed over, what nests too deep is
// empty, keys have any length. In both readings numbers have any length and size, and a text that
// is cut, or followed by anything, is refused. Read (json/proto_reader.h) applies exactly the same
// rules.
//
// The functions are pure and retain nothing. Byte slices point into the text given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/limits.h"

namespace gateway::json {

enum class Type : std::uint8_t { kAbsent, kNull, kBool, kNumber, kString, kObject, kArray };

// `object`, `number` …: the word a person reads.
std::string_view TypeName(Type type);

enum class Reading : std::uint8_t { kStrict, kForgiving };

struct Limits {
  Reading reading = Reading::kStrict;
  int max_depth = limits::kJsonMaxDepth;                       // nested objects and arrays
  std::size_t max_values = limits::kJsonMaxValues;             // scalars, objects and arrays
  std::size_t max_key_bytes = limits::kJsonKeyMaxBytes;        // decoded
  std::size_t max_string_bytes = limits::kJsonStringMaxBytes;  // decoded
  std::size_t max_members = limits::kJsonMaxValues;            // of one object
  bool allow_nul = true;                                       // \u0000 inside a string or key
};

// A Member is one member of the root object, or one element of the root array (then `key` is
// empty).
struct Member {
  std::string key;         // decoded
  std::string_view value;  // the exact bytes of the value, no white space around it
  Type type = Type::kAbsent;
};

// An Outline is what lies directly under the root. For a scalar root there are no members.
struct Outline {
  // Set before the check: whether the elements of an array are wanted too. They take far more
  // memory than their text.
  bool elements = true;
  Type type = Type::kAbsent;
  std::string_view root;
  std::vector<Member> members;

  // The member with this key; nullptr if there is none.
  const Member* Find(std::string_view key) const;
};

// Ok, or INVALID_ARGUMENT with what is wrong and where in words:
// `line 3, column 14 (byte 57), at scenes[2].story: the string is not valid UTF-8`.
// `outline`, if given, is filled (on an error its content is unspecified).
absl::Status Check(std::string_view text, const Limits& limits = {}, Outline* outline = nullptr);

// Calls `found` for each member, of any object of the text, whose key is one of `keys`; not for
// those inside of one that was found. An odd text may be read twice: `begin` is called before each
// reading, and what was found before it does not count. The status is that of Check.
absl::Status FindMembers(std::string_view text, const Limits& limits,
                         std::initializer_list<std::string_view> keys,
                         const std::function<void()>& begin,
                         const std::function<void(const Member&)>& found);

// The text of a scalar that has been checked, in either reading: a string is decoded, others are as
// they are written. Empty for an object, an array, a null and what is read as null.
std::string Text(std::string_view checked_value);

// The elements of an array that has been checked, each without white space around it. Cheaper than
// an Outline of it.
std::vector<std::string_view> Elements(std::string_view checked_array);

// The path of the value at byte `offset` as in a program: `scenes[2].story`; empty for the root.
// Works on broken JSON too, as far as the text before `offset` makes sense.
std::string PathAt(std::string_view text, std::size_t offset);

}  // namespace gateway::json
