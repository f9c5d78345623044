// Inside calls are made by this process itself, for callers whom it serves in another way than by
// gRPC (server/face). They come over the library's own in-process transport, so they take the one
// way of all calls: identity, admission, limits, metrics and all.
//
// What is known of such a caller's connection is lent to its call: the call shows the name of the
// loan in its metadata. A name is random and lasts as long as the call, so nobody else can show it.
// A caller who has left has taken its loan back. Its call may still be looked at, and its name
// still says that it is one of these, so it is never taken for a call from outside.
//
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"

namespace gateway::rpc {

// The metadata key of a loan's name.
inline constexpr char kInsideKey[] = "pictory-inside";

// Of one connection.
struct ConnectionFacts {
  std::string peer;               // as the library would name it: "ipv4:192.0.2.1:50051"
  std::vector<std::string> sans;  // of the certificate that was verified; see PeerSans
  bool is_private = false;        // nobody on the way can read what is sent
};

class InsideCalls {
 public:
  using FactsPtr = std::shared_ptr<const ConnectionFacts>;

  // Takes the facts back when it goes.
  class Loan {
   public:
    Loan(InsideCalls& owner, std::string name) : owner_(owner), name_(std::move(name)) {}
    ~Loan() { owner_.TakeBack(name_); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    const std::string& name() const { return name_; }
    // Has the call refused with this status if it ends without a message: what came for it could
    // not be made into one.
    void Refuse(absl::Status why) { owner_.Refuse(name_, std::move(why)); }

   private:
    InsideCalls& owner_;
    const std::string name_;
  };

  InsideCalls();
  // The object must outlive its loans.
  std::unique_ptr<Loan> Lend(FactsPtr facts) EXCLUDES(mutex_);
  // Null if that is no name of a loan; CANCELLED if it is one that was taken back.
  absl::StatusOr<FactsPtr> Find(std::string_view name) const EXCLUDES(mutex_);
  // With what the call that shows this name is refused if it brings no message; OK: with nothing.
  // Once the loan is taken back, its call was given up: CANCELLED.
  absl::Status Refusal(std::string_view name) const EXCLUDES(mutex_);
  // Waits until nothing is lent. To be called when nobody lends any more, before what the calls use
  // goes.
  void AwaitNone() EXCLUDES(mutex_);

 private:
  struct Lent {
    FactsPtr facts;
    absl::Status refusal{};
  };
  void Refuse(const std::string& name, absl::Status why) EXCLUDES(mutex_);
  void TakeBack(const std::string& name) EXCLUDES(mutex_);

  const std::string own_;  // all names begin with it, and nobody else knows it
  mutable Mutex mutex_;
  CondVar none_;
  std::unordered_map<std::string, Lent> lent_ GUARDED_BY(mutex_);
};

}  // namespace gateway::rpc
