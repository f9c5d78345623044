// These functions say where notifications may be sent. Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "http/transport.h"
#include "tenants/notify_rules.h"

namespace gateway::notify {

struct Destination {
  std::string url;
  std::string host;  // and port: those to one host share its places
  http::Reach reach = http::Reach::kPublic;
};

// Where the notification of a job is sent whose submit has named `url`; if that is empty, the
// tenant's own URL. With `loopback`, which is for the sandbox, plain http to this machine will do.
// FAILED_PRECONDITION, in words that follow the URL's name, if it may not be sent there, or if the
// tenant has no secret to sign with.
absl::StatusOr<Destination> DestinationOf(const std::string& url, const tenants::NotifyRules& rules,
                                          bool loopback);

}  // namespace gateway::notify
