#include "app/loop_beat.h"

#include <utility>

namespace gateway::app {

LoopBeat::LoopBeat(Duration every, const Clock& clock, Timers& timers, Post post,
                   std::function<bool()> well, std::function<void()> beat)
    : every_(every),
      clock_(clock),
      post_(std::move(post)),
      well_(std::move(well)),
      beat_(std::move(beat)),
      next_(timers) {
  next_.At(clock_.Now(), [this] { Beat(); });
}

void LoopBeat::Beat() {
  if (well_()) post_(beat_);
  next_.At(clock_.Now() + every_, [this] { Beat(); });
}

}  // namespace gateway::app
