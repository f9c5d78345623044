// A LagProbe tells how late a thread comes to its work, by asking it for a sign and looking at when
// the sign comes. Look is for one thread.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"

namespace gateway {

class LagProbe {
 public:
  // Has the thread run a function as soon as it comes to it.
  using Post = std::function<void(std::function<void()>)>;

  // `clock` must outlive the signs that are asked for.
  LagProbe(const Clock& clock, Post post) : clock_(clock), post_(std::move(post)) {}

  // How late the last sign came, or how long the next one has been waited for, if that is longer.
  // Asks for another sign once one has come.
  Duration Look();

 private:
  struct Sign {
    Mutex mutex;
    bool asked GUARDED_BY(mutex) = false;
    MonoTime asked_at GUARDED_BY(mutex){};
    Duration took GUARDED_BY(mutex){0};
  };

  const Clock& clock_;
  const Post post_;
  const std::shared_ptr<Sign> sign_ = std::make_shared<Sign>();
};

}  // namespace gateway
