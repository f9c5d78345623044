// Pictory, as far as speed matters: takes every POST as a job of its own and knows every job it is
// asked about. One thread, one epoll, HTTP/1.1 with kept connections; it answers at once, or each
// request so many milliseconds after it came.
//
//   POST anything     {"success":true,"data":{"jobId":"…"}}, another id each time
//   GET  anything     that job as running, with a message that says which state this is
//
// Prints `port N`. Lines on standard input: `change` puts all jobs into another state, and `served
// NS` tells when the first answer with it was written; `change JOB` does it to one job, whose
// message then says `stamp NS`: when that answer was written; `finish N` ends all jobs, with N
// bytes of text in the result; with `restless` every answer from then on is another state, with its
// stamp. `fail STATUS` has every request answered with that, or with 0 not at all: the connection
// is closed; `heal` ends it. `count` is answered `counted GETS POSTS`: since the start. Of what
// came since the last time they were said, and so first of nothing:
//
//   `times`  `gets NS …` and `posts NS …`: when (CLOCK_MONOTONIC) each came
//   `gaps`   `gaps JOBS P99 MOST`: how many jobs were asked about, and the times in ns from one
//   poll
//            of a job to its next; MOST counts the time until now, too
//
// Its end ends the program.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "programs/clocks.h"
#include "programs/flags.h"

namespace {

struct Request {
  bool post = false;
  std::string_view path;
  std::size_t bytes = 0;  // with its body
};

// The request at the front of `input`, if all of it is here.
std::optional<Request> Parse(std::string_view input) {
  const std::size_t head = input.find("\r\n\r\n");
  if (head == std::string_view::npos) return std::nullopt;
  Request request;
  request.post = input.rfind("POST ", 0) == 0;
  const std::size_t path = input.find(' ') + 1;
  request.path = input.substr(path, input.find(' ', path) - path);
  request.bytes = head + 4;
  constexpr std::string_view kLength = "\r\nContent-Length:";
  if (const std::size_t at = input.find(kLength); at < head) {
    request.bytes += std::strtoul(input.data() + at + kLength.size(), nullptr, 10);
  }
  if (input.size() < request.bytes) return std::nullopt;
  return request;
}

// When requests came.
class Journal {
 public:
  void Note(const Request& request, std::int64_t now) {
    ++(request.post ? posts_ : gets_);
    if (keep_times_) (request.post ? post_times_ : get_times_).push_back(now);
    if (!keep_gaps_ || request.post) return;
    const auto [last, first] = last_asked_.try_emplace(std::string(request.path), now);
    if (!first) gaps_.push_back(now - std::exchange(last->second, now));
  }

  void TellCount() const { std::printf("counted %ld %ld\n", gets_, posts_); }

  void TellTimes() {
    Tell("gets", std::exchange(get_times_, {}));
    Tell("posts", std::exchange(post_times_, {}));
    keep_times_ = true;
  }

  void TellGaps(std::int64_t now) {
    std::sort(gaps_.begin(), gaps_.end());
    const std::int64_t p99 = gaps_.empty() ? 0 : gaps_[(gaps_.size() - 1) * 99 / 100];
    std::int64_t most = gaps_.empty() ? 0 : gaps_.back();
    for (const auto& [job, last] : last_asked_) most = std::max(most, now - last);
    std::printf("gaps %zu %lld %lld\n", last_asked_.size(), static_cast<long long>(p99),
                static_cast<long long>(most));
    gaps_.clear();
    last_asked_.clear();
    keep_gaps_ = true;
  }

 private:
  static void Tell(const char* word, const std::vector<std::int64_t>& times) {
    std::fputs(word, stdout);
    for (const std::int64_t at : times) std::printf(" %lld", static_cast<long long>(at));
    std::fputc('\n', stdout);
  }

  long gets_ = 0;
  long posts_ = 0;
  bool keep_times_ = false;
  std::vector<std::int64_t> get_times_, post_times_;
  bool keep_gaps_ = false;
  std::unordered_map<std::string, std::int64_t> last_asked_;  // by the path of the job
  std::vector<std::int64_t> gaps_;
};

class Upstream {
 public:
  explicit Upstream(long delay_ms) : delay_ns_(delay_ms * 1'000'000), epoll_(epoll_create1(0)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, any, size) != 0 || listen(listener_, 4096) != 0) std::abort();
    getsockname(listener_, any, &size);
    std::printf("port %d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    Register(listener_);
    Register(STDIN_FILENO);
  }

