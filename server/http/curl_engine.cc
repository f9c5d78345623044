#include "http/curl_engine.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace gateway::http {
namespace {

constexpr int kEventsPerWait = 128;
constexpr char kShuttingDown[] = "shutting down";

// What an epoll event belongs to: the wake-up, or a socket of one lane.
constexpr std::uint64_t kWakeTag = ~std::uint64_t{0};
std::uint64_t Tag(Lane lane, int fd) {
  return (lane == Lane::kPaid ? std::uint64_t{1} << 32 : 0) | static_cast<std::uint32_t>(fd);
}
bool IsPaid(std::uint64_t tag) { return (tag >> 32) != 0; }
int SocketOf(std::uint64_t tag) { return static_cast<int>(tag & 0xffffffffu); }

}  // namespace

absl::StatusOr<std::unique_ptr<CurlEngine>> CurlEngine::Create(const CurlTransportOptions& options,
                                                               Share share,
                                                               TransportCounters& counters) {
  std::unique_ptr<CurlEngine> engine(new CurlEngine(options, counters));
  if (absl::Status status = engine->Init(share); !status.ok()) return status;
  engine->StartThread();
  return engine;
}

CurlEngine::CurlEngine(const CurlTransportOptions& options, TransportCounters& counters)
    : options_(options),
      counters_(counters),
      paid_(*this, Lane::kPaid, counters.paid),
      read_(*this, Lane::kRead, counters.read) {}

CurlEngine::~CurlEngine() {
  Stop();
  Join();
  // The multis close their connections through OnSocket, so they go before the epoll does; handles
  // go before their multi.
  for (LaneState* lane : {&paid_, &read_}) {
    lane->idle.clear();
    lane->multi.reset();
  }
  if (wake_ >= 0) close(wake_);
  if (epoll_ >= 0) close(epoll_);
}

absl::Status CurlEngine::Init(Share share) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeTag;
  if (epoll_ < 0 || wake_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("http engine: ", std::strerror(errno)));
  }
  if (absl::Status status = InitLane(paid_, share.paid_in_flight); !status.ok()) return status;
  return InitLane(read_, share.read_in_flight);
}

absl::Status CurlEngine::InitLane(LaneState& lane, int in_flight_max) {
  lane.in_flight_max = static_cast<std::size_t>(in_flight_max);
  lane.multi.reset(curl_multi_init());
  CURLM* const multi = lane.multi.get();
  if (multi == nullptr) return absl::ResourceExhaustedError("libcurl: out of memory");
  const long limit = in_flight_max;
  if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &CurlEngine::OnSocket) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, &lane) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &CurlEngine::OnTimer) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_TIMERDATA, &lane) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, limit) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, limit) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, limit) != CURLM_OK) {
    return absl::InternalError("this libcurl refuses a multi option we rely on");
  }
#if LIBCURL_VERSION_NUM >= 0x081500
  // Its threads ask the name server, and one that hangs must not hold up the end.
  if (curl_multi_setopt(multi, CURLMOPT_QUICK_EXIT, 1L) != CURLM_OK) {
    return absl::InternalError("this libcurl waits for the name server when it ends");
  }
#endif
  // The first handle shows whether the easy options hold too.
  auto transfer = CurlTransfer::Create(options_, lane.lane);
  if (!transfer.ok()) return transfer.status();
  lane.idle.push_back(*std::move(transfer));
  return absl::OkStatus();
}

// The main thread takes the signals, so this thread blocks them all. SIGPIPE too: with NOSIGNAL
// libcurl leaves it to us, and a TLS write to a closed connection may raise it in this thread,
// where it stays blocked.
void CurlEngine::StartThread() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "http-engine");
}

bool CurlEngine::Submit(PendingRequest& pending) {
  bool wake = false;
  {
    MutexLock lock(mutex_);
    if (stopping_) return false;
    wake = inbox_.empty();  // else a wake-up is already on its way
    inbox_.push_back(std::move(pending));
  }
  if (wake) Wake();
  return true;
}

void CurlEngine::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  Wake();
}

void CurlEngine::Join() {
  if (thread_.joinable()) thread_.join();
}

void CurlEngine::Wake() {
  const std::uint64_t one = 1;
  // The write fails only if 2^64-1 wake-ups are pending, so one is pending then.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
}

