// FeedPosition is a position in the feed: how far each writer's changes were read. Its text is
// opaque to others: `812/3:17,4:0`, where 812 names the feed, so that a position of another store
// is known for one.
//
// Ids of writers rise. A writer beyond the highest one in a position is new, and is read from its
// beginning; one below it that is not in the position had ended and was read to its end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace gateway::postgres {

struct FeedPosition {
  std::int64_t feed = 0;
  std::map<std::int64_t, std::int64_t> read;  // of each writer, the number up to which

  static std::optional<FeedPosition> Parse(const std::string& text);
  std::string Text() const;
};

}  // namespace gateway::postgres
