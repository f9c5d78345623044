// A tiny HTTP server that gives one file, for downloads. One request a connection, on a free port.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pictory_jobs::fake {

class FileServer {
 public:
  struct Behaviour {
    std::string content;
    bool ranges = true;         // obeys Range
    int cut_after_bytes = -1;   // of the first answer's body, then the connection breaks
    int status = 200;           // else an error page
    std::string location = {};  // of a redirect
    std::string etag = {};      // sent, and obeyed in an If-Range
    bool if_range = true;       // obeys If-Range
    int begin_wrong_by = 0;     // a partial answer begins so far from where it was asked to
    bool hold = false;          // after the cut: silence instead of an end
  };

  explicit FileServer(Behaviour behaviour);
  ~FileServer();

  std::string url() const;
  // The Range headers seen, empty where there was none.
  std::vector<std::string> ranges() const;
  bool WaitForRequests(std::size_t count) const;  // false after 10 s

 private:
  void Serve();
  std::string Answer(const std::string& range, bool first, bool& cut) const;

  const Behaviour behaviour_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::string> ranges_;
  std::thread thread_;
};

}  // namespace pictory_jobs::fake
