// The Intake awaits the requests that have begun and are not here yet.
//
// The library buffers whatever a caller announces, without a limit of time or size, and under
// memory pressure it resets streams by chance, those of calls that have cost money included. So
// each request is awaited here, for a limited time, in a limited number, and only while there is
// memory for it. A caller who is refused has submitted nothing, and is told so.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "grpcpp/support/status.h"
#include "rpc/admission.h"

namespace gateway::rpc {

struct IntakeLimits {
  std::size_t arriving = limits::kRequestsArrivingMax;
  Duration arrival = limits::kRequestArrivalMax;
  std::size_t memory_bytes = 0;  // that the process may use; 0: no limit
  // How much it uses; null: ResidentBytes().
  std::function<std::size_t()> used{};
};

class Intake : public std::enable_shared_from_this<Intake> {
 public:
  // One request on its way.
  class Arrival {
   public:
    virtual ~Arrival() = default;
    // Ends the request with this status. It is called once, from any thread, instead of a true
    // End().
    virtual void Refuse(const grpc::Status& status) = 0;
    // What the caller is told when the request has taken longer than `limit`.
    virtual grpc::Status Late(Duration limit) const;
    // The address that the request comes from. It is asked for before Refuse only.
    virtual std::string Peer() const = 0;

   protected:
    MonoTime begun() const { return begun_; }

   private:
    friend class Intake;
    MonoTime begun_{};
    std::list<std::shared_ptr<Arrival>>::iterator place_{};
    bool awaited_ = false;  // guarded by the intake's mutex, as are the others
  };

  // The arguments must outlive the intake's arrivals. `aside` runs what may take a while on another
  // thread.
  Intake(IntakeLimits limits, std::function<void(std::function<void()>)> aside,
         const Admission& admission, const Clock& clock, Timers& timers, Random& random);

  void Begin(std::shared_ptr<Arrival> arrival);
  // Says that the request is here, or never will be. False: it was refused, or is being refused.
  bool End(Arrival& arrival);

  std::size_t arriving() const;
  // How many requests have begun so far.
  std::uint64_t begun() const { return begun_.load(std::memory_order_relaxed); }

  // From now on nobody is awaited for long.
  void Drain();

  // Counts so many bytes of a large request for as long as what is returned lives; null: there are
  // too many. `own` is what the same request holds already. A request that holds all there is may
  // have more, so that whatever a caller may send is accepted at some time, however little memory
  // there is.
  std::shared_ptr<void> Hold(std::size_t bytes, std::size_t own = 0);
  absl::Status HoldRefusal() const;

 private:
  using Arrivals = std::list<std::shared_ptr<Arrival>>;

  void Arm(Duration wait) REQUIRES(mutex_);
  void OnTick();
  void RefuseLate(MonoTime now);
  // Those that began so long ago.
  void RefuseLargest(MonoTime now, Duration age);
  Arrivals TakeLargest(MonoTime now, Duration age) REQUIRES(mutex_);
  void TakeFirst(Arrivals& into) REQUIRES(mutex_);
  Arrivals TakeSome() REQUIRES(mutex_);
  void Take(std::vector<Arrivals::iterator>& found, const std::vector<std::size_t>& chosen,
            Arrivals& into) REQUIRES(mutex_);
  std::size_t Used() const;

  const IntakeLimits limits_;
  const std::size_t held_max_bytes_;
  const std::size_t alone_max_bytes_;
  const std::function<void(std::function<void()>)> aside_;
  const Admission& admission_;
  const Clock& clock_;
  Timers& timers_;
  Random& random_;
  std::atomic<std::size_t> held_bytes_{0};
  std::atomic<std::uint64_t> begun_{0};
  mutable Mutex mutex_;
  Arrivals arriving_ GUARDED_BY(mutex_);  // the oldest first
  bool armed_ GUARDED_BY(mutex_) = false;
  MonoTime next_return_ GUARDED_BY(mutex_){};
  std::size_t refused_at_used_ GUARDED_BY(mutex_) = 0;  // where memory was scarce the last time
  MonoTime next_refusal_ GUARDED_BY(mutex_){};
  // Where memory is short, what the allocator still holds of requests that are gone is given back
  // first, not at every look: that takes 0.1 s and more. Where little is left, requests are refused
  // at once.
  std::atomic<bool> giving_back_{false};
};

// From so much used memory on, requests that do not come at once are refused. Pure.
std::size_t MemoryShortFrom(std::size_t limit);
// From so much on, they are refused without waiting for free memory to be given back, or for those
// that have just begun. Pure.
std::size_t MemoryScarceFrom(std::size_t limit);
// When to look again at the requests on their way, where so much is used. Pure.
Duration NextLook(std::size_t used, std::size_t limit);

// Which `count` requests are refused when there are too many: first those of the peers with the
// most, and of one peer the oldest. The result holds indexes into `peers`, which are given from the
// oldest request on. Pure.
std::vector<std::size_t> ChooseRefused(const std::vector<std::string>& peers, std::size_t count);

}  // namespace gateway::rpc
