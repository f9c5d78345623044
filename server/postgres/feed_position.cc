#include "postgres/feed_position.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace gateway::postgres {

std::optional<FeedPosition> FeedPosition::Parse(const std::string& text) {
  FeedPosition position;
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || !absl::SimpleAtoi(text.substr(0, slash), &position.feed)) {
    return std::nullopt;
  }
  const std::string reads = text.substr(slash + 1);
  for (const absl::string_view one : absl::StrSplit(reads, ',')) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(one, ':');
    std::int64_t writer = 0, n = 0;
    if (!absl::SimpleAtoi(parts.first, &writer) || !absl::SimpleAtoi(parts.second, &n) ||
        writer <= 0 || n < 0) {
      return std::nullopt;
    }
    position.read[writer] = n;
  }
  return position;
}

std::string FeedPosition::Text() const {
  std::string text = absl::StrCat(feed, "/");
  for (const auto& [writer, n] : read) {
    absl::StrAppend(&text, text.back() == '/' ? "" : ",", writer, ":", n);
  }
  return text;
}

}  // namespace gateway::postgres
