// Credentials prove to Pictory who is asking.
//
// An API key is at hand at once; an access token (pictory/access_tokens.h) may have to be fetched
// first. Callers ask for an Authorization before each request, put it on, and report a 401, so that
// the next Authorization may be a better one.
//
// They are thread-safe. No secret ever appears in an error or a log.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/secret.h"
#include "http/transport.h"

namespace gateway::pictory {

// kKey: an API key. kOAuth: an access token, bought with client credentials.
enum class AuthMode { kKey, kOAuth };

// An Authorization is what one request carries.
struct Authorization {
  Secret value;         // sent as it is: Pictory wants no scheme word such as `Bearer`
  std::string user_id;  // empty: not sent
  // Tells tokens apart: requests that carry the same one share its fate.
  std::uint64_t generation = 0;

  void PutOn(http::Request& request) const;
};

class Credentials {
 public:
  using Ready = std::function<void(absl::StatusOr<Authorization>)>;

  virtual ~Credentials() = default;
  // Calls `ready` exactly once, under no lock: inside the call if the credentials are at hand, else
  // on a thread of the transport. An error means that nothing may be sent: FAILED_PRECONDITION
  // UPSTREAM_CREDENTIALS, or with a delay after which to try again.
  virtual void Authorize(Ready ready) = 0;
  // Notes that Pictory answered 401 to a request of that generation. True if another Authorize may
  // bring better credentials, false if these are refused for good.
  virtual bool Refused(std::uint64_t generation) = 0;
  // From now on this API key or client secret counts. What was sent with the one before and is
  // refused may be sent again.
  virtual void Replace(Secret secret) = 0;
};

class ApiKey final : public Credentials {
 public:
  explicit ApiKey(Secret key) : key_(std::move(key)) {}

  void Authorize(Ready ready) override;
  bool Refused(std::uint64_t generation) override;
  void Replace(Secret key) override;

 private:
  Mutex mutex_;
  Secret key_ GUARDED_BY(mutex_);
  std::uint64_t generation_ GUARDED_BY(mutex_) = 0;
};

}  // namespace gateway::pictory
