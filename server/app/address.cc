#include "app/address.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/errors.h"

namespace gateway::app {

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  absl::StatusOr<Address> address = ParseHostPort(text);
  if (address.ok()) return address;
  return absl::InvalidArgumentError(absl::StrCat(
      "'", errors::Clean(text), "' is not an address: ", std::string(address.status().message()),
      " (write host:port, such as 127.0.0.1:50051 or [::1]:50051; 0.0.0.0 is every "
      "interface)"));
}

}  // namespace gateway::app
