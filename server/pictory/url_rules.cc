#include "pictory/url_rules.h"

#include <algorithm>
#include <array>

#include "base/clean_text.h"

namespace gateway::pictory {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }

bool EndsWith(std::string_view text, std::string_view tail) {
  return text.size() >= tail.size() && text.substr(text.size() - tail.size()) == tail;
}

// URL parsers take a host for an IPv4 address if its last label is a number: decimal, octal or hex,
// one to four of them (`2130706433`, `0177.1`, `0x7f000001`).
bool IsIpv4InAnyForm(std::string_view host) {
  const std::string_view label = host.substr(host.rfind('.') + 1);  // npos + 1 is 0
  if (label.empty()) return false;
  if (std::all_of(label.begin(), label.end(), IsDigit)) return true;
  return label.substr(0, 2) == "0x" && std::all_of(label.begin() + 2, label.end(), IsHexDigit);
}

bool IsHostName(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  std::size_t label = 0;
  for (const char c : host) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
    } else if ((c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '_') {
      if (++label > 63) return false;
    } else {
      return false;
    }
  }
  return label != 0;
}

bool IsInside(std::string_view host) {
  constexpr std::array<std::string_view, 6> kInside = {".localhost", ".internal",  ".local",
                                                       ".lan",       ".home.arpa", ".localdomain"};
  return host.find('.') == std::string_view::npos ||
         std::any_of(kInside.begin(), kInside.end(),
                     [&](std::string_view tail) { return EndsWith(host, tail); });
}

bool IsLoopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  if (host.substr(0, 4) != "127.") return false;
  return std::count(host.begin(), host.end(), '.') == 3 &&
         std::all_of(host.begin(), host.end(), [](char c) { return IsDigit(c) || c == '.'; });
}

bool IsPort(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), IsDigit))
    return false;
  const int port = std::stoi(std::string(text));
  return port >= 1 && port <= 65535;
}

// Parsers disagree on these characters: some skip them, some end the URL there.
bool HasDisputedByte(std::string_view url) {
  return std::any_of(url.begin(), url.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7F || c == '\\';
  });
}

struct UrlParts {
  std::string scheme, host;
  std::string problem;
  std::string port{};  // empty: that of the scheme
};

UrlParts Split(std::string_view url) {
  UrlParts parts;
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return {"", "", "must be a whole URL, https://…"};
  parts.scheme = Lower(url.substr(0, colon));
  const std::string_view rest = url.substr(colon + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    return {"", "", "must not carry a user name or password"};
  }
  const std::size_t bracket = authority.find(']');
  const std::size_t port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (port != std::string_view::npos && !IsPort(authority.substr(port + 1))) {
    return {"", "", "has no valid port"};
  }
  if (port != std::string_view::npos) parts.port = authority.substr(port + 1);
  parts.host = Lower(authority.substr(0, port));
  if (!parts.host.empty() && parts.host.back() == '.') parts.host.pop_back();
  return parts;
}

constexpr char kNotHttps[] = "must begin with https://";

// Splits a URL unless it is too long or parsers disagree about it; `problem` says so.
UrlParts SplitChecked(std::string_view url, std::size_t max_bytes) {
  if (url.empty()) return {"", "", "must not be empty"};
  if (url.size() > max_bytes) {
    return {"", "", "must be at most " + std::to_string(max_bytes) + " bytes long"};
  }
  if (HasDisputedByte(url)) {
    return {"", "", "must not hold spaces, control characters or backslashes"};
  }
  return Split(url);
}

}  // namespace

std::string UrlFormProblem(std::string_view url, std::size_t max_bytes) {
  const UrlParts parts = SplitChecked(url, max_bytes);
  if (!parts.problem.empty()) return parts.problem;
  if (parts.scheme != "https") return kNotHttps;
  return parts.host.empty() ? "has no host" : "";
}

std::string UrlProblem(std::string_view url, bool allow_loopback, std::size_t max_bytes) {
  const UrlParts parts = SplitChecked(url, max_bytes);
  if (!parts.problem.empty()) return parts.problem;
  const bool web = parts.scheme == "https" || parts.scheme == "http";
  if (allow_loopback && web && IsLoopback(parts.host)) return "";
  if (parts.scheme != "https") return kNotHttps;
  if (parts.host.substr(0, 1) == "[" || IsIpv4InAnyForm(parts.host)) {
    return "must name a host, not an IP address";
  }
  if (!IsHostName(parts.host)) return "has no valid host name";
  if (IsInside(parts.host)) return "must name a public host";
  return "";
}

std::string HostAndPortOf(std::string_view url) {
  const UrlParts parts = Split(url);
  if (!parts.problem.empty() || parts.host.empty()) return "";
  const std::string usual = parts.scheme == "https" ? "443" : "80";
  const int port = std::stoi(parts.port.empty() ? usual : parts.port);
  return parts.host + ":" + std::to_string(port);
}

bool IsLink(std::string_view url, bool allow_loopback) {
  if (url.size() > limits::kResultUrlMaxBytes || HasDisputedByte(url) || CleanText(url) != url) {
    return false;
  }
  const UrlParts parts = Split(url);
  if (!parts.problem.empty()) return false;
  if (parts.scheme == "http") return allow_loopback && IsLoopback(parts.host);
  const bool literal = parts.host.starts_with('[') && parts.host.ends_with(']');
  return parts.scheme == "https" && (literal || IsHostName(parts.host));
}

}  // namespace gateway::pictory
