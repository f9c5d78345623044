// The few pieces of URL and base64 handling the sandbox needs. Pure.
#pragma once

#include <string>
#include <string_view>

namespace gateway::sandbox {

// Malformed %XX stay as they are. '+' is not a space: this is for paths.
std::string PercentDecode(std::string_view text);
// The decoded value of `name` in a query string; "" if absent.
std::string QueryValue(std::string_view query, std::string_view name);
std::string Base64Encode(std::string_view bytes);
// "" if it is not base64.
std::string Base64Decode(std::string_view text);
// With & < > " ' as entities.
std::string EscapeHtml(std::string_view text);

}  // namespace gateway::sandbox
