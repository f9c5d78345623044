// Secret is a value that must never be printed: an API key, a client secret, an access token.
//
// It has no operator<<, and compares in constant time. Reveal() is the one way out; call it only
// where the value goes on the wire.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace gateway {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  bool empty() const { return value_.empty(); }
  const std::string& Reveal() const { return value_; }

  friend bool operator==(const Secret& a, const Secret& b) {
    return ConstantTimeEquals(a.value_, b.value_);
  }
  static bool ConstantTimeEquals(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    unsigned char difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
    }
    return difference == 0;
  }

 private:
  std::string value_;
};

}  // namespace gateway
