#include "pictory_jobs/async_watch.h"

#include <optional>
#include <thread>
#include <utility>

namespace pictory_jobs {

class AsyncWatch::State {
 public:
  State(Watch watch, OnState each, OnEnd end)
      : watch_(std::move(watch)), thread_([this, each = std::move(each), end = std::move(end)] {
          while (const std::optional<Job> job = watch_.Next()) each(*job);
          end(watch_.status());
        }) {}

  ~State() { Cancel(); }

  void Cancel() { watch_.Cancel(); }

 private:
  Watch watch_;
  std::jthread thread_;  // the last member, so that it is gone before what it uses
};

AsyncWatch::AsyncWatch(Watch watch, OnState each, OnEnd end)
    : state_(std::make_unique<State>(std::move(watch), std::move(each), std::move(end))) {}
AsyncWatch::AsyncWatch(AsyncWatch&&) noexcept = default;
AsyncWatch& AsyncWatch::operator=(AsyncWatch&&) noexcept = default;
AsyncWatch::~AsyncWatch() = default;

void AsyncWatch::Cancel() { state_->Cancel(); }

}  // namespace pictory_jobs
