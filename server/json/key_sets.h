// KeySets holds the keys of the objects that are open, to find keys that occur twice.
//
// Objects of a list mostly have the keys of the object before, in the same order; such a key costs
// one comparison. The keys of large objects are hashed with the process's seed, so that nobody
// outside can make them clash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/rapidjson.h"

namespace gateway::json {

class KeySets {
 public:
  // Notes that an object opens.
  void Open() {
    if (open_ == levels_.size()) levels_.emplace_back();
    Level& level = levels_[open_++];
    level.count = 0;
    level.first = static_cast<std::uint32_t>(keys_.size());
    level.following = !level.shape.empty();
    level.table.clear();
  }

  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  // Gives the innermost object a key. If it has that one already, says which it is, counted from 0
  // in the order of adding; else kNone.
  std::uint32_t Add(std::string_view key) {
    Level& level = levels_[open_ - 1];
    if (level.following) {
      if (level.count < level.shape.size() && Same(level, level.shape[level.count], key)) {
        ++level.count;
        return kNone;
      }
      Leave(level);
    }
    return Insert(level, key);
  }

  // How many keys the innermost object has.
  std::size_t count() const { return levels_[open_ - 1].count; }

  void Close();

 private:
  struct Key {
    std::uint32_t offset;  // into the level's bytes
    std::uint32_t size;
    std::uint64_t hash;  // once its object has a table
  };
  struct Level {
    // The keys of the last object closed here that had its own, with their bytes.
    std::vector<Key> shape;
    std::string shape_bytes;
    // While `following`, the first `count` of `shape` are this object's keys. Else they are
    // keys_[first …], and `table` finds them if there are many.
    bool following = false;
    std::uint32_t count = 0;
    std::uint32_t first = 0;
    std::string bytes;
    std::vector<std::uint32_t> table;  // index + 1; size is a power of two
  };

  static bool Same(const Level& level, const Key& key, std::string_view text) {
    return key.size == text.size() &&
           SameBytes(level.shape_bytes.data() + key.offset, text.data(), text.size());
  }
  void Leave(Level& level);
  std::uint32_t Insert(Level& level, std::string_view key);
  std::uint32_t FindInTable(Level& level, std::uint64_t hash, std::string_view key) const;
  void Rehash(Level& level, std::size_t slots);

  std::vector<Level> levels_;  // the first `open_` are of open objects, the rest may serve again
  std::size_t open_ = 0;
  std::vector<Key> keys_;
};

}  // namespace gateway::json
