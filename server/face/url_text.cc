#include "face/url_text.h"

#include <algorithm>

#include "json/writer.h"

namespace gateway::face {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

}  // namespace

std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '%') {
      const int high = at + 2 < text.size() ? HexDigit(text[at + 1]) : -1;
      const int low = high < 0 ? -1 : HexDigit(text[at + 2]);
      if (low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      at += 2;
    }
    if (IsControl(c)) return std::nullopt;
    decoded += c;
  }
  std::string quoted;
  if (!json::AppendString(quoted, decoded)) return std::nullopt;  // it is no UTF-8
  return decoded;
}

std::optional<QueryPairs> ReadQuery(std::string_view query) {
  QueryPairs pairs;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    std::string pair(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    std::replace(pair.begin(), pair.end(), '+', ' ');
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::optional<std::string> name = PercentDecoded(std::string_view(pair).substr(0, equals));
    std::optional<std::string> value =
        PercentDecoded(std::string_view(pair).substr(std::min(equals + 1, pair.size())));
    if (!name || name->empty() || !value) return std::nullopt;
    pairs.emplace_back(*std::move(name), *std::move(value));
  }
  return pairs;
}

}  // namespace gateway::face
