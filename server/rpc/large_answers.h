// LargeAnswers counts the bytes of large answers that are on their way to their callers.
//
// An answer lies in memory until its caller has taken it or the call is ended (rpc/unread.h), and
// to ask for one costs the caller nothing. So all of them together have a bound, of which one
// address has at most a part. The chunks of ReadJobResult are not counted here: each of its streams
// has one at a time, and the streams are bounded (rpc/admission.h).
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/random.h"
#include "jobs/snapshot.h"

namespace gateway::rpc {

class LargeAnswers : public std::enable_shared_from_this<LargeAnswers> {
 public:
  // Bytes that are counted for one answer, as long as this lives.
  class Held {
   public:
    Held(std::shared_ptr<LargeAnswers> owner, std::string address, std::size_t bytes)
        : owner_(std::move(owner)), address_(std::move(address)), bytes_(bytes) {}
    ~Held() { ShrinkTo(0); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    // Says how large the answer has turned out to be. More than was held stays uncounted. Not
    // thread-safe.
    void ShrinkTo(std::size_t bytes);

   private:
    const std::shared_ptr<LargeAnswers> owner_;
    const std::string address_;
    std::size_t bytes_;
  };
  using HeldPtr = std::shared_ptr<Held>;

  // `random` must outlive the object.
  LargeAnswers(std::size_t max_bytes, Random& random);
  // How many bytes there may be in a process that may use so much memory; 0: no limit. Pure.
  static std::size_t MaxBytes(std::size_t memory_bytes);

  // Counts an answer of about so many bytes before it is made for `peer`, as the library names it.
  // Null if the answer is small, which is not counted; RESOURCE_EXHAUSTED if there are too many
  // bytes already.
  absl::StatusOr<HeldPtr> Hold(std::size_t bytes, std::string_view peer) EXCLUDES(mutex_);
  std::size_t bytes() const EXCLUDES(mutex_);

 private:
  void Release(const std::string& address, std::size_t bytes) EXCLUDES(mutex_);

  const std::size_t max_bytes_;
  const std::size_t address_max_bytes_;
  Random& random_;
  mutable Mutex mutex_;
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, std::size_t> of_address_ GUARDED_BY(mutex_);
};

// The same frame, which takes what is held for it along, until nobody has it any more.
jobs::Frame Keep(jobs::Frame frame, LargeAnswers::HeldPtr held);

}  // namespace gateway::rpc
