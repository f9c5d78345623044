// The places of one HTTP listener that watches may hold, so that they leave some for calls.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

namespace gateway::face {

class WatchPlaces {
 public:
  using Place = std::shared_ptr<void>;
  explicit WatchPlaces(std::size_t places) : max_(places), taken_(std::make_shared<Count>(0)) {}
  std::size_t max() const { return max_; }
  // Null if there is none. It is free again when it goes.
  Place Take() const {
    const auto give_back = [taken = taken_](void*) { --*taken; };
    if (++*taken_ <= max_) return {taken_.get(), give_back};
    --*taken_;
    return nullptr;
  }

 private:
  using Count = std::atomic<std::size_t>;
  std::size_t max_;
  std::shared_ptr<Count> taken_;
};

}  // namespace gateway::face
