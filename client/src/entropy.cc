#include "entropy.h"

#include <string>

#include "base/ids.h"
#include "base/random.h"

namespace pictory_jobs {

// Declared in pictory_jobs/job.h, which brings in macros that base/ uses for itself.
std::string MintRequestId();

namespace {

gateway::Random& Shared() {
  static gateway::Random* const random = new gateway::Random();  // outlives static destructors
  return *random;
}

}  // namespace

double UniformRandom() { return Shared().Uniform(); }

std::string MintRequestId() { return gateway::MintRequestId(Shared()); }

}  // namespace pictory_jobs
