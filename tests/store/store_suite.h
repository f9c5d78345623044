// StoreSuite is the base of the behaviour tests of stores: each runs on every store there is,
// whatever that keeps jobs in. One more entry of Backends() makes another store take part.
#pragma once

#include "store_calls.h"  // first, see there

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"

namespace gateway::store {

// A Ground owns an empty store and everything that the store needs while it lives.
class Ground {
 public:
  virtual ~Ground() = default;
  virtual jobs::Store& store() = 0;
};

struct Backend {
  const char* name;
  // Opens a store that keeps so many tombstones.
  std::function<std::unique_ptr<Ground>(std::int64_t tombstones_max)> open;
};

std::vector<Backend> Backends();

inline std::string BackendName(const ::testing::TestParamInfo<Backend>& backend) {
  return backend.param.name;
}

class StoreSuite : public ::testing::TestWithParam<Backend> {
 protected:
  explicit StoreSuite(std::int64_t tombstones_max = limits::kTombstonesMax)
      : ground_(GetParam().open(tombstones_max)) {}

  std::vector<std::string> Listed(jobs::ListQuery query, const std::string& tenant = "acme") {
    auto page = calls_.List(tenant, std::move(query));
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? Ids(*page) : std::vector<std::string>{};
  }
  jobs::JobRecord Stored(const std::string& request_id, const std::string& tenant = "acme") {
    auto found = calls_.FindRequest(tenant, request_id);
    EXPECT_TRUE(found.ok() && found->has_value()) << found.status();
    return found.ok() && found->has_value() ? **found : jobs::JobRecord{};
  }

  const std::unique_ptr<Ground> ground_;
  jobs::Store* const store_ = &ground_->store();
  StoreCalls calls_{*store_};
};

}  // namespace gateway::store
