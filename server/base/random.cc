#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace gateway {
namespace {

void FillRandom(void* out, std::size_t size) {
  auto* at = static_cast<unsigned char*>(out);
  while (size > 0) {
    const ssize_t got = getrandom(at, size, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::abort();  // a kernel without randomness is not one to mint tokens on
    }
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::uint64_t SystemSeed() {
  std::uint64_t seed;
  FillRandom(&seed, sizeof seed);
  return seed;
}

}  // namespace

Random::Random() : engine_(SystemSeed()) {}

std::uint64_t Random::Next() {
  MutexLock lock(mutex_);
  return engine_();
}

double Random::Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

std::string RandomBytes(std::size_t bytes) {
  std::string raw(bytes, '\0');
  FillRandom(raw.data(), raw.size());
  return raw;
}

std::string RandomHex(std::size_t bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::string raw = RandomBytes(bytes);
  std::string hex;
  hex.reserve(bytes * 2);
  for (const unsigned char byte : raw) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

}  // namespace gateway
