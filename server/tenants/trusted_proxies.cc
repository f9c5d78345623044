#include "tenants/trusted_proxies.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/limits.h"

namespace gateway::tenants {
namespace {

constexpr int kAllBits = 128;
constexpr int kMappedBits = 96;  // in front of an IPv4 address that is written as an IPv6 one
constexpr std::size_t kAddressChars = 64;

bool Bit(const std::array<std::uint8_t, 16>& bytes, int bit) {
  return ((bytes[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8)) & 1) != 0;
}

}  // namespace

bool TrustedProxies::ReadAddress(std::string_view text, Bytes& out, bool& v4) {
  char literal[kAddressChars];
  if (text.size() >= sizeof literal) return false;
  std::memcpy(literal, text.data(), text.size());
  literal[text.size()] = '\0';
  in_addr four{};
  v4 = inet_pton(AF_INET, literal, &four) == 1;
  if (v4) {
    out = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    std::memcpy(out.data() + kMappedBits / 8, &four, sizeof four);
    return true;
  }
  return inet_pton(AF_INET6, literal, out.data()) == 1;
}

absl::StatusOr<TrustedProxies> TrustedProxies::Parse(std::string_view text) {
  TrustedProxies proxies;
  for (absl::string_view part : absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (part == "unix") {
      proxies.unix_ = true;
      continue;
    }
    const std::size_t slash = part.find('/');
    const absl::string_view address = part.substr(0, slash);
    Network network;
    bool v4 = false;
    if (!ReadAddress({address.data(), address.size()}, network.first, v4)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", part.substr(0, kAddressChars),
                       "' must be an address, a network such as 10.0.0.0/8, or the word unix"));
    }
    const int most = v4 ? kAllBits - kMappedBits : kAllBits;
    int bits = most;
    if (slash != absl::string_view::npos) {
      const absl::string_view length = part.substr(slash + 1);
      if (length.empty() || !absl::ascii_isdigit(length[0]) || !absl::SimpleAtoi(length, &bits) ||
          bits > most) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", part.substr(0, kAddressChars),
                         "' must end with a number of bits from 0 to ", most));
      }
    }
    network.bits = bits + (v4 ? kMappedBits : 0);
    for (int bit = network.bits; bit < kAllBits; ++bit) {
      if (!Bit(network.first, bit)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("'", part, "' has bits set behind its first ", bits,
                       "; write the network's first address, or only the address of one proxy"));
    }
    proxies.networks_.push_back(network);
    if (proxies.networks_.size() > limits::kTrustedProxiesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("has more than ", limits::kTrustedProxiesMax, " networks"));
    }
  }
  return proxies;
}

bool TrustedProxies::Has(std::string_view peer) const {
  if (peer.starts_with("unix:") || peer.starts_with("unix-abstract:")) return unix_;
  std::string_view address;
  if (peer.starts_with("ipv4:")) {
    address = peer.substr(5);
    address = address.substr(0, address.rfind(':'));
  } else if (peer.starts_with("ipv6:")) {
    address = peer.substr(5);
    address = address.substr(0, address.rfind(':'));
    for (const auto& [open, close] :
         {std::pair<std::string_view, std::string_view>{"%5B", "%5D"}, {"[", "]"}}) {
      if (address.starts_with(open) && address.ends_with(close)) {
        address.remove_prefix(open.size());
        address.remove_suffix(close.size());
      }
    }
    address = address.substr(0, address.find('%'));  // of a link: the scope does not count
  }
  Bytes bytes{};
  bool v4 = false;
  if (!ReadAddress(address, bytes, v4)) return false;
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    const auto whole = static_cast<std::size_t>(network.bits / 8);
    if (std::memcmp(bytes.data(), network.first.data(), whole) != 0) return false;
    for (int bit = network.bits - network.bits % 8; bit < network.bits; ++bit) {
      if (Bit(bytes, bit) != Bit(network.first, bit)) return false;
    }
    return true;
  });
}

}  // namespace gateway::tenants
