#include "pictory_jobs/async_watch.h"

#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace pictory_jobs {

class AsyncWatch::State {
 public:
  State(Watch watch, OnState each, OnEnd end)
      : watch_(std::make_shared<Watch>(std::move(watch))),
        thread_([this_watch = watch_, abandoned = abandoned_, each = std::move(each),
                 end = std::move(end)] {
          while (const std::optional<Job> job = this_watch->Next()) {
            each(*job);
            if (*abandoned) return;
          }
          end(this_watch->status());
        }) {}

  ~State() {
    Cancel();
    if (std::this_thread::get_id() != thread_.get_id()) return;  // which waits for the thread
    *abandoned_ = true;
    thread_.detach();
  }

  void Cancel() { watch_->Cancel(); }

 private:
  // The thread has both as well, for it goes on a little where a callback destroys this.
  const std::shared_ptr<Watch> watch_;
  const std::shared_ptr<bool> abandoned_ = std::make_shared<bool>(false);  // the thread's alone
  std::jthread thread_;
};

AsyncWatch::AsyncWatch(Watch watch, OnState each, OnEnd end)
    : state_(std::make_unique<State>(std::move(watch), std::move(each), std::move(end))) {}
AsyncWatch::AsyncWatch(AsyncWatch&&) noexcept = default;
AsyncWatch& AsyncWatch::operator=(AsyncWatch&&) noexcept = default;
AsyncWatch::~AsyncWatch() = default;

void AsyncWatch::Cancel() { state_->Cancel(); }

}  // namespace pictory_jobs
