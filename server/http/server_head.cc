#include "http/server_head.h"

#include <charconv>
#include <ctime>

namespace gateway::http {
namespace {

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::string HttpDate(WallTime now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  // Not strftime's %a and %b: those follow the locale.
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday],
                parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  return text;
}

bool IsSafe(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

RangeAnswer ParseRange(std::string_view value, std::uint64_t size) {
  const RangeAnswer whole;
  constexpr std::string_view kUnit = "bytes=";
  if (value.substr(0, kUnit.size()) != kUnit) return whole;
  value.remove_prefix(kUnit.size());
  const std::size_t dash = value.find('-');
  if (dash == std::string_view::npos || value.find(',') != std::string_view::npos) return whole;
  const std::string_view from = value.substr(0, dash);
  const std::string_view to = value.substr(dash + 1);

  const auto last = ParseNumber(to);
  if (!to.empty() && !last) return whole;
  if (from.empty()) {  // the last n bytes
    if (!last) return whole;
    if (*last == 0 || size == 0) return {RangeAnswer::Kind::kUnsatisfiable, {}};
    const std::uint64_t count = std::min(*last, size);
    return {RangeAnswer::Kind::kPart, {size - count, count}};
  }
  const auto first = ParseNumber(from);
  if (!first || (last && *last < *first)) return whole;
  if (*first >= size) return {RangeAnswer::Kind::kUnsatisfiable, {}};
  const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return {RangeAnswer::Kind::kPart, {*first, end - *first + 1}};
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 425:
      return "Too Early";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Unknown";
  }
}

std::string WriteHead(const ServerResponse& response, int status,
                      std::optional<std::uint64_t> content_length, const std::string& content_range,
                      bool keep_alive, WallTime now) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  head += ReasonPhrase(status);
  head += "\r\nDate: " + HttpDate(now) + "\r\n";
  for (const Header& header : response.headers) {
    if (!IsSafe(header.name) || !IsSafe(header.value)) continue;
    head += header.name + ": " + header.value + "\r\n";
  }
  if (response.ranges) head += "Accept-Ranges: bytes\r\n";
  if (!response.etag.empty() && IsSafe(response.etag)) head += "ETag: " + response.etag + "\r\n";
  if (!content_range.empty()) head += "Content-Range: " + content_range + "\r\n";
  if (content_length) head += "Content-Length: " + std::to_string(*content_length) + "\r\n";
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

std::string WholeAnswer(const ServerResponse& response) {
  const std::uint64_t size = response.body->size();
  std::string answer =
      WriteHead(response, response.status, size, "", false,
                std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now()));
  const std::size_t head = answer.size();
  answer.resize(head + static_cast<std::size_t>(size));
  if (!response.body->Read(0, answer.data() + head, static_cast<std::size_t>(size))) {
    answer.resize(head);
  }
  return answer;
}

}  // namespace gateway::http
