// Posts to one path of an HTTP server at a steady rate, and counts the answers by status.
//
//   flood PORT PATH PER_SECOND SECONDS CONNECTIONS [BODY]
//
// to 127.0.0.1. A PATH that ends in '.' gets 64 random hex digits behind it, others in each
// request. CONNECTIONS 0: a new connection for each request. Prints
// {"sent":N,"seconds":S,"204":N,…}.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Plan {
  int port;
  std::string path;
  double per_second;
  double seconds;
  bool new_connections;
  std::string body;
};

struct Tally {
  std::mutex mutex;
  std::map<std::string, int> answers;
  std::atomic<int> sent{0};
};

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval limit{10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

// The status of the answer, which has no body; "none" if there is none.
std::string Exchange(int fd, const std::string& request) {
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return "none";
  }
  std::string answer;
  char piece[4096];
  while (answer.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = recv(fd, piece, sizeof piece, 0);
    if (got <= 0) return "none";
    answer.append(piece, static_cast<std::size_t>(got));
  }
  return answer.substr(9, 3);
}

std::string RandomDigits(std::mt19937_64& random) {
  std::string digits;
  while (digits.size() < 64) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(random()));
    digits += text;
  }
  return digits;
}

void Run(const Plan& plan, unsigned seed, Tally& tally) {
  std::mt19937_64 random(seed);
  std::map<std::string, int> answers;
  const auto begin = std::chrono::steady_clock::now();
  int fd = -1;
  for (int i = 0; i < plan.per_second * plan.seconds; ++i) {
    std::this_thread::sleep_until(begin + std::chrono::duration<double>(i / plan.per_second));
    if (fd < 0) fd = Connect(plan.port);
    const std::string path = plan.path.back() == '.' ? plan.path + RandomDigits(random) : plan.path;
    const std::string request = "POST " + path +
                                " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                                "Content-Length: " +
                                std::to_string(plan.body.size()) + "\r\n\r\n" + plan.body;
    ++tally.sent;
    const std::string answer = fd < 0 ? "refused" : Exchange(fd, request);
    ++answers[answer];
    if (fd >= 0 && (plan.new_connections || answer != "204")) {
      close(fd);
      fd = -1;
    }
  }
  if (fd >= 0) close(fd);
  std::lock_guard lock(tally.mutex);
  for (const auto& [answer, count] : answers) tally.answers[answer] += count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fputs("usage: flood PORT PATH PER_SECOND SECONDS CONNECTIONS [BODY]\n", stderr);
    return 2;
  }
  const int connections = std::atoi(argv[5]);
  const int threads = connections > 0 ? connections : 16;
  const Plan plan{.port = std::atoi(argv[1]),
                  .path = argv[2],
                  .per_second = std::atof(argv[3]) / threads,
                  .seconds = std::atof(argv[4]),
                  .new_connections = connections == 0,
                  .body = argc > 6 ? argv[6] : ""};
  Tally tally;
  std::vector<std::thread> running;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < threads; ++i) {
    running.emplace_back(Run, std::cref(plan), static_cast<unsigned>(i), std::ref(tally));
  }
  for (std::thread& thread : running) thread.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("{\"sent\":%d,\"seconds\":%.2f", tally.sent.load(), took.count());
  for (const auto& [answer, count] : tally.answers)
    std::printf(",\"%s\":%d", answer.c_str(), count);
  std::puts("}");
  return 0;
}
