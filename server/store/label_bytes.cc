#include "store/label_bytes.h"

#include <utility>

#include "base/stable_bytes.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::store {

namespace v1 = ::pictory::jobs::v1;

std::string EncodeGiven(const jobs::Job& job) {
  v1::Job message;
  for (const auto& [key, value] : job.labels) (*message.mutable_labels())[key] = value;
  message.set_name(job.name);
  return StableBytes(message);
}

void DecodeGiven(const std::string& bytes, jobs::Job& job) {
  v1::Job message;
  // This program made them: that they cannot be read does not happen.
  if (!message.ParseFromString(bytes)) message.Clear();
  job.labels = {message.labels().begin(), message.labels().end()};
  job.name = message.name();
}

std::map<std::string, std::string> DecodeLabels(const std::string& bytes) {
  jobs::Job job;
  DecodeGiven(bytes, job);
  return std::move(job.labels);
}

}  // namespace gateway::store
