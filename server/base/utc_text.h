// UtcText writes a time in UTC to the second, such as `2026-11-29T09:13:42`, for people and logs.
#pragma once

#include <ctime>
#include <string>

namespace gateway {

// `between` stands between date and time.
std::string UtcText(std::time_t time, char between = 'T');

}  // namespace gateway
