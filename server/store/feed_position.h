// A feed position is a place in the feed of one store, as text: the store's own id and the number
// of a change. Another store counts from the beginning too, so a number alone would look like a
// place of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace gateway::store {

inline std::string FeedPosition(const std::string& feed_id, std::int64_t change) {
  return absl::StrCat(feed_id, ".", change);
}

// The number of the change; none if it is no position of this feed.
inline std::optional<std::int64_t> ReadFeedPosition(const std::string& feed_id,
                                                    absl::string_view position) {
  std::int64_t change = 0;
  if (!absl::ConsumePrefix(&position, feed_id) || !absl::ConsumePrefix(&position, ".") ||
      !absl::SimpleAtoi(position, &change)) {
    return std::nullopt;
  }
  return change;
}

}  // namespace gateway::store
