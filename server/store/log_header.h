// LogHeader tells which write-ahead log a file is: it is read from the first bytes, as SQLite
// writes them (sqlite.org/walformat.html).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::store {

struct LogHeader {
  std::uint32_t beginning = 0;  // the first salt, counted up whenever SQLite begins the log anew
  std::uint32_t random = 0;     // the second one

  friend bool operator==(const LogHeader&, const LogHeader&) = default;
};

// The header of the log that is open as `fd`; none if the file is empty or no log.
std::optional<LogHeader> ReadLogHeader(int fd);

// Whether a log that had the header `earlier` may have the header `later` by now.
bool Continues(const LogHeader& earlier, const LogHeader& later);

// 16 hexadecimal digits, and back.
std::string ToText(const LogHeader& header);
std::optional<LogHeader> LogHeaderFrom(std::string_view text);

}  // namespace gateway::store
