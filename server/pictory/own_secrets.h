// OwnSecrets takes the secrets of our own account out of what Pictory says. An error text that
// quotes the request, a proxy's page or a library's message may hold them, and those words go to
// callers, the store and the log.
//
// A secret is found as it is, percent-encoded, as JSON escapes it, in hexadecimal and in base 64
// wherever that begins, in any case of its letters. Parts of it are found too, from
// limits::kSecretPartMinBytes on, because whoever quotes may cut.
//
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/mutex.h"
#include "base/secret.h"
#include "http/transport.h"

namespace gateway::pictory {

class OwnSecrets {
 public:
  OwnSecrets();
  ~OwnSecrets();

  // Looks for `secret`, too, from now on. Of many the newest are looked for. A value of less than
  // limits::kSecretMinBytes is not taken.
  void Add(const Secret& secret);

  // Puts kRemoved in the place of each secret in `text`, and of each part of one.
  void TakeOutOf(std::string& text) const;
  // The same for the body of an answer and for what the transport says of it. Nobody shows headers.
  void TakeOutOf(http::Response& response) const;

  // It can be no id, no URL and no token, so nobody takes it for what stood there.
  static constexpr std::string_view kRemoved = "[secret removed]";

 private:
  class Patterns;

  mutable Mutex mutex_;
  std::vector<Secret> secrets_ GUARDED_BY(mutex_);  // the newest last
  std::shared_ptr<const Patterns> patterns_ GUARDED_BY(mutex_);
};

}  // namespace gateway::pictory
