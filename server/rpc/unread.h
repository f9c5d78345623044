// An Unread ends calls whose answers are ready and that nobody takes.
//
// A call lives in the library until its answer is sent, and by the windows of HTTP/2 it is the
// caller who decides when that is: one who opens none keeps the call, its place among the open ones
// and the bytes of its answer for as long as it likes. An Unread ends such a call. Streams are not
// noted here: they watch their own writes (watch/stream.h).
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"

struct grpc_call;

namespace gateway::rpc {

class Unread : public std::enable_shared_from_this<Unread> {
 public:
  // What is done with a call of the library's; tests have their own.
  struct Actions {
    void (*ref)(grpc_call* call);
    void (*unref)(grpc_call* call);
    void (*end)(grpc_call* call);
  };
  static const Actions kLibrary;

  // The note of one answer. It lies in whatever lives as long as the call, and is guarded by the
  // Unread's mutex.
  class Answer {
   public:
    Answer() = default;
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;

   private:
    friend class Unread;
    grpc_call* call = nullptr;  // null: it is not listed
    MonoTime since{};
    Answer* before = nullptr;
    Answer* after = nullptr;
  };

  // `clock` and `timers` must outlive the Unread.
  Unread(const Clock& clock, Timers& timers, Duration patience = limits::kWriteStuckAfter,
         const Actions& actions = kLibrary);

  // The call's answer is ready, from now on it is up to the caller.
  void Add(Answer& answer, grpc_call* call);
  // The call is over. Nothing is done if it was never added.
  void Remove(Answer& answer);

  std::size_t count() const;
  // Calls that were ended because their answer was not taken.
  std::uint64_t ended() const;

 private:
  void Arm() REQUIRES(mutex_);
  void OnTick();
  // Takes it out of the list; the reference on the call is then the caller's.
  grpc_call* Unlink(Answer& answer) REQUIRES(mutex_);

  const Clock& clock_;
  Timers& timers_;
  const Duration patience_;
  const Actions& actions_;
  mutable Mutex mutex_;
  Answer list_ GUARDED_BY(mutex_);  // a ring: its `after` is the oldest, its `before` the newest
  std::size_t count_ GUARDED_BY(mutex_) = 0;
  std::uint64_t ended_ GUARDED_BY(mutex_) = 0;
  bool armed_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::rpc
