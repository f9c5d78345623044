// GzipBomb makes a gzip file of zeros, in constant memory whatever its size. Pure.
#pragma once

#include <cstdint>
#include <memory>

#include "http/server_message.h"

namespace gateway::sandbox {

// Valid gzip (length and checksum included) that unpacks to at least `bytes` zeros, about 160 times
// its own size.
std::shared_ptr<http::BodySource> GzipBomb(std::uint64_t bytes);

}  // namespace gateway::sandbox
