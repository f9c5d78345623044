// Which build this is.
#pragma once

#include <string>

namespace gateway::app {

// "0.1.0"
std::string Version();

// "pictory-gateway 0.1.0 (gRPC 1.51.1, protobuf 3.21.12, libcurl 7.88.1, SQLite 3.40.1)"
std::string VersionText();

}  // namespace gateway::app
