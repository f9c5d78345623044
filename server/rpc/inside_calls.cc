#include "rpc/inside_calls.h"

#include <utility>

#include "base/errors.h"
#include "base/random.h"

namespace gateway::rpc {
namespace {

constexpr std::size_t kNameBytes = 16;

}  // namespace

InsideCalls::InsideCalls() : own_(RandomHex(kNameBytes)) {}

std::unique_ptr<InsideCalls::Loan> InsideCalls::Lend(FactsPtr facts) {
  std::string name = own_ + RandomHex(kNameBytes);
  {
    MutexLock lock(mutex_);
    lent_.emplace(name, Lent{std::move(facts)});
  }
  return std::make_unique<Loan>(*this, std::move(name));
}

absl::StatusOr<InsideCalls::FactsPtr> InsideCalls::Find(std::string_view name) const {
  MutexLock lock(mutex_);
  const auto found = lent_.find(std::string(name));
  if (found != lent_.end()) return found->second.facts;
  if (name.starts_with(own_)) return errors::Cancelled();
  return nullptr;
}

void InsideCalls::AwaitNone() {
  MutexLock lock(mutex_);
  while (!lent_.empty()) none_.wait(mutex_);
}

absl::Status InsideCalls::Refusal(std::string_view name) const {
  MutexLock lock(mutex_);
  const auto found = lent_.find(std::string(name));
  if (found != lent_.end()) return found->second.refusal;
  return name.starts_with(own_) ? errors::Cancelled() : absl::OkStatus();
}

void InsideCalls::Refuse(const std::string& name, absl::Status why) {
  MutexLock lock(mutex_);
  lent_.at(name).refusal = std::move(why);
}

void InsideCalls::TakeBack(const std::string& name) {
  MutexLock lock(mutex_);
  lent_.erase(name);
  if (lent_.empty()) none_.notify_all();
}

}  // namespace gateway::rpc
