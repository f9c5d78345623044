#include "sandbox/gzip_bomb.h"

#include <array>
#include <string>

namespace gateway::sandbox {
namespace {

// DEFLATE's fixed code: a match of 258 bytes at distance 1 takes 13 bits, so eight of them are 13
// whole bytes, the same ones over and over.
constexpr std::uint64_t kMatchBytes = 258;
constexpr std::uint64_t kMatchesPerPattern = 8;

class BitWriter {
 public:
  void Low(std::uint32_t value, int count) {  // least significant bit first: headers
    for (int i = 0; i < count; ++i) Bit(value >> i & 1);
  }
  void High(std::uint32_t value, int count) {  // most significant bit first: Huffman codes
    for (int i = count - 1; i >= 0; --i) Bit(value >> i & 1);
  }
  std::string Take() const { return bytes_; }

 private:
  void Bit(std::uint32_t bit) {
    if (used_ == 0) bytes_ += '\0';
    bytes_.back() = static_cast<char>(static_cast<unsigned char>(bytes_.back()) | bit << used_);
    used_ = (used_ + 1) % 8;
  }
  std::string bytes_;
  int used_ = 0;
};

void Zero(BitWriter* bits) { bits->High(0x30, 8); }  // the literal 0
void Match(BitWriter* bits) {
  bits->High(0xC5, 8);  // length 258
  bits->High(0, 5);     // distance 1
}

using Matrix = std::array<std::uint32_t, 32>;  // over GF(2); one column each

std::uint32_t Times(const Matrix& matrix, std::uint32_t vector) {
  std::uint32_t sum = 0;
  for (int i = 0; i < 32; ++i) {
    if (vector >> i & 1) sum ^= matrix[static_cast<std::size_t>(i)];
  }
  return sum;
}

// The CRC of `count` zero bytes, by squaring: going byte by byte would take seconds for a big one.
std::uint32_t CrcOfZeros(std::uint64_t count) {
  Matrix step;
  for (int i = 0; i < 32; ++i) {
    std::uint32_t crc = 1u << i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    step[static_cast<std::size_t>(i)] = crc;
  }
  std::uint32_t crc = 0xFFFFFFFFu;
  for (; count > 0; count >>= 1) {
    if (count & 1) crc = Times(step, crc);
    Matrix squared;
    for (std::size_t i = 0; i < 32; ++i) squared[i] = Times(step, step[i]);
    step = squared;
  }
  return ~crc;
}

std::string LittleEndian(std::uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i) & 255);
  return bytes;
}

}  // namespace

std::shared_ptr<http::BodySource> GzipBomb(std::uint64_t bytes) {
  // Eleven bits of block header and one literal, then periods of 13 bytes, then seven zero bits
  // that end the block: two bytes of head, whole bytes of run, two bytes of tail.
  constexpr std::size_t kHead = 2, kPeriod = 13, kTail = 2;
  BitWriter start;
  start.Low(1, 1);  // the last block
  start.Low(1, 2);  // fixed codes
  Zero(&start);
  BitWriter once = start, twice = start;
  for (std::uint64_t i = 0; i < kMatchesPerPattern; ++i) Match(&once);
  for (std::uint64_t i = 0; i < 2 * kMatchesPerPattern; ++i) Match(&twice);
  once.High(0, 7);

  const std::uint64_t periods = bytes / (kMatchBytes * kMatchesPerPattern) + 1;
  const std::uint64_t zeros = 1 + periods * kMatchesPerPattern * kMatchBytes;
  const std::string one = once.Take();
  const std::string header("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  const std::string head = header + one.substr(0, kHead);
  const std::string tail = one.substr(one.size() - kTail) + LittleEndian(CrcOfZeros(zeros)) +
                           LittleEndian(static_cast<std::uint32_t>(zeros));
  // The run's last byte is shared with the tail.
  const std::uint64_t total = head.size() + periods * kPeriod - 1 + tail.size();
  return http::RepeatingBody(head, twice.Take().substr(kHead, kPeriod), tail, total);
}

}  // namespace gateway::sandbox
