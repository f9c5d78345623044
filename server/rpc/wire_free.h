// A FreeWalk goes through free values (json/free_value.h) in the bytes of a request, before it is
// parsed. Private to wire_bounds.cc.
//
// It counts what the parser would make of them, and finds what the parser would hide: of two equal
// keys in an object it keeps one without a word. What no writer of JSON makes is refused as well:
// values that say nothing or two things, and fields that these messages do not have.
//
// Single-threaded; one for each request.
#pragma once

#include <cstddef>
#include <string>

#include "google/protobuf/io/coded_stream.h"
#include "json/free_value.h"
#include "json/key_sets.h"
#include "pictory/violations.h"

namespace gateway::rpc {

class FreeWalk {
 public:
  // Of a request of `size` bytes. The other arguments must outlive the walk. Adds what the values
  // will take in memory to `memory`.
  FreeWalk(google::protobuf::io::CodedInputStream& in, std::size_t size,
           pictory::Violations& violations, std::size_t& memory);

  // Walks one value up to the limit that was pushed. False where it ends: it is refused, and a
  // violation says why, or the bytes are broken.
  bool Run(json::FreeKind kind, std::size_t max_values, const pictory::Path& path);
  bool refused() const { return refused_; }

 private:
  bool Any(const pictory::Path& path, int depth);
  bool Object(const pictory::Path& path, int depth);
  bool List(const pictory::Path& path, int depth);
  bool Member(const pictory::Path& path, int depth);
  bool Key(std::string& key, const pictory::Path& path);
  // One inside another; `walk` reads it up to its end.
  template <class Walk>
  bool Inside(const Walk& walk);
  // Whether the value may be opened at this depth, counted from 1.
  bool Opens(const pictory::Path& path, int depth);
  bool Count(const pictory::Path& path);
  bool Foreign(std::uint32_t tag, const char* type, const pictory::Path& path);
  bool Refuse(const pictory::Path& path, std::string description);

  google::protobuf::io::CodedInputStream& in_;
  pictory::Violations& violations_;
  std::size_t& memory_;
  std::size_t values_ = 0;      // of the request
  std::size_t field_ends_ = 0;  // how many of them there may be at the end of this field
  std::size_t field_max_ = 0;
  bool refused_ = false;
  const std::size_t size_;
  const std::size_t values_max_;
  json::KeySets keys_;
};

}  // namespace gateway::rpc
