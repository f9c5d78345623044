#include "pictory_jobs/watch.h"

#include <algorithm>
#include <utility>

#include "backoff.h"
#include "core.h"
#include "pictory_jobs/status.h"
#include "timed_stream.h"

namespace pictory_jobs {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

}  // namespace

class Watch::State {
  using Stream = TimedStream<v1::WatchJobRequest, v1::WatchJobResponse>;

 public:
  State(std::shared_ptr<Core> core, std::string job_id, WatchOptions options)
      : core_(std::move(core)),
        stub_(core_->WatchStub()),
        options_(std::move(options)),
        forward_(options_.stop, [this] { cancel_.request_stop(); }) {
    request_.set_job_id(std::move(job_id));
    request_.set_view(options_.view);
    request_.set_after_revision(options_.after_revision);
    if (options_.timeout) until_ = steady_clock::now() + *options_.timeout;
  }

  std::optional<Job> Next() {
    while (!ended_) {
      if (!stream_) {
        stream_ = std::make_unique<Stream>(*core_, *stub_, &Core::Stub::PrepareAsyncWatchJob,
                                           request_, cancel_.get_token());
        first_in_stream_ = true;
      }
      const StreamRead read = stream_->Next(std::min<nanoseconds>(options_.silence, Left()));
      if (cancel_.stop_requested()) {
        End(absl::CancelledError("The watch was cancelled; the job goes on"));
      } else if (read == StreamRead::kMessage) {
        if (std::optional<Job> job = Take(stream_->message())) return job;
      } else if (read == StreamRead::kTimeout) {
        if (Left() > nanoseconds(0)) {
          Reconnect(absl::UnavailableError("The gateway sent nothing for too long"));
        } else {
          End(OutOfTime());
        }
      } else {
        StreamEnded(stream_->Finish());
      }
    }
    return std::nullopt;
  }

  const absl::Status& status() const { return status_; }
  int revision() const { return request_.after_revision(); }
  void Cancel() { cancel_.request_stop(); }

 private:
  static absl::Status OutOfTime() {
    return absl::DeadlineExceededError("Stopped waiting before the job was done; the job goes on");
  }

  // The status of a stream that was lost. It must not be taken for the caller's own doing, which
  // has these codes.
  static absl::Status Lost(const absl::Status& why) {
    if (!absl::IsCancelled(why) && !absl::IsDeadlineExceeded(why)) return why;
    return absl::UnavailableError(why.message().empty() ? "The stream ended before the job did"
                                                        : why.message());
  }

  nanoseconds Left() const {
    return until_ ? std::max(nanoseconds(0), nanoseconds(*until_ - steady_clock::now()))
                  : nanoseconds::max();
  }

  // The state to hand out, if the message is one.
  std::optional<Job> Take(v1::WatchJobResponse& message) {
    heard_ = true;
    failures_ = 0;
    waited_ = nanoseconds(0);
    const bool first = std::exchange(first_in_stream_, false);
    if (!message.has_job()) {
      if (message.heartbeat().has_estimate() && options_.on_estimate) {
        options_.on_estimate(message.heartbeat().estimate());
      }
      if (options_.on_heartbeat) options_.on_heartbeat(message.heartbeat().upstream_degraded());
      return std::nullopt;
    }
    const int revision = message.job().revision();
    const int seen = request_.after_revision();
    const bool final = IsFinal(message.job().state());
    // A new stream may begin with what was seen already, or with less if the gateway went back.
    const bool news = revision > seen || (first && revision != seen) || final;
    request_.set_after_revision(revision);
    got_state_ = true;
    if (!news) return std::nullopt;
    std::optional<Job> job = std::move(*message.mutable_job());
    if (final) End(absl::OkStatus());  // takes the message with it
    return job;
  }

  void StreamEnded(absl::Status status) {
    if (status.ok()) {
      // Nothing after a revision the caller knows: that one was final.
      if (first_in_stream_ && !got_state_ && options_.after_revision > 0) return End(status);
      status = absl::UnavailableError("The stream ended before the job did");
    }
    // We set no deadline and did not cancel: a proxy did, whoever wrote the status.
    const bool again = absl::IsUnavailable(status) || BrokenConnection(status) ||
                       absl::IsDeadlineExceeded(status) || absl::IsCancelled(status) ||
                       (absl::IsResourceExhausted(status) && RetryDelay(status));
    again ? Reconnect(status) : End(status);
  }

  void Reconnect(const absl::Status& why) {
    stream_.reset();
    const nanoseconds wait = DelayAfter(why, failures_++, core_->pacing().uniform());
    const steady_clock::time_point now = steady_clock::now();
    if (failures_ == 1) broke_ = now;
    waited_ = std::max(waited_, nanoseconds(now - broke_)) + wait;
    if (waited_ > (heard_ ? options_.patience : options_.connect_patience)) return End(Lost(why));
    const nanoseconds left = Left();
    if (options_.on_reconnect) options_.on_reconnect(why, std::min(wait, left));
    if (!core_->pacing().wait(std::min(wait, left), cancel_.get_token())) {
      End(absl::CancelledError("The watch was cancelled; the job goes on"));
    } else if (left <= wait) {
      End(OutOfTime());
    }
  }

  void End(absl::Status status) {
    stream_.reset();
    stub_.reset();
    status_ = std::move(status);
    ended_ = true;
  }

  const std::shared_ptr<Core> core_;
  std::shared_ptr<Core::Stub> stub_;
  const WatchOptions options_;
  v1::WatchJobRequest request_;  // after_revision is the one seen last
  std::optional<steady_clock::time_point> until_;
  std::stop_source cancel_;
  std::unique_ptr<Stream> stream_;
  bool first_in_stream_ = true;
  bool got_state_ = false;
  bool heard_ = false;
  bool ended_ = false;
  int failures_ = 0;
  steady_clock::time_point broke_;
  nanoseconds waited_{0};  // since then
  absl::Status status_;
  std::stop_callback<std::function<void()>> forward_;
};

Watch::Watch(std::shared_ptr<Core> core, std::string job_id, WatchOptions options)
    : state_(std::make_unique<State>(std::move(core), std::move(job_id), std::move(options))) {}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&&) noexcept = default;
Watch::~Watch() = default;

std::optional<Job> Watch::Next() { return state_->Next(); }
const absl::Status& Watch::status() const { return state_->status(); }
int Watch::revision() const { return state_->revision(); }
void Watch::Cancel() { state_->Cancel(); }

}  // namespace pictory_jobs
