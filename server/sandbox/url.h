// These functions are the little URL and base64 handling that the sandbox needs. Pure.
#pragma once

#include <string>
#include <string_view>

namespace gateway::sandbox {

// Decodes a path, so '+' is not a space. Malformed %XX stay as they are.
std::string PercentDecode(std::string_view text);
// The decoded value of `name` in a query string; "" if absent.
std::string QueryValue(std::string_view query, std::string_view name);
std::string Base64Encode(std::string_view bytes);
// The decoded bytes; "" if the text is not base64.
std::string Base64Decode(std::string_view text);
// The text with & < > " ' as entities.
std::string EscapeHtml(std::string_view text);

}  // namespace gateway::sandbox
