#include "app/span_exporter.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "app/version.h"
#include "base/limits.h"

namespace gateway::app {

SpanExporter::SpanExporter(http::HttpTransport& collector, const Clock& clock, Timers& timers)
    : collector_(collector), clock_(clock), timers_(timers) {}

// The first span of a while waits for others, so that they go together.
void SpanExporter::Add(obs::Span span) {
  MutexLock lock(mutex_);
  if (stopped_ || queue_.size() >= limits::kSpansQueuedMax) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  queue_.push_back(std::move(span));
  if (sending_ || timer_ != Timers::kNone) return;
  timer_ = timers_.At(clock_.Now() + limits::kSpansExportInterval, [this] {
    {
      MutexLock relock(mutex_);
      timer_ = Timers::kNone;
    }
    worker_.Post([this] { Export(); });
  });
}

void SpanExporter::Export() {
  std::vector<obs::Span> spans;
  {
    MutexLock lock(mutex_);
    if (sending_ || queue_.empty()) return;
    const auto end = queue_.begin() +
                     static_cast<std::ptrdiff_t>(std::min(queue_.size(), limits::kSpansABatchMax));
    std::move(queue_.begin(), end, std::back_inserter(spans));
    queue_.erase(queue_.begin(), end);
    sending_ = true;
  }
  http::Request request;
  request.purpose = "spans";
  request.method = "POST";
  request.path = "/v1/traces";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = std::make_shared<const std::string>(obs::OtlpJson(spans, Version()));
  request.timeout = limits::kSpansExportTimeout;
  request.may_repeat = [] { return false; };
  request.max_body_bytes = limits::kTokenReplyMaxBytes;
  collector_.Start(
      std::move(request),
      [this, count = spans.size()](const http::Response& response) { OnAnswer(count, response); });
}

void SpanExporter::OnAnswer(std::size_t spans, const http::Response& response) {
  const bool taken =
      response.outcome == http::Response::Outcome::kComplete && response.status / 100 == 2;
  (taken ? exported_ : failed_).fetch_add(spans, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  sending_ = false;
  idle_.notify_all();
  if (!queue_.empty()) worker_.Post([this] { Export(); });
}

void SpanExporter::Stop() {
  Timers::Id timer = Timers::kNone;
  {
    MutexLock lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    timer = std::exchange(timer_, Timers::kNone);
  }
  if (timer != Timers::kNone) timers_.Cancel(timer);
  worker_.Post([this] { Export(); });
  {
    MutexLock lock(mutex_);
    idle_.wait_for(mutex_, limits::kSpansLastExportMax,
                   [this]() REQUIRES(mutex_) { return queue_.empty() && !sending_; });
    dropped_.fetch_add(queue_.size(), std::memory_order_relaxed);
    queue_.clear();
  }
  worker_.Close();
}

std::map<std::string, double> SpanExporter::counts() const {
  return {{"exported", static_cast<double>(exported_.load(std::memory_order_relaxed))},
          {"failed", static_cast<double>(failed_.load(std::memory_order_relaxed))},
          {"dropped", static_cast<double>(dropped_.load(std::memory_order_relaxed))}};
}

}  // namespace gateway::app
