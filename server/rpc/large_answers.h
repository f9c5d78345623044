// LargeAnswers counts the bytes of large answers that are on their way to their callers.
//
// An answer lies in memory until its caller has taken it or the call is ended (rpc/unread.h), and
// to ask for one costs the caller nothing. So all of them together have a bound, of which one
// address has at most a part. Where there are several tenants, who may all have the address of one
// proxy, they are counted instead: a tenant that has any gets no more than would be left free. The
// chunks of ReadJobResult are not counted here: each of its streams has one at a time, and the
// streams are bounded (rpc/admission.h).
//
// Thread-safe.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/random.h"
#include "jobs/snapshot.h"

namespace gateway::rpc {

struct Caller;

class LargeAnswers : public std::enable_shared_from_this<LargeAnswers> {
 public:
  // Whose answers are counted together.
  struct Holder {
    std::string name;  // a tenant, or an address
    bool tenant = false;
    auto operator<=>(const Holder&) const = default;
  };
  static Holder HolderOf(const Caller& caller);

  // Bytes that are counted for one answer, as long as this lives.
  class Held {
   public:
    Held(std::shared_ptr<LargeAnswers> owner, Holder holder, std::size_t bytes)
        : owner_(std::move(owner)), holder_(std::move(holder)), bytes_(bytes) {}
    ~Held() { ShrinkTo(0); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    // Says how large the answer has turned out to be. More than was held stays uncounted. Not
    // thread-safe.
    void ShrinkTo(std::size_t bytes);

   private:
    const std::shared_ptr<LargeAnswers> owner_;
    const Holder holder_;
    std::size_t bytes_;
  };
  using HeldPtr = std::shared_ptr<Held>;

  // `random` must outlive the object.
  LargeAnswers(std::size_t max_bytes, Random& random);
  // How many bytes there may be in a process that may use so much memory; 0: no limit. Pure.
  static std::size_t MaxBytes(std::size_t memory_bytes);

  // Counts an answer of about so many bytes before it is made for `holder`. Null if the answer is
  // small, which is not counted; RESOURCE_EXHAUSTED if there are too many bytes already.
  absl::StatusOr<HeldPtr> Hold(std::size_t bytes, Holder holder) EXCLUDES(mutex_);
  std::size_t bytes() const EXCLUDES(mutex_);

 private:
  // Whether so many more are too many for `holder`, of which `held` are its already.
  absl::Status Refusal(std::size_t bytes, const Holder& holder, std::size_t held) REQUIRES(mutex_);
  void Release(const Holder& holder, std::size_t bytes) EXCLUDES(mutex_);

  const std::size_t max_bytes_;
  const std::size_t address_max_bytes_;
  Random& random_;
  mutable Mutex mutex_;
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
  std::map<Holder, std::size_t> held_ GUARDED_BY(mutex_);  // of each that has any
};

// The same frame, which takes what is held for it along, until nobody has it any more.
jobs::Frame Keep(jobs::Frame frame, LargeAnswers::HeldPtr held);

}  // namespace gateway::rpc
