#include "store/label_bytes.h"

#include "base/stable_bytes.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::store {

namespace v1 = ::pictory::jobs::v1;

std::string EncodeLabels(const std::map<std::string, std::string>& labels) {
  v1::Job message;
  for (const auto& [key, value] : labels) (*message.mutable_labels())[key] = value;
  return StableBytes(message);
}

std::map<std::string, std::string> DecodeLabels(const std::string& bytes) {
  v1::Job message;
  if (!message.ParseFromString(bytes)) return {};  // this program made them: it does not happen
  return {message.labels().begin(), message.labels().end()};
}

}  // namespace gateway::store
