// libcurl driven by one epoll on one thread, and nothing more: no queue, no limits, no deadlines.
// In the gateway's own mode (curl_multi_socket_action), so that the two differ by what we add.
//
// Start from any thread; `done` runs on the loop's thread.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace bench {

struct CurlLoopOptions {
  std::string url;
  bool post = false;
  bool fresh_connections = false;  // one for each request
  std::string ca_file;             // of an https URL; then HTTP/2 where it is offered
};

class CurlLoop {
 public:
  using Done = std::function<void(long status, const std::string& reply)>;

  explicit CurlLoop(CurlLoopOptions options);
  ~CurlLoop();  // what is under way is dropped
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  // `body` is sent by a POST only.
  void Start(std::string body, Done done);

 private:
  struct Transfer {
    CURL* handle = nullptr;
    std::string body;
    std::string reply;
    Done done;
  };

  void Run();
  void Begin(std::unique_ptr<Transfer> transfer);
  void Collect();
  std::unique_ptr<Transfer> NewTransfer();
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* transfer);
  static int OnSocket(CURL*, curl_socket_t fd, int what, void* self, void* known);
  static int OnTimer(CURLM*, long milliseconds, void* self);

  const CurlLoopOptions options_;
  curl_slist* headers_ = nullptr;
  CURLM* multi_ = nullptr;
  int epoll_ = -1;
  int wake_ = -1;
  long timer_ms_ = -1;
  std::vector<std::unique_ptr<Transfer>> idle_;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> running_;

  std::mutex mutex_;
  std::vector<std::pair<std::string, Done>> inbox_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace bench
