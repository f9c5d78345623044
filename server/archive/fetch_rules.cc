#include "archive/fetch_rules.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "archive/detail.h"
#include "base/limits.h"
#include "pictory/url_rules.h"

namespace gateway::archive {
namespace {

struct ContentRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t total = -1;  // -1: not told
};

// Takes a number from the beginning of the text.
std::optional<std::int64_t> TakeNumber(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool TakeText(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

// Reads "bytes 5-9/10" or "bytes 5-9/*".
std::optional<ContentRange> ReadContentRange(std::string_view text) {
  if (!TakeText(text, "bytes ")) return std::nullopt;
  const auto first = TakeNumber(text);
  if (!first || !TakeText(text, "-")) return std::nullopt;
  const auto last = TakeNumber(text);
  if (!last || *last < *first || !TakeText(text, "/")) return std::nullopt;
  ContentRange range{.first = *first, .last = *last};
  if (text == "*") return range;
  const auto total = TakeNumber(text);
  if (!total || !text.empty() || *total <= *last) return std::nullopt;
  range.total = *total;
  return range;
}

// What tells this version of the file from another. A weak ETag does not count, because the bytes
// must be the same.
std::string ValidatorOf(const http::FetchHead& head) {
  const std::string* const tag = head.FindHeader("etag");
  if (tag != nullptr && !tag->empty() && !tag->starts_with("W/")) return *tag;
  const std::string* const modified = head.FindHeader("last-modified");
  return modified == nullptr ? "" : *modified;
}

Verdict Wrong(absl::Status why) { return {.what = Verdict::What::kWrong, .why = std::move(why)}; }
Verdict Stale(absl::Status why) { return {.what = Verdict::What::kStale, .why = std::move(why)}; }

absl::Status CheckSize(std::int64_t total, std::int64_t max_file_bytes) {
  if (total <= max_file_bytes) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat(
      "The file has ", total, " bytes, and one may have ",
      max_file_bytes / static_cast<std::int64_t>(limits::kMiB), " MiB (--archive-max-file-mib)"));
}

Verdict JudgePart(const Known& known, const http::FetchHead& head) {
  const std::string* const text = head.FindHeader("content-range");
  const auto range = text == nullptr ? std::nullopt : ReadContentRange(*text);
  const auto stale = [](const char* what) {
    return Stale(absl::UnavailableError(absl::StrCat("The server ", what, "; begun anew")));
  };
  if (!range || range->first != known.had) return stale("goes on at another place");
  if (range->total < 0 || range->last + 1 != range->total) return stale("does not send the rest");
  if (known.total >= 0 && known.total != range->total) return stale("has another file by now");
  const std::string validator = ValidatorOf(head);
  if (!known.validator.empty() && !validator.empty() && validator != known.validator) {
    return stale("has another file by now");
  }
  return {.what = known.had > 0 ? Verdict::What::kGoOn : Verdict::What::kAnew,
          .total = range->total,
          .validator = validator};
}

Verdict JudgeWhole(const http::FetchHead& head) {
  if (!head.ends_known) {
    return Wrong(absl::FailedPreconditionError("The server does not tell how long the file is"));
  }
  return {.what = Verdict::What::kAnew, .total = head.length, .validator = ValidatorOf(head)};
}

// Other answers than the file.
Verdict JudgeRefusal(const Known& known, int status) {
  const std::string what = absl::StrCat("The file's server answered HTTP ", status);
  if (status == 416 && known.had > 0) return Stale(absl::UnavailableError(what));
  // A signed link whose time is over, or a file that has been moved.
  if (status == 401 || status == 403 || status == 404 || status == 410) {
    return Wrong(absl::PermissionDeniedError(what));
  }
  const bool passes = status >= 500 || status == 408 || status == 425 || status == 429;
  return Wrong(passes ? absl::UnavailableError(what) : absl::FailedPreconditionError(what));
}

// An encoding, or a page, in the place of the file.
absl::Status CheckContent(const http::FetchHead& head) {
  const std::string* const encoding = head.FindHeader("content-encoding");
  if (encoding != nullptr && !encoding->empty() && !absl::EqualsIgnoreCase(*encoding, "identity")) {
    return absl::FailedPreconditionError(
        "The server sent the file encoded, which was not asked for");
  }
  const std::string* const type = head.FindHeader("content-type");
  if (type != nullptr && absl::StartsWithIgnoreCase(*type, "text/html")) {
    return absl::FailedPreconditionError("The server sent a page instead of the file");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Reach> ReachOf(std::string_view url, const std::set<std::string>& stand_ins) {
  const std::string problem =
      pictory::UrlProblem(url, /*allow_loopback=*/false, limits::kResultUrlMaxBytes);
  if (problem.empty()) return Reach::kPublic;
  if (pictory::UrlProblem(url, /*allow_loopback=*/true, limits::kResultUrlMaxBytes).empty() &&
      stand_ins.contains(pictory::HostAndPortOf(url))) {
    return Reach::kLoopback;
  }
  return absl::InvalidArgumentError(absl::StrCat("Not fetched: its URL ", problem));
}

Verdict Judge(const Known& known, const http::FetchHead& head, std::int64_t max_file_bytes) {
  if (head.status != 200 && head.status != 206) return JudgeRefusal(known, head.status);
  if (absl::Status content = CheckContent(head); !content.ok()) return Wrong(content);
  Verdict verdict = head.status == 206 ? JudgePart(known, head) : JudgeWhole(head);
  if (absl::Status size = CheckSize(verdict.total, max_file_bytes); !size.ok()) return Stale(size);
  return verdict;
}

Duration RetryDelay(int failures, double random) {
  const double doubled = std::pow(2.0, std::clamp(failures - 1, 0, 30));
  const double pause =
      std::min(std::chrono::duration<double>(limits::kArchiveRetryFirst).count() * doubled,
               std::chrono::duration<double>(limits::kArchiveRetryMax).count());
  const double jittered = pause * (1 + limits::kArchiveRetryJitter * (2 * random - 1));
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(jittered));
}

bool IsRefusal(const absl::Status& error) {
  return absl::IsFailedPrecondition(error) || absl::IsPermissionDenied(error);
}

bool IsGivenUp(const absl::Status& error, int refusals, Duration tried) {
  // The gateway's own doing.
  if (absl::IsCancelled(error) || IsOfTheDisk(error)) return false;
  if (absl::IsInvalidArgument(error) || absl::IsOutOfRange(error)) return true;
  if (tried >= limits::kArchiveGiveUpAfter) return true;
  return refusals >= limits::kArchiveRefusalsMax;
}

}  // namespace gateway::archive
