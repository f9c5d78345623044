#include "pictory_jobs/jobs_watch.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "backoff.h"
#include "core.h"
#include "pictory_jobs/status.h"
#include "timed_stream.h"

namespace pictory_jobs {

class JobsWatch::State {
  using Clock = std::chrono::steady_clock;
  using Nanoseconds = std::chrono::nanoseconds;
  using Stream = TimedStream<WatchJobsRequest, JobsEvent>;

 public:
  State(std::shared_ptr<Core> core, WatchJobsRequest request, WatchOptions options)
      : core_(std::move(core)),
        stub_(core_->WatchStub()),
        options_(std::move(options)),
        request_(std::move(request)),
        forward_(options_.stop, [this] { cancel_.request_stop(); }) {
    if (options_.timeout) until_ = Clock::now() + *options_.timeout;
  }

  std::optional<JobsEvent> Next() {
    while (status_.ok()) {
      if (!stream_) {
        stream_ = std::make_unique<Stream>(*core_, *stub_, &Core::Stub::PrepareAsyncWatchJobs,
                                           request_, cancel_.get_token());
      }
      const StreamRead read = stream_->Next(std::min<Nanoseconds>(options_.silence, Left()));
      if (cancel_.stop_requested()) {
        End(absl::CancelledError("The watch was cancelled; the jobs go on"));
      } else if (read == StreamRead::kMessage) {
        if (Take(stream_->message())) return std::move(stream_->message());
      } else if (read == StreamRead::kEnd) {
        StreamEnded(stream_->Finish());
      } else if (Left() > Nanoseconds(0)) {
        Reconnect(absl::UnavailableError("The gateway sent nothing for too long"));
      } else {
        End(absl::DeadlineExceededError("The time for watching is over; the jobs go on"));
      }
    }
    return std::nullopt;
  }

  const absl::Status& status() const { return status_; }
  const std::string& resume_token() const { return request_.resume_token(); }
  void Cancel() { cancel_.request_stop(); }

 private:
  Nanoseconds Left() const {
    return until_ ? std::max(Nanoseconds(0), Nanoseconds(*until_ - Clock::now()))
                  : Nanoseconds::max();
  }

  // Whether the message is for the caller.
  bool Take(const JobsEvent& message) {
    heard_ = true;
    failures_ = 0;
    waited_ = Nanoseconds(0);
    request_.set_resume_token(message.resume_token());
    if (!message.has_heartbeat()) return message.event_case() != JobsEvent::EVENT_NOT_SET;
    if (options_.on_heartbeat) options_.on_heartbeat(message.heartbeat().upstream_degraded());
    return false;
  }

  void StreamEnded(absl::Status status) {
    // The gateway ends no such stream well. We set no deadline and did not cancel: a proxy did,
    // whoever wrote the status.
    const bool again = status.ok() || absl::IsUnavailable(status) || BrokenConnection(status) ||
                       absl::IsDeadlineExceeded(status) || absl::IsCancelled(status) ||
                       (absl::IsResourceExhausted(status) && RetryDelay(status));
    if (!again) return End(status);
    const bool ours = absl::IsDeadlineExceeded(status) || absl::IsCancelled(status) || status.ok();
    Reconnect(ours ? absl::UnavailableError("The stream was cut") : status);
  }

  void Reconnect(const absl::Status& why) {
    stream_.reset();
    const Nanoseconds wait = DelayAfter(why, failures_++, core_->pacing().uniform());
    waited_ += wait;
    if (waited_ > (heard_ ? options_.patience : options_.connect_patience)) return End(why);
    const Nanoseconds left = Left();
    if (options_.on_reconnect) options_.on_reconnect(why, std::min(wait, left));
    if (!core_->pacing().wait(std::min(wait, left), cancel_.get_token())) {
      End(absl::CancelledError("The watch was cancelled; the jobs go on"));
    } else if (left <= wait) {
      End(absl::DeadlineExceededError("The time for watching is over; the jobs go on"));
    }
  }

  void End(absl::Status status) {
    stream_.reset();
    stub_.reset();
    status_ = std::move(status);
  }

  const std::shared_ptr<Core> core_;
  std::shared_ptr<Core::Stub> stub_;
  const WatchOptions options_;
  WatchJobsRequest request_;  // its resume_token is that of the last message
  std::optional<Clock::time_point> until_;
  std::stop_source cancel_;
  std::unique_ptr<Stream> stream_;
  bool heard_ = false;
  int failures_ = 0;
  Nanoseconds waited_{0};
  absl::Status status_;
  std::stop_callback<std::function<void()>> forward_;
};

JobsWatch::JobsWatch(std::shared_ptr<Core> core, WatchJobsRequest request, WatchOptions options)
    : state_(std::make_unique<State>(std::move(core), std::move(request), std::move(options))) {}
JobsWatch::JobsWatch(JobsWatch&&) noexcept = default;
JobsWatch& JobsWatch::operator=(JobsWatch&&) noexcept = default;
JobsWatch::~JobsWatch() = default;

std::optional<JobsEvent> JobsWatch::Next() { return state_->Next(); }
const absl::Status& JobsWatch::status() const { return state_->status(); }
const std::string& JobsWatch::resume_token() const { return state_->resume_token(); }
void JobsWatch::Cancel() { state_->Cancel(); }

}  // namespace pictory_jobs
