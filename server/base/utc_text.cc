#include "base/utc_text.h"

namespace gateway {

std::string UtcText(std::time_t time, char between) {
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  std::string written(text, size);
  if (const std::size_t at = written.find('T'); at != std::string::npos) written[at] = between;
  return written;
}

}  // namespace gateway
