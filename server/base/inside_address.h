// IsInsideAddress tells addresses that only somebody inside can mean, so that nobody's URL,
// redirect or name in DNS aims this program at them. Pure.
#pragma once

#include <string>

namespace gateway {

// Whether nobody outside can mean this address: loopback, private, link-local and the like, also
// where it stands inside an IPv6 address. Text that is no address counts as one.
bool IsInsideAddress(const std::string& address);

// Whether it is 127.0.0.0/8 or ::1, also as ::ffff:127.x.y.z.
bool IsLoopbackAddress(const std::string& address);

}  // namespace gateway
