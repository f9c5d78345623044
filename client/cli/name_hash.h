// A hash that is the same wherever and whenever it is made: 64 bits of FNV-1a, for names that may
// hold what the place they go to cannot. It keeps no secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace pictory_jobs::cli {

// As 16 digits.
inline std::string NameHash(std::string_view name) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return absl::StrCat(absl::Hex(hash, absl::kZeroPad16));
}

}  // namespace pictory_jobs::cli
