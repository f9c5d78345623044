// These functions write the head of an HTTP/1.1 answer, and find the part of the body that a Range
// header asks for. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/server_message.h"

namespace gateway::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

// What to do with `Range: <value>` on a body of `size` bytes.
struct RangeAnswer {
  enum class Kind { kWhole, kPart, kUnsatisfiable };
  Kind kind = Kind::kWhole;
  ByteRange part;
};

// A single `bytes=` range is honoured; several at once, or anything else, gets the whole body, as
// RFC 9110 lets a server do.
RangeAnswer ParseRange(std::string_view value, std::uint64_t size);

// "OK", "Not Found"… "Unknown" for codes without a name.
std::string_view ReasonPhrase(int status);

// The status line and all header fields, with the blank line. Fields whose name or value could
// break out of the line are left out.
std::string WriteHead(const ServerResponse& response, int status,
                      std::optional<std::uint64_t> content_length, const std::string& content_range,
                      bool keep_alive, WallTime now);

// Head and body of an answer after which the connection ends. For small ones.
std::string WholeAnswer(const ServerResponse& response);

}  // namespace gateway::http
