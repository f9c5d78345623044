#include "upload_answer.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr double kDelayFirstMs = 500;
constexpr double kDelayMaxMs = 15'000;
constexpr std::chrono::seconds kAskedMax{60};

std::string Element(std::string_view xml, const std::string& name) {
  const std::string open = "<" + name + ">";
  const std::size_t begin = xml.find(open);
  const std::size_t end = xml.find("</" + name + ">");
  if (begin == xml.npos || end == xml.npos || end < begin + open.size()) return "";
  return OneLine(xml.substr(begin + open.size(), end - begin - open.size()));
}

}  // namespace

std::optional<std::int64_t> NextByte(std::string_view range, std::int64_t size) {
  if (range.empty()) return 0;
  constexpr std::string_view kStart = "bytes=0-";
  if (range.substr(0, kStart.size()) != kStart) return std::nullopt;
  range.remove_prefix(kStart.size());
  std::int64_t last = 0;
  const auto [end, error] = std::from_chars(range.data(), range.data() + range.size(), last);
  if (error != std::errc() || end != range.data() + range.size()) return std::nullopt;
  if (last < 0 || last >= size) return std::nullopt;
  return last + 1;
}

absl::Status RefusedBy(long http_status, std::string_view body) {
  const std::string code = Element(body, "Code");
  const std::string message = Element(body, "Message");
  std::string what = absl::StrCat("The media store answered HTTP ", http_status);
  if (!code.empty()) absl::StrAppend(&what, " ", code);
  if (!message.empty()) absl::StrAppend(&what, ": ", message);
  const bool passing = http_status >= 500 || http_status == 408 || http_status == 429 ||
                       (http_status == 400 && code == "RequestTimeout");
  if (passing && http_status != 501) return absl::UnavailableError(what);
  if (http_status >= 300 && http_status < 400) what += " (redirects are not followed)";
  if (http_status == 403) what += " (the place for the upload may have expired; begin again)";
  return absl::FailedPreconditionError(what);
}

std::chrono::milliseconds UploadDelay(int failures, double uniform, std::chrono::seconds asked) {
  const double ceiling =
      std::min(kDelayMaxMs, kDelayFirstMs * static_cast<double>(1 << std::clamp(failures, 0, 10)));
  const auto own =
      std::chrono::milliseconds(static_cast<std::int64_t>(ceiling / 2 + uniform * ceiling / 2));
  return std::max<std::chrono::milliseconds>(own, std::min(asked, kAskedMax));
}

}  // namespace pictory_jobs::cli
