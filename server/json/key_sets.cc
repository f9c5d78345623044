#include "json/key_sets.h"

#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace gateway::json {
namespace {

constexpr std::size_t kLinear = 16;    // up to here a scan beats a table
constexpr std::size_t kShapeMax = 64;  // larger objects are not compared with the one before

std::uint64_t Hash(std::string_view key) {
  return absl::Hash<absl::string_view>{}(absl::string_view(key.data(), key.size()));
}

}  // namespace

void KeySets::Leave(Level& level) {
  level.following = false;
  level.bytes.clear();
  const std::uint32_t count = std::exchange(level.count, 0);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Key& key = level.shape[i];
    Insert(level, std::string_view(level.shape_bytes).substr(key.offset, key.size));
  }
}

std::uint32_t KeySets::FindInTable(Level& level, std::uint64_t hash, std::string_view key) const {
  const std::size_t mask = level.table.size() - 1;
  for (std::size_t slot = hash & mask; level.table[slot] != 0; slot = (slot + 1) & mask) {
    const Key& other = keys_[level.table[slot] - 1];
    if (other.hash == hash &&
        std::string_view(level.bytes).substr(other.offset, other.size) == key) {
      return level.table[slot] - 1 - level.first;
    }
  }
  return kNone;
}

void KeySets::Rehash(Level& level, std::size_t slots) {
  const bool first = level.table.empty();
  level.table.assign(slots, 0);
  for (std::uint32_t i = level.first; i < level.first + level.count; ++i) {
    Key& key = keys_[i];
    if (first) key.hash = Hash(std::string_view(level.bytes).substr(key.offset, key.size));
    std::size_t slot = key.hash & (slots - 1);
    while (level.table[slot] != 0) slot = (slot + 1) & (slots - 1);
    level.table[slot] = i + 1;
  }
}

std::uint32_t KeySets::Insert(Level& level, std::string_view key) {
  if (level.count == 0) level.bytes.clear();
  Key fresh{static_cast<std::uint32_t>(level.bytes.size()), static_cast<std::uint32_t>(key.size()),
            0};
  if (level.table.empty()) {
    for (std::uint32_t i = level.first; i < level.first + level.count; ++i) {
      if (keys_[i].size == key.size() &&
          SameBytes(level.bytes.data() + keys_[i].offset, key.data(), key.size())) {
        return i - level.first;
      }
    }
  } else {
    fresh.hash = Hash(key);
    const std::uint32_t equal = FindInTable(level, fresh.hash, key);
    if (equal != kNone) return equal;
  }
  keys_.push_back(fresh);
  level.bytes.append(key);
  ++level.count;
  if (!level.table.empty() && level.count * 2 <= level.table.size()) {
    std::size_t slot = fresh.hash & (level.table.size() - 1);
    while (level.table[slot] != 0) slot = (slot + 1) & (level.table.size() - 1);
    level.table[slot] = static_cast<std::uint32_t>(keys_.size());
  } else if (level.count > kLinear) {
    Rehash(level, level.table.empty() ? kLinear * 8 : level.table.size() * 4);
  }
  return kNone;
}

void KeySets::Close() {
  Level& level = levels_[--open_];
  if (level.following) return;
  level.shape.clear();
  if (level.count <= kShapeMax) {
    level.shape.assign(keys_.begin() + level.first, keys_.begin() + level.first + level.count);
    level.shape_bytes.assign(level.count == 0 ? std::string_view() : level.bytes);
  }
  keys_.resize(level.first);
  // The table of one huge object goes, so that small ones after it need not clear it.
  if (level.table.size() > 4096) std::vector<std::uint32_t>().swap(level.table);
}

}  // namespace gateway::json
