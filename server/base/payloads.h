// Payloads gives the details of an error in a fixed order. Abseil gives them in any order, another
// one each time where it is built for debugging.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace gateway {

// The details as type URLs and bytes. Those by which a program decides what to do come first,
// because a caller that has no room for all of them leaves out the last ones. Pure.
std::vector<std::pair<std::string, std::string>> Payloads(const absl::Status& status);

}  // namespace gateway
