// A CopyGround is two places for stores, to copy from one to the other. Each entry of
// CopyBackends() is a pair of kinds.
#pragma once

#include "store_calls.h"  // first, see there

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/copier.h"

namespace gateway::store {

struct OpenedPlace {
  std::unique_ptr<jobs::Store> store;
  Copyable* copyable = nullptr;

  CopyEnd end(const std::string& name) const { return {.store = copyable, .place = name}; }
};

class CopyPlace {
 public:
  virtual ~CopyPlace() = default;
  // Opens it for a copy, else for a gateway.
  virtual absl::StatusOr<OpenedPlace> Open(bool copying) = 0;
  // The names of the tables.
  virtual std::vector<std::string> Tables() = 0;
};

struct CopyBackend {
  const char* name;
  std::function<std::unique_ptr<CopyPlace>()> from;  // empty
  std::function<std::unique_ptr<CopyPlace>()> to;    // as well
};

std::vector<CopyBackend> CopyBackends();

}  // namespace gateway::store
