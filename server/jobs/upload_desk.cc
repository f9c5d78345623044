#include "jobs/upload_desk.h"

#include <utility>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::jobs {

void UploadDesk::Create(Request request, Done done) {
  const MonoTime give_up = clock_.Now() + limits::kSubmitBudgetMaxWait;
  AwaitBudget(std::move(request), give_up, std::move(done));
}

void UploadDesk::AwaitBudget(Request request, MonoTime give_up, Done done) {
  if (account_.TryTake(Budget::Share::kSubmit)) {
    return client_.CreateUpload(
        *request, [this, done = std::move(done)](
                      absl::StatusOr<::pictory::jobs::v1::CreateUploadResponse> answer) {
          account_.NoteFreeCall(answer.status());
          done(std::move(answer));
        });
  }
  const MonoTime at = account_.NextAt(Budget::Share::kSubmit);
  if (account_.resting() || at > give_up) {
    return done(account_.Refusal(Budget::Share::kSubmit, errors::Call::kFree));
  }
  timers_.At(at, [this, request = std::move(request), give_up, done = std::move(done)]() mutable {
    AwaitBudget(std::move(request), give_up, std::move(done));
  });
}

}  // namespace gateway::jobs
