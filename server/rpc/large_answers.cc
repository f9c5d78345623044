#include "rpc/large_answers.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "rpc/caller.h"
#include "rpc/later.h"
#include "rpc/peer.h"

namespace gateway::rpc {
namespace {

constexpr char kWhat[] = "MiB of large answers under way";

std::int64_t InMiB(std::size_t bytes) { return static_cast<std::int64_t>(bytes / limits::kMiB); }

}  // namespace

LargeAnswers::LargeAnswers(std::size_t max_bytes, Random& random)
    : max_bytes_(max_bytes),
      address_max_bytes_(max_bytes / limits::kPeerShareDivisor),
      random_(random) {}

std::size_t LargeAnswers::MaxBytes(std::size_t memory_bytes) {
  if (memory_bytes == 0) return limits::kLargeAnswersMaxBytes;
  return std::clamp(memory_bytes / limits::kLargeAnswersShare, limits::kLargeAnswersMinBytes,
                    limits::kLargeAnswersMaxBytes);
}

LargeAnswers::Holder LargeAnswers::HolderOf(const Caller& caller) {
  if (caller.principal->alone) return {.name = PeerAddress(caller.peer)};
  return {.name = caller.tenant, .tenant = true};
}

absl::StatusOr<LargeAnswers::HeldPtr> LargeAnswers::Hold(std::size_t bytes, Holder holder) {
  if (bytes < limits::kLargeAnswerFromBytes) return nullptr;
  MutexLock lock(mutex_);
  const auto found = held_.find(holder);
  const std::size_t held = found == held_.end() ? 0 : found->second;
  if (absl::Status refusal = Refusal(bytes, holder, held); !refusal.ok()) return refusal;
  bytes_ += bytes;
  held_[holder] += bytes;
  return std::make_shared<Held>(shared_from_this(), std::move(holder), bytes);
}

absl::Status LargeAnswers::Refusal(std::size_t bytes, const Holder& holder, std::size_t held) {
  if (!holder.tenant && held + bytes > address_max_bytes_) {
    return errors::TooManyOfPeer(kWhat, InMiB(address_max_bytes_), Later(random_));
  }
  if (bytes_ + bytes > max_bytes_) return errors::TooMany(kWhat, InMiB(max_bytes_), Later(random_));
  if (holder.tenant && held > 0 && held + bytes > max_bytes_ - bytes_ - bytes) {
    return errors::TooManyOfTenant(kWhat, InMiB(max_bytes_), Later(random_));
  }
  return absl::OkStatus();
}

std::size_t LargeAnswers::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

void LargeAnswers::Release(const Holder& holder, std::size_t bytes) {
  MutexLock lock(mutex_);
  bytes_ -= bytes;
  const auto held = held_.find(holder);
  held->second -= bytes;
  if (held->second == 0) held_.erase(held);
}

void LargeAnswers::Held::ShrinkTo(std::size_t bytes) {
  if (bytes >= bytes_) return;
  owner_->Release(holder_, bytes_ - bytes);
  bytes_ = bytes;
}

jobs::Frame Keep(jobs::Frame frame, LargeAnswers::HeldPtr held) {
  if (held == nullptr) return frame;
  struct Kept {
    jobs::Frame frame;
    LargeAnswers::HeldPtr held;
  };
  const auto kept = std::make_shared<Kept>(Kept{std::move(frame), std::move(held)});
  return {kept, kept->frame.get()};
}

}  // namespace gateway::rpc
