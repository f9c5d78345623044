// A SpanExporter brings spans to a collector (OTLP/HTTP, JSON), and is never in the way of anything
// else: the queue is bounded, one request is under way at a time, and what finds no place, or what
// the collector does not take, is dropped and counted.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/work_thread.h"
#include "http/transport.h"
#include "obs/span.h"

namespace gateway::app {

class SpanExporter {
 public:
  // All of them must outlive it, and the transport must have stopped before it goes.
  SpanExporter(http::HttpTransport& collector, const Clock& clock, Timers& timers);
  ~SpanExporter() { Stop(); }
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  void Add(obs::Span span) EXCLUDES(mutex_);
  // Sends what is queued, for limits::kSpansLastExportMax at most. What comes later is dropped.
  void Stop() EXCLUDES(mutex_);

  // What became of the spans so far: exported, failed (not taken by the collector), dropped.
  std::map<std::string, double> counts() const;

 private:
  void Export() EXCLUDES(mutex_);
  void OnAnswer(std::size_t spans, const http::Response& response) EXCLUDES(mutex_);

  http::HttpTransport& collector_;
  const Clock& clock_;
  Timers& timers_;
  std::atomic<std::uint64_t> exported_{0}, failed_{0}, dropped_{0};
  Mutex mutex_;
  CondVar idle_;
  std::deque<obs::Span> queue_ GUARDED_BY(mutex_);
  bool sending_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;
  Timers::Id timer_ GUARDED_BY(mutex_) = Timers::kNone;
  WorkThread worker_{"spans", WorkThread::Rest::kDropped};  // makes the bodies
};

}  // namespace gateway::app
