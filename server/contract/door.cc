#include "contract/door.h"

#include <future>
#include <thread>
#include <utility>

#include "base/limits.h"

namespace gateway::contract {
namespace {

// Calls `start` with a callback and waits for what that is told.
template <class Told, class Start>
Told Await(const Start& start) {
  auto told = std::make_shared<std::promise<Told>>();
  std::future<Told> future = told->get_future();
  start([told](Told what) { told->set_value(std::move(what)); });
  return future.get();
}

jobs::UpstreamOptions Over(jobs::UpstreamOptions options, http::HttpTransport& transport) {
  options.transport = &transport;
  return options;
}

}  // namespace

Door::Door(const Ways& ways, jobs::UpstreamOptions options)
    : clock_(ways.clock),
      transport_(ways.transport),
      upstream_(std::make_shared<jobs::Upstream>(Over(std::move(options), transport_), transport_,
                                                 ways.clock, ways.timers, jobs::UpstreamEvents{})) {
  // It asks nothing of its own, so that the answers are those to our calls.
  upstream_->Stop();
}

Door::~Door() = default;

jobs::Upstream::Turn Door::Turn(jobs::Purpose purpose) {
  const MonoTime latest = clock_.Now() + limits::kRetryAfterMax;
  while (clock_.Now() < latest) {
    if (std::optional<jobs::Upstream::Turn> turn = upstream_->TryTake(purpose)) {
      return *std::move(turn);
    }
    std::this_thread::sleep_until(std::min(upstream_->NextAt(purpose), latest));
  }
  return upstream_->Borrow(purpose);
}

Door::Free Door::Ask(pictory::FreeCall call) {
  transport_.Forget();
  auto body = Await<absl::StatusOr<std::string>>([&](auto done) {
    upstream_->Ask(Turn(jobs::Purpose::kLook), std::move(call), std::move(done));
  });
  return {std::move(body), transport_.last()};
}

Door::Free Door::Get(std::string path) {
  pictory::FreeCall call;
  call.path = std::move(path);
  call.max_reply_bytes = limits::kListReplyMaxBytes;
  return Ask(std::move(call));
}

Door::Free Door::Change(pictory::FreeCall call) {
  transport_.Allow();
  Free answer = Ask(std::move(call));
  transport_.Disallow();
  return answer;
}

Door::Job Door::GetJob(const std::string& id, jobs::v1::JobKind kind) {
  transport_.Forget();
  auto reply = Await<pictory::JobReply>([&](auto done) {
    upstream_->GetJob(Turn(jobs::Purpose::kLook),
                      {.pictory_job_id = id, .kind = kind, .size = pictory::ReplySize::kAny},
                      std::move(done));
  });
  return {std::move(reply), transport_.last()};
}

absl::StatusOr<pictory::Authorization> Door::Authorize() {
  return Await<absl::StatusOr<pictory::Authorization>>(
      [&](auto done) { upstream_->Authorize(std::move(done)); });
}

Door::Paid Door::Pay(pictory::Submission submission, const pictory::Authorization& authorization) {
  transport_.Forget();
  transport_.Allow();
  auto reply = Await<pictory::SubmitReply>([&](auto done) {
    upstream_->Submit(Turn(jobs::Purpose::kSubmit), std::move(submission), authorization,
                      MonoTime::max(), std::move(done));
  });
  transport_.Disallow();
  return {std::move(reply), transport_.last()};
}

}  // namespace gateway::contract
