#include "postgres/feed_position.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace gateway::postgres {

std::optional<FeedPosition> FeedPosition::Parse(const std::string& text) {
  FeedPosition position;
  for (const absl::string_view one : absl::StrSplit(text, ',')) {
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
  std::string text;
  for (const auto& [writer, n] : read) {
    absl::StrAppend(&text, text.empty() ? "" : ",", writer, ":", n);
  }
  return text;
}

}  // namespace gateway::postgres
