#include "pictory/http_reply.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::pictory {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> Number(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value < 0)
    return std::nullopt;
  return value;
}

std::optional<int> Month(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(kMonths.begin(), kMonths.end(), name);
  if (found == kMonths.end()) return std::nullopt;
  return static_cast<int>(found - kMonths.begin()) + 1;
}

// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that senders may use today. It does so by
// hand, because the library's parser depends on the locale.
std::optional<std::chrono::sys_seconds> HttpDate(std::string_view text) {
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" ||
      text[19] != ':' || text[22] != ':') {
    return std::nullopt;
  }
  const auto day = Number(text.substr(5, 2));
  const auto month = Month(text.substr(8, 3));
  const auto year = Number(text.substr(12, 4));
  const auto hour = Number(text.substr(17, 2));
  const auto minute = Number(text.substr(20, 2));
  const auto second = Number(text.substr(23, 2));
  if (!day || !month || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Folds both halves of the 128-bit product, so that every bit of the input reaches every bit of the
// output.
std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

Duration RetryAfter(const http::Response& response, WallTime now) {
  const std::string* header = response.FindHeader("retry-after");
  if (header == nullptr) return Duration::zero();
  const std::string_view text = Trim(*header);
  Duration asked = Duration::zero();
  if (AllDigits(text)) {
    // A number with more digits than any sensible wait has counts as a billion, so that the
    // arithmetic does not overflow.
    const std::int64_t seconds = text.size() > 9 ? 1'000'000'000 : Number(text).value_or(0);
    asked = std::chrono::seconds(seconds);
  } else if (const auto date = HttpDate(text)) {
    const auto wait = *date - std::chrono::floor<std::chrono::seconds>(now);
    asked = std::clamp<std::chrono::seconds>(wait, std::chrono::seconds(0), std::chrono::hours(24));
  } else {
    return Duration::zero();
  }
  return std::clamp<Duration>(asked, limits::kRetryAfterMin, limits::kRetryAfterMax);
}

std::string Describe(const http::Response& response) {
  if (response.outcome == http::Response::Outcome::kNotSent) {
    return "not sent: " + errors::Clean(response.error);
  }
  if (response.outcome == http::Response::Outcome::kUnknown) {
    std::string text = "no complete answer: " + errors::Clean(response.error);
    if (response.status != 0) text += " (HTTP " + std::to_string(response.status) + ")";
    return text;
  }
  std::string text = "HTTP " + std::to_string(response.status);
  if (FromBotFilter(response)) text += " from the bot filter in front of Pictory (Cloudflare)";
  return text;
}

bool FromBotFilter(const http::Response& response) {
  if (response.status != 403 || HasJsonObject(response)) return false;
  if (response.FindHeader("cf-ray") != nullptr || response.FindHeader("cf-mitigated") != nullptr) {
    return true;
  }
  if (const std::string* server = response.FindHeader("server")) {
    if (*server == "cloudflare") return true;
  }
  const std::string_view start = std::string_view(response.body).substr(0, 64 * limits::kKiB);
  return start.find("error code: 10") != std::string_view::npos ||
         start.find("loudflare") != std::string_view::npos;
}

bool HasJsonObject(const http::Response& response) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";  // of UTF-8
  std::string_view body = response.body;
  if (body.substr(0, kMark.size()) == kMark) body.remove_prefix(kMark.size());
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  return first != std::string::npos && body[first] == '{';
}

std::uint64_t Digest(const http::Response& response) {
  constexpr std::uint64_t kA = 0x9E3779B97F4A7C15ULL;
  constexpr std::uint64_t kB = 0xD6E8FEB86659FD93ULL;
  const std::string& body = response.body;
  std::uint64_t hash = Mix(kA ^ static_cast<std::uint64_t>(response.status), kB ^ body.size());
  std::size_t at = 0;
  for (; at + 16 <= body.size(); at += 16) {
    std::uint64_t words[2];
    std::memcpy(words, body.data() + at, sizeof words);
    hash = Mix(words[0] ^ kA ^ hash, words[1] ^ kB ^ (hash << 32 | hash >> 32));
  }
  std::uint64_t tail[2] = {0, 0};
  std::memcpy(tail, body.data() + at, body.size() - at);
  hash = Mix(tail[0] ^ kA ^ hash, tail[1] ^ kB ^ (hash << 32 | hash >> 32));
  hash = Mix(hash ^ kA, kB);
  return hash == 0 ? 1 : hash;
}

}  // namespace gateway::pictory
