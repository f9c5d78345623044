#include "pictory/credentials.h"

#include "base/errors.h"

namespace gateway::pictory {

void Authorization::PutOn(http::Request& request) const {
  request.headers.push_back({"Authorization", value.Reveal()});
  if (!user_id.empty()) request.headers.push_back({"X-Pictory-User-Id", user_id});
}

void ApiKey::Authorize(Ready ready) {
  if (key_.empty()) return ready(errors::UpstreamCredentials("no API key is set"));
  ready(Authorization{.value = key_, .user_id = "", .generation = 0});
}

}  // namespace gateway::pictory