  void Run() {
    std::array<epoll_event, 256> events;
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), WaitMilliseconds());
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == listener_) {
          Accept();
        } else if (fd == STDIN_FILENO) {
          if (!ReadCommands()) return;
        } else {
          ReadFrom(fd);
        }
      }
      SendDue();
    }
  }

 private:
  struct Connection {
    std::string input;
  };
  struct Due {
    std::int64_t at = 0;
    int fd = -1;
    std::weak_ptr<Connection> connection;  // another may have got the number since
    std::string answer;
  };

  void Register(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  int WaitMilliseconds() const {
    if (due_.empty()) return -1;
    const std::int64_t left = due_.front().at - bench::Now();
    return left <= 0 ? 0 : static_cast<int>((left + 999'999) / 1'000'000);
  }

  void Accept() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections_[fd] = std::make_shared<Connection>();
      Register(fd);
    }
  }

  void ReadFrom(int fd) {
    const std::shared_ptr<Connection> connection = connections_.at(fd);
    std::array<char, 65536> buffer;
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got <= 0) {
      if (got < 0 && errno == EAGAIN) return;
      return Close(fd);
    }
    std::string& input = connection->input;
    input.append(buffer.data(), static_cast<std::size_t>(got));
    while (const std::optional<Request> request = Parse(input)) {
      journal_.Note(*request, bench::Now());
      if (failure_ == 0) return Close(fd);
      if (delay_ns_ == 0) {
        Send(fd, Answer(*request));
      } else {
        due_.push_back({bench::Now() + delay_ns_, fd, connection, Answer(*request)});
      }
      input.erase(0, request->bytes);
    }
  }

  void Close(int fd) {
    connections_.erase(fd);
    close(fd);
  }

  void SendDue() {
    while (!due_.empty() && due_.front().at <= bench::Now()) {
      if (!due_.front().connection.expired()) Send(due_.front().fd, due_.front().answer);
      due_.pop_front();
    }
  }

  // Answers are small: what the socket does not take at once is a fault of the bench.
  void Send(int fd, const std::string& answer) {
    const ssize_t sent = send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (sent >= 0 && static_cast<std::size_t>(sent) != answer.size()) std::abort();
  }

  std::string Answer(const Request& request) {
    if (failure_ > 0) {
      return "HTTP/1.1 " + std::to_string(failure_) + " Trouble\r\nContent-Length: 0\r\n\r\n";
    }
    std::string body;
    if (request.post) {
      body = R"({"success":true,"data":{"jobId":"bench-)" + std::to_string(++jobs_) + R"("}})";
    } else {
      const std::string job(request.path.substr(request.path.rfind('/') + 1));
      body = R"({"success":true,"job_id":")" + job + R"(","data":)" + Data(job) + "}";
      if (std::exchange(changed_, false)) {
        std::printf("served %lld\n", static_cast<long long>(bench::Now()));
        std::fflush(stdout);
      }
    }
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  std::string Data(const std::string& job) {
    if (text_bytes_ >= 0) {
      return R"({"status":"completed","transcript":[],"srt":"","vtt":"","txt":")" +
             std::string(static_cast<std::size_t>(text_bytes_), 'x') + R"("})";
    }
    return R"({"status":"in-progress","renderProgressMessage":")" + Message(job) + R"("})";
  }

  std::string Message(const std::string& job) {
    if (restless_) return "stamp " + std::to_string(bench::Now());
    const auto changed = stamps_.find(job);
    if (changed == stamps_.end()) return "state " + std::to_string(100'000 + state_);
    if (changed->second == 0) changed->second = bench::Now();
    return "stamp " + std::to_string(changed->second);
  }

  bool ReadCommands() {
    std::array<char, 4096> buffer;
    const ssize_t got = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got <= 0) return false;
    commands_.append(buffer.data(), static_cast<std::size_t>(got));
    for (std::size_t end; (end = commands_.find('\n')) != std::string::npos;) {
      const std::string line = commands_.substr(0, end);
      commands_.erase(0, end + 1);
      Obey(line);
      std::fflush(stdout);
    }
    return true;
  }

  void Obey(const std::string& line) {
    if (line == "count") return journal_.TellCount();
    if (line == "times") return journal_.TellTimes();
    if (line == "gaps") return journal_.TellGaps(bench::Now());
    if (line == "heal") return static_cast<void>(failure_ = kWell);
    if (line.rfind("fail ", 0) == 0)
      return static_cast<void>(failure_ = std::atol(line.c_str() + 5));
    if (line == "restless") return static_cast<void>(restless_ = true);
    if (line.rfind("change ", 0) == 0) {
      stamps_[line.substr(7)] = 0;
      return;
    }
    ++state_;
    stamps_.clear();
    changed_ = true;
    if (line.rfind("finish ", 0) == 0) text_bytes_ = std::atol(line.c_str() + 7);
  }

  static constexpr long kWell = -1;

  const std::int64_t delay_ns_;
  const int epoll_;
  int listener_ = -1;
  std::unordered_map<int, std::shared_ptr<Connection>> connections_;
  Journal journal_;
  std::deque<Due> due_;  // all wait equally long: the first comes first
  std::string commands_;
  long jobs_ = 0;
  long state_ = 0;
  std::unordered_map<std::string, std::int64_t> stamps_;  // of jobs changed alone; 0: not told yet
  long text_bytes_ = -1;  // of a finished job; -1: none has finished
  bool changed_ = false;
  bool restless_ = false;
  long failure_ = kWell;  // or the status that all are told; 0: nothing is said
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv, {{"delay-ms", "0"}});
  Upstream(flags.Number("delay-ms")).Run();
  return 0;
}
