#include "base/payloads.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "absl/strings/cord.h"

namespace gateway {
namespace {

constexpr std::string_view kOrder[] = {"ErrorInfo", "RetryInfo", "BadRequest", "QuotaFailure",
                                       "ResourceInfo"};

// The place of a detail in the order. Details of other types come last.
std::size_t RankOf(std::string_view type_url) {
  const std::string_view name = type_url.substr(type_url.rfind('.') + 1);
  return static_cast<std::size_t>(std::find(std::begin(kOrder), std::end(kOrder), name) -
                                  std::begin(kOrder));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Payloads(const absl::Status& status) {
  std::vector<std::pair<std::string, std::string>> payloads;
  status.ForEachPayload([&payloads](absl::string_view type_url, const absl::Cord& payload) {
    payloads.emplace_back(type_url, payload);
  });
  std::sort(payloads.begin(), payloads.end(), [](const auto& a, const auto& b) {
    return std::pair(RankOf(a.first), a.first) < std::pair(RankOf(b.first), b.first);
  });
  return payloads;
}

}  // namespace gateway