void CurlEngine::Run() {
  bool stopping = false;
  while (!stopping) {
    const MonoTime since = WaitAndDispatch();
    stopping = TakeInbox();
    for (LaneState* lane : {&paid_, &read_}) {
      if (stopping) RefuseWaiting(*lane, kShuttingDown);
      ExpireWaiting(*lane, since);
      StartWaiting(*lane);
      FireTimer(*lane, clock_.Now());  // a transfer just started has set it to now
      CollectFinished(*lane);
      StartWaiting(*lane);  // in the places that have become free
      if (stopping) AbandonRunning(*lane);
    }
    AnswerFinished();
    NoteStall(since);
  }
}

// Returns the time at which the waiting ended.
MonoTime CurlEngine::WaitAndDispatch() {
  std::array<epoll_event, kEventsPerWait> events;
  const int count =
      epoll_wait(epoll_, events.data(), kEventsPerWait, WaitMilliseconds(clock_.Now()));
  const MonoTime since = clock_.Now();
  int running = 0;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t tag = events[i].data.u64;
    if (tag == kWakeTag) {
      std::uint64_t wakes;
      [[maybe_unused]] const ssize_t got = read(wake_, &wakes, sizeof wakes);
      continue;
    }
    const std::uint32_t ready = events[i].events;
    const int mask = ((ready & EPOLLIN) ? CURL_CSELECT_IN : 0) |
                     ((ready & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
                     ((ready & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);
    LaneState& lane = IsPaid(tag) ? paid_ : read_;
    curl_multi_socket_action(lane.multi.get(), SocketOf(tag), mask, &running);
  }
  return since;
}

int CurlEngine::WaitMilliseconds(MonoTime now) const {
  const MonoTime next = std::min(
      {paid_.timer, read_.timer, paid_.queue.next_deadline(), read_.queue.next_deadline()});
  if (next == MonoTime::max()) return -1;
  if (next <= now) return 0;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
      std::min<Duration>(next - now, std::chrono::minutes(1)));
  return static_cast<int>(wait.count());
}

bool CurlEngine::TakeInbox() {
  std::vector<PendingRequest> inbox;
  bool stopping;
  {
    MutexLock lock(mutex_);
    inbox.swap(inbox_);
    stopping = stopping_;
  }
  for (PendingRequest& pending : inbox) {
    LaneState& lane = pending.request.lane == Lane::kPaid ? paid_ : read_;
    lane.queue.Push(std::move(pending));
  }
  return stopping;
}

void CurlEngine::RefuseWaiting(LaneState& lane, const std::string& reason) {
  while (!lane.queue.empty()) {
    lane.counters.queued.fetch_sub(1, std::memory_order_relaxed);
    Finished(lane, {lane.queue.Pop().done, NotSent(reason)});
  }
}

void CurlEngine::ExpireWaiting(LaneState& lane, MonoTime now) {
  while (auto expired = lane.queue.PopExpired(now)) {
    lane.counters.queued.fetch_sub(1, std::memory_order_relaxed);
    Finished(lane,
             {std::move(expired->done), NotSent("queued past its deadline", /*crowded=*/true)});
  }
}

void CurlEngine::StartWaiting(LaneState& lane) {
  while (!lane.queue.empty() && lane.running.size() < lane.in_flight_max) {
    PendingRequest pending = lane.queue.Pop();
    lane.counters.queued.fetch_sub(1, std::memory_order_relaxed);
    std::unique_ptr<CurlTransfer> transfer = IdleTransfer(lane);
    if (transfer == nullptr) {
      Finished(lane, {std::move(pending.done), NotSent("out of memory")});
      continue;
    }
    CURLcode verdict = transfer->Begin(std::move(pending));
    if (verdict == CURLE_OK &&
        curl_multi_add_handle(lane.multi.get(), transfer->handle()) != CURLM_OK) {
      verdict = CURLE_FAILED_INIT;
    }
    if (verdict != CURLE_OK) {
      Finished(lane, transfer->Finish(verdict));
      continue;  // and the handle, being suspect, is dropped
    }
    lane.counters.started.fetch_add(1, std::memory_order_relaxed);
    lane.counters.in_flight.fetch_add(1, std::memory_order_relaxed);
    lane.running.push_back(std::move(transfer));
  }
}

std::unique_ptr<CurlTransfer> CurlEngine::IdleTransfer(LaneState& lane) {
  if (lane.idle.empty()) {
    auto created = CurlTransfer::Create(options_, lane.lane);
    return created.ok() ? *std::move(created) : nullptr;
  }
  std::unique_ptr<CurlTransfer> transfer = std::move(lane.idle.back());
  lane.idle.pop_back();
  return transfer;
}

void CurlEngine::FireTimer(LaneState& lane, MonoTime now) {
  if (lane.timer > now) return;
  lane.timer = MonoTime::max();  // libcurl sets it again from inside the call
  int running = 0;
  curl_multi_socket_action(lane.multi.get(), CURL_SOCKET_TIMEOUT, 0, &running);
}

void CurlEngine::CollectFinished(LaneState& lane) {
  int left = 0;
  while (CURLMsg* const message = curl_multi_info_read(lane.multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode verdict = message->data.result;  // the message dies with the next call
    std::unique_ptr<CurlTransfer> transfer =
        RemoveRunning(lane, CurlTransfer::Of(message->easy_handle));
    Finished(lane, transfer->Finish(verdict));
    lane.idle.push_back(std::move(transfer));
  }
}

void CurlEngine::AbandonRunning(LaneState& lane) {
  while (!lane.running.empty()) {
    std::unique_ptr<CurlTransfer> transfer = RemoveRunning(lane, lane.running.back().get());
    Finished(lane, transfer->Abandon(kShuttingDown));
  }
}

std::unique_ptr<CurlTransfer> CurlEngine::RemoveRunning(LaneState& lane, CurlTransfer* transfer) {
  const auto it = std::find_if(lane.running.begin(), lane.running.end(),
                               [&](const auto& owned) { return owned.get() == transfer; });
  std::unique_ptr<CurlTransfer> removed = std::move(*it);
  *it = std::move(lane.running.back());
  lane.running.pop_back();
  lane.counters.connections.fetch_add(static_cast<std::uint64_t>(removed->connections_opened()),
                                      std::memory_order_relaxed);
  curl_multi_remove_handle(lane.multi.get(), removed->handle());
  lane.counters.in_flight.fetch_sub(1, std::memory_order_relaxed);
  return removed;
}

void CurlEngine::Finished(LaneState& lane, FinishedRequest finished) {
  lane.counters.Count(finished.response.outcome);
  finished_.push_back(std::move(finished));
}

void CurlEngine::AnswerFinished() {
  std::vector<FinishedRequest> finished;
  finished.swap(finished_);
  for (FinishedRequest& each : finished) {
    each.done(std::move(each.response));
    each.done = nullptr;  // what it captured goes with its own answer, not with the batch
  }
}

void CurlEngine::NoteStall(MonoTime since) {
  const Duration::rep stall = (clock_.Now() - since).count();
  Duration::rep before = counters_.loop_stall_max.load(std::memory_order_relaxed);
  while (stall > before && !counters_.loop_stall_max.compare_exchange_weak(
                               before, stall, std::memory_order_relaxed)) {
  }
}

int CurlEngine::OnSocket(CURL*, curl_socket_t fd, int what, void* data, void* known) {
  LaneState& lane = *static_cast<LaneState*>(data);
  const int epoll = lane.engine.epoll_;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  epoll_event event{};
  event.data.u64 = Tag(lane.lane, fd);
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  const int operation = known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  int rc = epoll_ctl(epoll, operation, fd, &event);
  // A file number that libcurl closed and the system gave out again may be known here and not to
  // epoll, or to epoll and not here.
  if (rc != 0 && errno == EEXIST) rc = epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
  if (rc != 0 && errno == ENOENT) rc = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  if (known == nullptr) curl_multi_assign(lane.multi.get(), fd, &lane);
  return rc == 0 ? 0 : -1;
}

int CurlEngine::OnTimer(CURLM*, long milliseconds, void* data) {
  LaneState& lane = *static_cast<LaneState*>(data);
  lane.timer = milliseconds < 0
                   ? MonoTime::max()
                   : lane.engine.clock_.Now() + std::chrono::milliseconds(milliseconds);
  return 0;
}

}  // namespace gateway::http
