// ReadDetail reads a detail of an error from the bytes that its status carries.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace gateway {

// Returns false, with `message` empty, if the status has no readable detail of this type
// (`type.googleapis.com/…`).
template <class Message>
bool ReadDetail(const absl::Status& status, std::string_view type_url, Message& message) {
  const auto payload = status.GetPayload({type_url.data(), type_url.size()});
  if (payload.has_value() && message.ParseFromString(std::string(*payload))) return true;
  message.Clear();
  return false;
}

}  // namespace gateway
