// How many calls may be open at once: asked before anything is allocated or read for a call,
// because the library itself bounds neither streams nor their handlers reliably.
//
// Thread-safe; a refusal costs a counter and three short string copies.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "base/limits.h"
#include "base/random.h"
#include "grpcpp/support/status.h"

namespace gateway::rpc {

struct AdmissionLimits {
  int calls = limits::kUnaryCallsMax;
  int watches = limits::kWatchesMax;
};

class Admission {
  struct Gate {
    std::atomic<int> open{0};
    int max = 0;
    // With different delays, so that those refused at once do not come back at once.
    std::array<grpc::Status, 8> refusals;
    std::atomic<unsigned> next_refusal{0};
  };

 public:
  enum class Kind { kCall, kWatch };

  // A place among the open calls, given back when it goes.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (gate_ != nullptr) gate_->open.fetch_sub(1, std::memory_order_relaxed);
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    friend class Admission;
    explicit Ticket(Gate* gate) : gate_(gate) {}
    Gate* gate_ = nullptr;
  };

  Admission(AdmissionLimits limits, Random& random);

  // Empty if there are too many.
  Ticket Enter(Kind kind);
  const grpc::Status& Refusal(Kind kind);
  int open(Kind kind) const;

  // From now on nothing that would outlast the drain is let in.
  void Drain() { draining_.store(true, std::memory_order_relaxed); }
  bool draining() const { return draining_.load(std::memory_order_relaxed); }
  // What those get who come during it.
  absl::Status DrainStatus() const;

 private:
  Gate& GateOf(Kind kind) { return kind == Kind::kWatch ? watches_ : calls_; }

  Random& random_;
  Gate calls_;
  Gate watches_;
  std::atomic<bool> draining_{false};
};

}  // namespace gateway::rpc
