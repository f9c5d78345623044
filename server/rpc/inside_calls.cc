#include "rpc/inside_calls.h"

#include <utility>

#include "base/errors.h"
#include "base/random.h"

namespace gateway::rpc {
namespace {

constexpr std::size_t kNameBytes = 16;

}  // namespace

std::unique_ptr<InsideCalls::Loan> InsideCalls::Lend(FactsPtr facts) {
  std::string name = RandomHex(kNameBytes);
  {
    MutexLock lock(mutex_);
    lent_.emplace(name, Lent{std::move(facts)});
  }
  return std::make_unique<Loan>(*this, std::move(name));
}

InsideCalls::FactsPtr InsideCalls::Find(std::string_view name) const {
  MutexLock lock(mutex_);
  const auto found = lent_.find(std::string(name));
  return found == lent_.end() ? nullptr : found->second.facts;
}

void InsideCalls::AwaitNone() {
  MutexLock lock(mutex_);
  while (!lent_.empty()) none_.wait(mutex_);
}

absl::Status InsideCalls::Refusal(std::string_view name) const {
  MutexLock lock(mutex_);
  const auto found = lent_.find(std::string(name));
  return found == lent_.end() ? errors::Cancelled() : found->second.refusal;
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
