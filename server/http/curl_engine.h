// A CurlEngine is one thread with one epoll, and on it the two lanes: a multi handle of libcurl
// each.
//
// Requests are handed in from any thread; all else happens on the engine's own. The engine never
// gives libcurl more transfers than there may be connections: the rest wait in its queue, where
// their own deadlines govern.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "http/curl_options.h"
#include "http/curl_transfer.h"
#include "http/transport_stats.h"
#include "http/wait_queue.h"

namespace gateway::http {

class CurlEngine {
 public:
  // The engine's share of the transport's limits.
  struct Share {
    int paid_in_flight;
    int read_in_flight;
  };

  // `options` and `counters` must outlive the engine. INTERNAL or RESOURCE_EXHAUSTED with reason.
  static absl::StatusOr<std::unique_ptr<CurlEngine>> Create(const CurlTransportOptions& options,
                                                            Share share,
                                                            TransportCounters& counters);
  ~CurlEngine();  // Stop, then Join

  // False, with `pending` untouched, once the engine stops; else its `done` will be
  // called on the engine's thread. The caller has counted it as queued.
  bool Submit(PendingRequest& pending);

  // Takes no more requests, answers those that wait, and ends those in flight. The thread ends soon
  // after.
  void Stop();
  // Is called after Stop, and not on the engine's thread. Every `done` has been called when it
  // returns.
  void Join();

 private:
  struct MultiDeleter {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  struct LaneState {
    LaneState(CurlEngine& of, Lane which, LaneCounters& count)
        : engine(of), lane(which), counters(count) {}
    CurlEngine& engine;
    const Lane lane;
    LaneCounters& counters;
    std::size_t in_flight_max = 0;
    std::unique_ptr<CURLM, MultiDeleter> multi;
    MonoTime timer = MonoTime::max();  // when libcurl wants to be called again
    WaitQueue queue;
    std::vector<std::unique_ptr<CurlTransfer>> idle;  // last used first: it has a TLS session
    std::vector<std::unique_ptr<CurlTransfer>> running;
  };

  CurlEngine(const CurlTransportOptions& options, TransportCounters& counters);
  absl::Status Init(Share share);
  absl::Status InitLane(LaneState& lane, int in_flight_max);
  void StartThread();

  void Run();
  MonoTime WaitAndDispatch();
  int WaitMilliseconds(MonoTime now) const;
  // True once the engine is to stop.
  bool TakeInbox();
  void RefuseWaiting(LaneState& lane, const std::string& reason);
  void ExpireWaiting(LaneState& lane, MonoTime now);
  void StartWaiting(LaneState& lane);
  void FireTimer(LaneState& lane, MonoTime now);
  void CollectFinished(LaneState& lane);
  void AbandonRunning(LaneState& lane);
  std::unique_ptr<CurlTransfer> IdleTransfer(LaneState& lane);
  std::unique_ptr<CurlTransfer> RemoveRunning(LaneState& lane, CurlTransfer* transfer);
  void Finished(LaneState& lane, FinishedRequest finished);
  void AnswerFinished();
  void NoteStall(MonoTime since);
  void Wake();

  static int OnSocket(CURL*, curl_socket_t fd, int what, void* lane, void* known);
  static int OnTimer(CURLM*, long milliseconds, void* lane);

  const CurlTransportOptions& options_;
  TransportCounters& counters_;
  const SystemClock clock_;
  int epoll_ = -1;
  int wake_ = -1;  // an eventfd: curl_multi_wakeup does not reach an epoll of ours
  LaneState paid_;
  LaneState read_;
  std::vector<FinishedRequest> finished_;  // to be answered at the end of the loop

  Mutex mutex_;
  std::vector<PendingRequest> inbox_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace gateway::http
