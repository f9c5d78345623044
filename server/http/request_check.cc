#include "http/request_check.h"
#include "base/limits.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/ids.h"

namespace gateway::http {
namespace {

constexpr std::array<std::string_view, 6> kMethods = {"GET", "HEAD",  "POST",
                                                      "PUT", "PATCH", "DELETE"};
// These headers decide where a request ends or whose it is; the transport sets them itself.
constexpr std::array<std::string_view, 11> kOwnHeaders = {
    "connection", "content-length",      "expect",           "host",
    "keep-alive", "proxy-authorization", "proxy-connection", "te",
    "trailer",    "transfer-encoding",   "upgrade"};

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlDeleter>;

// A part of the URL; empty if it is absent.
std::string Part(const Url& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return "";
  std::string result = text;
  curl_free(text);
  return result;
}

bool IsLoopback(const std::string& host) {
  if (absl::EqualsIgnoreCase(host, "localhost")) return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return host == "[::1]";
}

bool IsVisible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           kMarks.find(c) != std::string_view::npos;
  });
}

std::string CheckPath(std::string_view path) {
  if (path.empty() || path.front() != '/') return "the path does not begin with '/'";
  if (path.size() > limits::kHttpTargetMaxBytes) return "the path is too long";
  if (!IsVisible(path)) return "the path has a character that must be percent-encoded";
  if (path.find('#') != std::string_view::npos) return "the path has a fragment";
  if (path.find('\\') != std::string_view::npos) return "the path has a backslash";
  if (HasDotSegment(path.substr(0, path.find('?')))) return "the path has a dot segment";
  return "";
}

std::string CheckUrl(const Request& request) {
  const std::string_view url = request.url;
  if (request.lane != Lane::kPaid) return "a whole URL needs a connection of its own";
  const bool here = request.reach == Reach::kLoopback;
  const std::size_t scheme = url.find("://");
  const std::string name = absl::AsciiStrToLower(request.url.substr(0, scheme));
  if (name != "https" && !(here && name == "http")) return "the URL is not https";
  if (url.size() > limits::kHttpTargetMaxBytes) return "the URL is too long";
  if (!IsVisible(url)) return "the URL has a character that must be percent-encoded";
  const std::string_view rest = url.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty()) return "the URL has no host";
  if (authority.find_first_of("@%\\") != std::string_view::npos) {
    return "the URL has a user, or a host that is none";
  }
  return "";
}

}  // namespace

bool IsHeaderValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

absl::StatusOr<BaseUrl> ParseBaseUrl(const std::string& text, bool allow_plain_http) {
  // The text itself stays out of the messages: it may hold a password.
  const auto refuse = [](const char* why) {
    return absl::InvalidArgumentError(absl::StrCat("base URL: ", why));
  };
  if (text.empty()) return refuse("is empty");
  if (text.size() > limits::kUrlMaxBytes) return refuse("is too long");
  if (!IsVisible(text)) return refuse("has a space or a control character");
  const Url url(curl_url());
  if (url == nullptr) return absl::ResourceExhaustedError("out of memory");
  const std::size_t colon = text.find("://");
  if (colon == std::string::npos) return refuse("has no scheme; https://host is expected");
  const CURLUcode rc = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
  const std::string scheme = absl::AsciiStrToLower(text.substr(0, colon));
  if (scheme != "https" && scheme != "http") return refuse("has a scheme other than https");
  if (rc != CURLUE_OK) return refuse(curl_url_strerror(rc));
  if (!Part(url, CURLUPART_USER).empty() || !Part(url, CURLUPART_PASSWORD).empty() ||
      text.find('@') != std::string::npos) {
    return refuse("has a user name; credentials have settings of their own");
  }
  if (text.find('?') != std::string::npos) return refuse("has a query");
  if (text.find('#') != std::string::npos) return refuse("has a fragment");
  if (!Part(url, CURLUPART_ZONEID).empty()) return refuse("has an address zone");
  const std::string host = Part(url, CURLUPART_HOST);
  if (host.empty()) return refuse("has no host");
  // libcurl decodes %XX in a host, to any byte.
  if (text.substr(colon + 3, text.find('/', colon + 3) - colon - 3).find('%') !=
      std::string::npos) {
    return refuse("has a percent sign in its host");
  }
  if (scheme == "http") {
    if (!allow_plain_http) {
      return refuse("is plain http, which would show the credentials; use https");
    }
    if (!IsLoopback(host)) return refuse("is plain http to a host that is not loopback; use https");
  }
  BaseUrl result{Part(url, CURLUPART_URL), scheme == "https"};
  while (absl::EndsWith(result.text, "/")) result.text.pop_back();
  return result;
}

std::string CheckRequest(const Request& request) {
  if (std::find(kMethods.begin(), kMethods.end(), request.method) == kMethods.end()) {
    return "the method is not one of GET, HEAD, POST, PUT, PATCH, DELETE";
  }
  std::string problem = request.url.empty() ? CheckPath(request.path) : CheckUrl(request);
  if (!problem.empty()) return problem;
  std::size_t bytes = 0;
  for (const Header& header : request.headers) {
    if (!IsToken(header.name)) return "a header's name has a character that is not allowed";
    if (!IsHeaderValue(header.value)) {
      return absl::StrCat("the value of header ", header.name,
                          " has a character that is not allowed");
    }
    const std::string name = absl::AsciiStrToLower(header.name);
    if (std::find(kOwnHeaders.begin(), kOwnHeaders.end(), name) != kOwnHeaders.end()) {
      return absl::StrCat("header ", header.name, " belongs to the transport");
    }
    bytes += header.name.size() + header.value.size();
  }
  if (bytes > limits::kHttpHeadersMaxBytes) return "the headers are too long";
  if (request.body != nullptr && request.body->size() > limits::kRequestMaxBytes + limits::kMiB) {
    return "the body is too long";
  }
  if (request.method == "HEAD" && request.body != nullptr) return "a HEAD request has no body";
  return "";
}

}  // namespace gateway::http
