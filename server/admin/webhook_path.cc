#include "admin/webhook_path.h"

#include "base/ids.h"

namespace gateway::admin {

// What is no escape stays as it is: such a path is forged, and its caller need not be told why.
std::string LastSegment(std::string_view path) {
  std::string decoded = PercentDecode(path);
  decoded.erase(decoded.find_last_not_of('/') + 1);
  return decoded.substr(decoded.rfind('/') + 1);
}

}  // namespace gateway::admin
