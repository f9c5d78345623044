// A WirePlan holds the bounds of a message type, compiled once from its descriptor. Private to
// wire_bounds.cc.
//
// Thread-safe. Plans live as long as the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "json/free_value.h"
#include "rpc/wire_bounds.h"

namespace gateway::rpc {

struct WirePlan {
  enum class Kind : std::uint8_t { kVarint, kFixed32, kFixed64, kText, kMap, kMessage, kFree };

  struct Field {
    const google::protobuf::FieldDescriptor* field = nullptr;
    Kind kind = Kind::kVarint;
    bool repeated = false;
    // A free value, or a single message that holds one at any depth. Of two the parser makes one,
    // in which keys that are in both would be hidden.
    bool once = false;
    FieldBounds bounds;
    json::FreeKind free = json::FreeKind::kNone;  // of kFree
    const WirePlan* message = nullptr;            // of kMessage
  };

  // nullptr if there is none with this number.
  const Field* Numbered(std::uint32_t number) const {
    const std::size_t slot = number < slots.size() ? slots[number] : 0;
    return slot == 0 ? nullptr : &fields[slot - 1];
  }

  const google::protobuf::Descriptor* type = nullptr;
  std::vector<Field> fields;
  std::vector<std::uint16_t> slots;  // by number: one more than the index into `fields`; 0: none
  std::size_t memory_bytes = 0;      // of a message without anything in it
};

// The plan of a message type of the generated pool, and of all it holds.
const WirePlan& WirePlanOf(const google::protobuf::Descriptor& type);

}  // namespace gateway::rpc
