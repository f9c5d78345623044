// The details of an error in an order of their own. Abseil names them in any order, another one
// each time where it is built for debugging.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace gateway {

// Type URLs and bytes. Those come first by which a program decides what to do, because whoever has
// no room for all of them leaves out the last ones. Pure.
std::vector<std::pair<std::string, std::string>> Payloads(const absl::Status& status);

}  // namespace gateway
