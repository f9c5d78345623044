#include "http/server_request_head.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/match.h"

namespace gateway::http {
namespace {

constexpr int kBad = 400;
constexpr int kNotImplemented = 501;

// The values of all headers of that name.
std::vector<std::string_view> ValuesOf(const ServerRequest& head, std::string_view name) {
  std::vector<std::string_view> values;
  for (const Header& header : head.headers) {
    if (header.name == name) values.push_back(header.value);
  }
  return values;
}

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The authority in a target that is a whole URL; "" if it is none.
std::string_view AuthorityIn(std::string_view target) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return "";
  const std::string scheme(target.substr(0, colon));
  if (!absl::EqualsIgnoreCase(scheme, "http") && !absl::EqualsIgnoreCase(scheme, "https"))
    return "";
  const std::string_view rest = target.substr(colon + 3);
  return rest.substr(0, rest.find('/'));
}

bool IsAddress(const std::string& host) {
  in6_addr address{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address) == 1;
  }
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

}  // namespace

HeadProblem CheckHead(const ServerRequest& head, unsigned version) {
  if (!head.path.starts_with('/') && AuthorityIn(head.path).empty()) {
    return {kBad, "the target must be a path or a whole URL"};
  }
  const auto lengths = ValuesOf(head, "content-length");
  const auto codings = ValuesOf(head, "transfer-encoding");
  if (lengths.size() > 1 || (lengths.size() == 1 && !AllDigits(lengths.front()))) {
    return {kBad, "Content-Length must be one number"};
  }
  if (!codings.empty()) {
    if (version < 11) return {kBad, "HTTP/1.0 has no Transfer-Encoding"};
    if (!lengths.empty()) return {kBad, "Content-Length and Transfer-Encoding exclude each other"};
    if (codings.size() > 1) return {kBad, "there is more than one Transfer-Encoding"};
    if (!absl::EqualsIgnoreCase(std::string(codings.front()), "chunked")) {
      return {kNotImplemented, "the only Transfer-Encoding is chunked"};
    }
  }
  const std::size_t hosts = ValuesOf(head, "host").size();
  if (hosts > 1 || (hosts == 0 && version >= 11)) return {kBad, "there must be one Host"};
  return {};
}

std::string_view HostOf(const ServerRequest& head) {
  const std::string_view authority = AuthorityIn(head.path);
  const std::string* const host = head.FindHeader("host");
  if (!authority.empty() || host == nullptr) return authority;
  return *host;
}

std::string_view PathOf(const ServerRequest& head) {
  const std::string_view target = head.path;
  const std::string_view authority = AuthorityIn(target);
  if (authority.empty()) return target;
  const std::string_view path = target.substr(target.find("://") + 3 + authority.size());
  return path.empty() ? "/" : path;
}

bool IsOwnHost(std::string_view host, const std::vector<std::string>& names) {
  const std::size_t bracket = host.find(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos && !AllDigits(host.substr(colon + 1))) return false;
  std::string name(host.substr(0, colon));
  if (IsAddress(name)) return true;
  if (name.ends_with('.')) name.pop_back();
  if (absl::EqualsIgnoreCase(name, "localhost")) return true;
  return std::any_of(names.begin(), names.end(), [&name](const std::string& known) {
    return absl::EqualsIgnoreCase(name, known);
  });
}

}  // namespace gateway::http
