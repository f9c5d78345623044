// Admission bounds how many calls are open at once. It is asked before anything is allocated or
// read for a call, because the library itself bounds neither streams nor their handlers reliably.
//
// Each kind has a gate of its own, so that a crowd of one kind stops no other. Of the streams that
// anybody may hold open without work on our side, one peer gets only a part. Calls and watches have
// no such part: behind a proxy all callers are one peer. Where there are several tenants, they are
// counted instead of peers, and none has more places of a gate than are left free: half stay for
// others, half of those for who comes after the second, and so on.
//
// Under pressure (base/shedding.h) no new watch, submit or stream of a result is let in.
//
// Thread-safe; a refusal costs a counter and three short string copies.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/shedding.h"
#include "grpcpp/support/status.h"
#include "tenants/principal.h"

namespace gateway::rpc {

struct AdmissionLimits {
  int calls = limits::kUnaryCallsMax;
  int submits = limits::kUnaryCallsMax;  // which wait for Pictory while other calls do not
  int watches = limits::kWatchesMax;
  int results = limits::kResultStreamsMax;
  int health_watches = limits::kHealthWatchesMax;
  int reflections = limits::kReflectionStreamsMax;
};

class Admission {
  // Statuses with different delays, so that callers who are refused at once do not come back at
  // once.
  using Refusals = std::array<grpc::Status, 8>;

  struct Gate {
    std::atomic<int> open{0};
    int max = 0;
    Refusals refusals;
    std::atomic<unsigned> next_refusal{0};

    std::optional<Shed> shed;  // what its calls are under pressure
    Refusals shed_refusals;

    int peer_max = 0;  // 0: all of it
    Refusals peer_refusals;
    Refusals tenant_refusals;
    Mutex mutex;
    std::unordered_map<std::string, int> of_peer GUARDED_BY(mutex);
    std::unordered_map<std::string, int> of_tenant GUARDED_BY(mutex);
  };
  // Whose a place is; what is empty is not counted. Never both.
  struct Holder {
    std::string peer;
    std::string tenant;
  };

 public:
  enum class Kind { kCall, kSubmit, kWatch, kResult, kHealthWatch, kReflection };
  static constexpr std::size_t kKinds = 6;

  // Who asks to be let in, as far as that is known.
  struct Who {
    std::string_view peer{};    // as the library names it
    std::string_view tenant{};  // of several
  };
  static Who WhoIs(const tenants::Principal& principal, std::string_view peer = {}) {
    return {.peer = peer, .tenant = principal.alone ? std::string_view() : principal.tenant};
  }

  // A place among the open calls, given back when it goes; or the word that there is none.
  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept
        : gate_(std::exchange(other.gate_, nullptr)),
          refusal_(other.refusal_),
          places_(other.places_),
          holder_(std::move(other.holder_)),
          kept_(std::move(other.kept_)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (gate_ != nullptr) Leave(*gate_, places_, holder_);
    }
    explicit operator bool() const { return gate_ != nullptr; }
    const grpc::Status& refusal() const { return *refusal_; }  // of one that is none
    // Keeps something for as long as the place.
    void Keep(std::shared_ptr<void> with) { kept_ = std::move(with); }

   private:
    friend class Admission;
    Ticket(Gate* gate, int places, Holder holder)
        : gate_(gate), places_(places), holder_(std::move(holder)) {}
    explicit Ticket(const grpc::Status& refusal) : refusal_(&refusal) {}
    Gate* gate_ = nullptr;
    const grpc::Status* refusal_ = nullptr;
    int places_ = 0;
    Holder holder_;
    std::shared_ptr<void> kept_;
  };

  // `shedding` may be null: there is never any pressure.
  Admission(AdmissionLimits limits, Random& random, Shedding* shedding = nullptr);

  // The peer is counted for kResult, kHealthWatch and kReflection only, where no tenant is. What
  // holds as much as several others takes as many places.
  Ticket Enter(Kind kind, const Who& who, int places = 1);
  int open(Kind kind) const;

  // From now on nothing that would outlast the drain is let in.
  void Drain() { draining_.store(true, std::memory_order_relaxed); }
  bool draining() const { return draining_.load(std::memory_order_relaxed); }
  // What callers get who come during the drain.
  absl::Status DrainStatus() const;

 private:
  static const grpc::Status& Next(Gate& gate, const Refusals& refusals);
  // Counts the places for their holder, or says why not.
  static const Refusals* Count(Gate& gate, int places, const Holder& holder);
  static void Leave(Gate& gate, int places, const Holder& holder);
  bool IsShed(const Gate& gate) {
    return shedding_ != nullptr && gate.shed.has_value() && shedding_->Refuses(*gate.shed);
  }
  Gate& GateOf(Kind kind) { return gates_[static_cast<std::size_t>(kind)]; }

  Random& random_;
  Shedding* const shedding_;
  std::array<Gate, kKinds> gates_;
  std::atomic<bool> draining_{false};
};

}  // namespace gateway::rpc
