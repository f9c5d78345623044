#include "rpc/large_answers.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
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

absl::StatusOr<LargeAnswers::HeldPtr> LargeAnswers::Hold(std::size_t bytes, std::string_view peer) {
  if (bytes < limits::kLargeAnswerFromBytes) return nullptr;
  std::string address = PeerAddress(peer);
  MutexLock lock(mutex_);
  const auto of_address = of_address_.find(address);
  const std::size_t before = of_address == of_address_.end() ? 0 : of_address->second;
  if (before + bytes > address_max_bytes_) {
    return errors::TooManyOfPeer(kWhat, InMiB(address_max_bytes_), Later(random_));
  }
  if (bytes_ + bytes > max_bytes_) return errors::TooMany(kWhat, InMiB(max_bytes_), Later(random_));
  bytes_ += bytes;
  of_address_[address] += bytes;
  return std::make_shared<Held>(shared_from_this(), std::move(address), bytes);
}

std::size_t LargeAnswers::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

void LargeAnswers::Release(const std::string& address, std::size_t bytes) {
  MutexLock lock(mutex_);
  bytes_ -= bytes;
  const auto of_address = of_address_.find(address);
  of_address->second -= bytes;
  if (of_address->second == 0) of_address_.erase(of_address);
}

void LargeAnswers::Held::ShrinkTo(std::size_t bytes) {
  if (bytes >= bytes_) return;
  owner_->Release(address_, bytes_ - bytes);
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
