#include "jobs/upload_desk.h"

#include <utility>

#include "base/limits.h"

namespace gateway::jobs {

void UploadDesk::Create(Request request, Done done) {
  const MonoTime give_up = clock_.Now() + limits::kSubmitBudgetMaxWait;
  AwaitTurn(std::move(request), give_up, std::move(done));
}

void UploadDesk::AwaitTurn(Request request, MonoTime give_up, Done done) {
  if (std::optional<Upstream::Turn> turn = upstream_.TryTake(Purpose::kUpload)) {
    return upstream_.CreateUpload(*std::move(turn), *request, std::move(done));
  }
  const MonoTime at = upstream_.NextAt(Purpose::kUpload);
  if (upstream_.resting() || at > give_up) return done(upstream_.Refusal(Purpose::kUpload));
  timers_.At(at, [this, request = std::move(request), give_up, done = std::move(done)]() mutable {
    AwaitTurn(std::move(request), give_up, std::move(done));
  });
}

}  // namespace gateway::jobs
