// Random makes random numbers. It is injected so that a seed replays a run. Thread-safe.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "base/mutex.h"

namespace gateway {

class Random {
 public:
  Random();  // seeded by the operating system
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t Next() EXCLUDES(mutex_);
  // In [0, 1).
  double Uniform();

 private:
  Mutex mutex_;
  std::mt19937_64 engine_ GUARDED_BY(mutex_);
};

// `bytes` bytes of the operating system's own randomness: for keys.
std::string RandomBytes(std::size_t bytes);

// The same bytes as lower-case hex: for tokens that must not be guessed.
std::string RandomHex(std::size_t bytes);

}  // namespace gateway
