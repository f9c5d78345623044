// A LoopBeat beats while the threads that everything waits for move: the timers' and the one that
// tells the watchers.
//
// Each beat is handed from one of them to the next, and is told when it has gone round. So a thread
// that hangs ends the beat, without anybody who would have to notice it.
//
// Thread-safe.
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/next_call.h"

namespace gateway::app {

class LoopBeat {
 public:
  // Has the second thread run a function as soon as it comes to it.
  using Post = std::function<void(std::function<void()>)>;

  // `well` is asked on the timers' thread, and a beat that it refuses is left out; `beat` is called
  // on the second one. What is passed in must outlive both threads' last work.
  LoopBeat(Duration every, const Clock& clock, Timers& timers, Post post,
           std::function<bool()> well, std::function<void()> beat);
  LoopBeat(const LoopBeat&) = delete;
  LoopBeat& operator=(const LoopBeat&) = delete;

  // A beat that is under way may still be told.
  void Stop() { next_.Stop(); }

 private:
  void Beat();

  const Duration every_;
  const Clock& clock_;
  const Post post_;
  const std::function<bool()> well_;
  const std::function<void()> beat_;
  NextCall next_;
};

}  // namespace gateway::app
