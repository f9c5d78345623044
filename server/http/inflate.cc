#include "http/inflate.h"

#include <zlib.h>

#include <boost/beast/core/string.hpp>
#include <optional>

namespace gateway::http {
namespace {

constexpr int kGzipOrZlib = MAX_WBITS + 32;
constexpr int kRaw = -MAX_WBITS;  // what some senders mean by deflate

// Inflates the body as far as it goes; nullopt if nothing can be made of it.
std::optional<std::string> Inflate(std::string_view body, std::size_t max_bytes, int window_bits) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) return std::nullopt;
  std::string out(max_bytes, '\0');
  // zlib takes no pointer to const; it does not write there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_SYNC_FLUSH);
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  // Without a header almost anything can be inflated for a while: then only what ends well counts.
  const bool whole = result == Z_STREAM_END || stream.avail_out == 0;
  if (result == Z_DATA_ERROR || out.empty() || (window_bits == kRaw && !whole)) return std::nullopt;
  return out;
}

bool LooksLikeGzip(std::string_view body) { return body.substr(0, 2) == "\x1f\x8b"; }

}  // namespace

std::string InflatedBeginning(std::string_view encoding, std::string_view body,
                              std::size_t max_bytes) {
  std::optional<std::string> inflated;
  const bool deflate = boost::beast::iequals({encoding.data(), encoding.size()}, "deflate");
  if (deflate || LooksLikeGzip(body)) inflated = Inflate(body, max_bytes, kGzipOrZlib);
  if (deflate && !inflated.has_value()) inflated = Inflate(body, max_bytes, kRaw);
  return inflated.has_value() ? *std::move(inflated) : std::string(body.substr(0, max_bytes));
}

}  // namespace gateway::http
