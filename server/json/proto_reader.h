// Read reads JSON into messages, forgivingly, in one pass without a DOM, and takes byte slices of
// it on the way.
//
// The text must keep the rules of json/check.h; what it says is read forgivingly: numbers in
// strings and numbers for strings are taken, "true" and "false" too, null is absence, a single
// value is a list of one. Unknown members, values of a wrong type and numbers out of range are left
// out and counted.
//
// A member under an alias never replaces one under the field's own key. Lists under several keys
// are read one after the other.
//
// The functions are pure and thread-safe. Slices point into the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "json/check.h"
#include "json/path_table.h"

namespace gateway::json {

// A Captured is one value picked out.
struct Captured {
  Type type = Type::kAbsent;
  std::string_view raw;  // exact bytes
  std::string text;      // of a string decoded, of a number or bool as written; else empty

  bool present() const { return type != Type::kAbsent; }
  // Whether the value is present and a string, number or bool.
  bool scalar() const {
    return type == Type::kString || type == Type::kNumber || type == Type::kBool;
  }
};

struct ReadOptions {
  Limits limits;
  // Where in the text the message is: empty for the root, `data` for a member of it.
  std::string_view message_at;
  // Fields to pass over, wherever they occur; neither stored nor counted.
  std::vector<const google::protobuf::FieldDescriptor*> skip;
  // Passes over every RAW_JSON and RAW_SELF field as well.
  bool skip_raw_json = false;
  // Longer strings and raw JSON are not stored but listed in ReadStats::omitted.
  std::size_t string_max_bytes = std::numeric_limits<std::size_t>::max();
  const PathTable* capture = nullptr;
  // How many of the things left out are named in ReadStats::problems. Naming costs a scan each.
  std::size_t max_problems = 0;
};

struct Omitted {
  const google::protobuf::FieldDescriptor* field = nullptr;
  std::string path;  // in field names, from the message on: `summaries[2].text`
  std::size_t bytes = 0;
};

struct Problem {
  enum class Kind { kUnknown, kWrongType, kOutOfRange };
  Kind kind = Kind::kUnknown;
  std::string path;  // in JSON keys, from the root on
};

struct ReadStats {
  // What stood at `message_at`; kAbsent if there was nothing.
  Type message_type = Type::kAbsent;
  std::size_t unknown = 0;       // members no field takes; what is inside them does not count
  std::size_t wrong_type = 0;    // values of known members that fit in no way
  std::size_t out_of_range = 0;  // numbers beyond the field's type
  std::size_t skipped() const { return unknown + wrong_type + out_of_range; }
  std::vector<Omitted> omitted;
  std::vector<Problem> problems;
  // One for each path of ReadOptions::capture, in its order.
  std::vector<Captured> captured;
};

// Merges `text` into `message`; nullptr for captures alone. INVALID_ARGUMENT as from Check() if the
// text breaks a rule; the message then stays as it was. Text whose value at `message_at` is of the
// wrong type is no error: see ReadStats.
absl::StatusOr<ReadStats> Read(std::string_view text, google::protobuf::Message* message,
                               const ReadOptions& options = {});

// The same, but the message stays serialised, for callers who need it only that way.
absl::StatusOr<ReadStats> ReadWire(std::string_view text,
                                   const google::protobuf::Descriptor* message, std::string& wire,
                                   const ReadOptions& options = {});

}  // namespace gateway::json
