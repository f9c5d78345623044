#include "pictory/credentials.h"

#include <utility>

#include "base/errors.h"

namespace gateway::pictory {

void Credentials::Authorize(http::Request request, const Ready& ready) const {
  if (api_key_.empty()) {
    ready(errors::UpstreamCredentials("no API key is set"));
    return;
  }
  request.headers.push_back({"Authorization", api_key_.Reveal()});
  ready(std::move(request));
}

}  // namespace gateway::pictory
