// Looks bound how often Pictory is asked about what nobody here knows, on one account: a few at
// once, and in the long run so many a second.
//
// Where several tenants share the account, none takes more than it leaves: what it has taken is
// forgotten half as fast as new looks come. So one that asks without end gets half of all looks,
// and a tenant that has asked for none finds one whenever there is any.
//
// Not thread-safe.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "base/token_bucket.h"

namespace gateway::jobs {

class Looks {
 public:
  // Takes so many, at most limits::kLooksBurst, and returns zero; or none, and how long until there
  // are as many, at most. `tenant` is one of several, or empty.
  Duration Take(double per_second, const std::string& tenant, MonoTime now, int many);

 private:
  TokenBucket all_;
  std::map<std::string, TokenBucket> of_tenant_;  // of each that has taken any of late
};

}  // namespace gateway::jobs
