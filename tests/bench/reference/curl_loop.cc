#include "reference/curl_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <utility>

namespace bench {

CurlLoop::CurlLoop(CurlLoopOptions options) : options_(std::move(options)) {
  for (const char* line : {"Authorization: pictai_bench", "Accept: application/json",
                           "User-Agent: bench", "Expect:"}) {
    headers_ = curl_slist_append(headers_, line);
  }
  if (options_.post) headers_ = curl_slist_append(headers_, "Content-Type: application/json");
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  multi_ = curl_multi_init();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  thread_ = std::thread([this] { Run(); });
}

CurlLoop::~CurlLoop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
  thread_.join();
  for (auto& [handle, transfer] : running_) curl_multi_remove_handle(multi_, handle);
  for (auto& [handle, transfer] : running_) curl_easy_cleanup(handle);
  for (auto& transfer : idle_) curl_easy_cleanup(transfer->handle);
  curl_multi_cleanup(multi_);
  curl_slist_free_all(headers_);
  close(wake_);
  close(epoll_);
}

void CurlLoop::Start(std::string body, Done done) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    wake = inbox_.empty();
    inbox_.emplace_back(std::move(body), std::move(done));
  }
  const std::uint64_t one = 1;
  if (wake) [[maybe_unused]]
    const ssize_t written = write(wake_, &one, sizeof one);
}

std::unique_ptr<CurlLoop::Transfer> CurlLoop::NewTransfer() {
  auto transfer = std::make_unique<Transfer>();
  CURL* const handle = transfer->handle = curl_easy_init();
  curl_easy_setopt(handle, CURLOPT_URL, options_.url.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  const bool tls = !options_.ca_file.empty();
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION,
                   static_cast<long>(tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  if (tls) curl_easy_setopt(handle, CURLOPT_CAINFO, options_.ca_file.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &CurlLoop::OnBody);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, transfer.get());
  curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, options_.fresh_connections ? 1L : 0L);
  curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, options_.fresh_connections ? 1L : 0L);
  if (options_.post) curl_easy_setopt(handle, CURLOPT_POST, 1L);
  return transfer;
}

void CurlLoop::Begin(std::unique_ptr<Transfer> transfer) {
  CURL* const handle = transfer->handle;
  transfer->reply.clear();
  if (options_.post) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(transfer->body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, transfer->body.data());
  }
  running_.emplace(handle, std::move(transfer));
  curl_multi_add_handle(multi_, handle);
}

void CurlLoop::Run() {
  std::array<epoll_event, 128> events;
  while (true) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(timer_ms_));
    int left = 0;
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == wake_) {
        std::uint64_t wakes = 0;
        [[maybe_unused]] const ssize_t got = read(wake_, &wakes, sizeof wakes);
        continue;
      }
      const std::uint32_t ready = events[i].events;
      const int mask = ((ready & EPOLLIN) ? CURL_CSELECT_IN : 0) |
                       ((ready & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
                       ((ready & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);
      curl_multi_socket_action(multi_, events[i].data.fd, mask, &left);
    }
    std::vector<std::pair<std::string, Done>> inbox;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      inbox.swap(inbox_);
    }
    for (auto& [body, done] : inbox) {
      std::unique_ptr<Transfer> transfer;
      if (idle_.empty()) {
        transfer = NewTransfer();
      } else {
        transfer = std::move(idle_.back());
        idle_.pop_back();
      }
      transfer->body = std::move(body);
      transfer->done = std::move(done);
      Begin(std::move(transfer));
    }
    if (count == 0 || timer_ms_ == 0) {
      timer_ms_ = -1;
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &left);
    }
    Collect();
  }
}

void CurlLoop::Collect() {
  int left = 0;
  while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const handle = message->easy_handle;
    const CURLcode verdict = message->data.result;
    curl_multi_remove_handle(multi_, handle);
    const auto found = running_.find(handle);
    std::unique_ptr<Transfer> transfer = std::move(found->second);
    running_.erase(found);
    long status = 0;
    if (verdict == CURLE_OK) curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    const Done done = std::move(transfer->done);
    done(status, transfer->reply);
    idle_.push_back(std::move(transfer));
  }
}

std::size_t CurlLoop::OnBody(char* data, std::size_t size, std::size_t count, void* transfer) {
  static_cast<Transfer*>(transfer)->reply.append(data, size * count);
  return size * count;
}

int CurlLoop::OnSocket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
  auto& loop = *static_cast<CurlLoop*>(self);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  epoll_event event{};
  event.events = ((what & CURL_POLL_IN) ? EPOLLIN : 0u) | ((what & CURL_POLL_OUT) ? EPOLLOUT : 0u);
  event.data.fd = fd;
  epoll_ctl(loop.epoll_, known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  if (known == nullptr) curl_multi_assign(loop.multi_, fd, self);
  return 0;
}

int CurlLoop::OnTimer(CURLM*, long milliseconds, void* self) {
  static_cast<CurlLoop*>(self)->timer_ms_ = milliseconds;
  return 0;
}

}  // namespace bench
