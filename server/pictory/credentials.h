// Proves to Pictory who is asking: puts the account's credentials on a request.
//
// Today that is an API key, at hand at once. The shape is that of credentials which may have to be
// fetched first (an access token and the user id beside it): a request goes in, and comes out
// authorised, or with the reason why it could not be.
//
// Thread-safe. The secret never appears in an error or a log.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "base/secret.h"
#include "http/transport.h"

namespace gateway::pictory {

// kKey: an API key. kOAuth: an access token, bought with client credentials.
enum class AuthMode { kKey, kOAuth };

class Credentials {
 public:
  using Ready = std::function<void(absl::StatusOr<http::Request>)>;

  // Sent as it is: Pictory's keys carry no scheme word such as `Bearer`.
  explicit Credentials(Secret api_key) : api_key_(std::move(api_key)) {}

  // Calls `ready` exactly once, here inside the call. An error means nothing was sent.
  void Authorize(http::Request request, const Ready& ready) const;

 private:
  const Secret api_key_;
};

}  // namespace gateway::pictory
