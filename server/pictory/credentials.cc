#include "pictory/credentials.h"

#include "base/errors.h"

namespace gateway::pictory {

void Authorization::PutOn(http::Request& request) const {
  request.headers.push_back({"Authorization", value.Reveal()});
  if (!user_id.empty()) request.headers.push_back({"X-Pictory-User-Id", user_id});
}

void ApiKey::Authorize(Ready ready) {
  Authorization now;
  {
    MutexLock lock(mutex_);
    now = {.value = key_, .user_id = "", .generation = generation_};
  }
  if (now.value.empty()) return ready(errors::UpstreamCredentials("no API key is set"));
  ready(std::move(now));
}

bool ApiKey::Refused(std::uint64_t generation) {
  MutexLock lock(mutex_);
  return generation != generation_;
}

void ApiKey::Replace(Secret key) {
  MutexLock lock(mutex_);
  key_ = std::move(key);
  ++generation_;
}

}  // namespace gateway::pictory
