// The config file that packages install: every setting of `pictory-gateway` in comments, with what
// --help says of it and its default. It is server/deploy/gateway.conf, made by
// `cmake --build --preset dev --target gateway_conf`; a test sees that it is up to date.
#pragma once

#include <string>

namespace gateway::app {

std::string ConfigExample();

}  // namespace gateway::app
