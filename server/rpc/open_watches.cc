#include "rpc/open_watches.h"

#include <algorithm>
#include <utility>

namespace gateway::rpc {
void OpenWatches::Add(const char* method, tenants::PrincipalPtr principal,
                      const std::shared_ptr<watch::LiveStream>& stream) {
  {
    MutexLock lock(mutex_);
    if (open_.size() >= sweep_at_) {
      std::erase_if(open_, [](const Open& open) { return open.stream.expired(); });
      sweep_at_ = std::max<std::size_t>(64, 2 * open_.size());
    }
    open_.push_back({method, principal, stream});
  }
  // The tenants may have changed between the look at the caller and now.
  absl::Status lost = callers_.Recheck(*principal, tenants::Role::kRead, method);
  if (!lost.ok()) stream->End(std::move(lost));
}

void OpenWatches::Recheck() {
  std::vector<Open> open;
  {
    MutexLock lock(mutex_);
    std::erase_if(open_, [](const Open& one) { return one.stream.expired(); });
    open = open_;
  }
  for (const Open& one : open) {
    absl::Status lost = callers_.Recheck(*one.principal, tenants::Role::kRead, one.method);
    if (lost.ok()) continue;
    if (const auto stream = one.stream.lock()) stream->End(std::move(lost));
  }
}

}  // namespace gateway::rpc
