#include "http/inflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace gateway::http {
namespace {

constexpr int kGzip = MAX_WBITS + 16;

std::string Deflated(const std::string& text, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(InflatedBeginning, ReadsWhatTheHeaderSaysInAllItsMeanings) {
  EXPECT_EQ(InflatedBeginning("gzip", Deflated("text", kGzip), 100), "text");
  EXPECT_EQ(InflatedBeginning("x-gzip", Deflated("text", kGzip), 100), "text");
  EXPECT_EQ(InflatedBeginning("", Deflated("text", kGzip), 100), "text");
  EXPECT_EQ(InflatedBeginning("Deflate", Deflated("text", MAX_WBITS), 100), "text");
  EXPECT_EQ(InflatedBeginning("deflate", Deflated("text", -MAX_WBITS), 100), "text");
}

TEST(InflatedBeginning, LeavesWhatIsNotCompressedAsItIs) {
  EXPECT_EQ(InflatedBeginning("", "{}", 100), "{}");
  EXPECT_EQ(InflatedBeginning("gzip", R"({"a":1})", 100), R"({"a":1})");
  EXPECT_EQ(InflatedBeginning("deflate", R"({"a":1})", 100), R"({"a":1})");
  EXPECT_EQ(InflatedBeginning("br", "{}", 100), "{}");
  EXPECT_EQ(InflatedBeginning("gzip", "", 100), "");
  EXPECT_EQ(InflatedBeginning("", "123456", 4), "1234");
}

TEST(InflatedBeginning, StopsAtTheLimitAndAtTheEndOfAPiece) {
  const std::string zeros(100'000'000, '0');
  const std::string bomb = Deflated(zeros, kGzip);
  EXPECT_LT(bomb.size(), 200'000u);
  EXPECT_EQ(InflatedBeginning("gzip", bomb, 1000), std::string(1000, '0'));
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += std::to_string(i * i);
  const std::string whole = Deflated(text, kGzip);
  const std::string piece = InflatedBeginning("gzip", whole.substr(0, whole.size() / 2), 1 << 20);
  EXPECT_GT(piece.size(), 1000u);
  EXPECT_EQ(piece, text.substr(0, piece.size()));
}

}  // namespace
}  // namespace gateway::http
