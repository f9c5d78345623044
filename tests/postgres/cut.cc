#include "cut.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace gateway::postgres {
namespace {

// The message of the simple protocol, and the beginning of its answer.
constexpr std::string_view kCommit(
    "Q\0\0\0\x0b"
    "COMMIT\0",
    12);

// A notice or an error.
std::string Report(char kind, std::initializer_list<std::string_view> parts) {
  std::string fields;
  for (const std::string_view field : parts) {
    fields += field;
    fields += '\0';
  }
  fields += '\0';
  const auto size = htonl(static_cast<std::uint32_t>(fields.size() + 4));
  return kind + std::string(reinterpret_cast<const char*>(&size), 4) + fields;
}

// The warning that PostgreSQL gives if a wait for a standby is cancelled.
std::string Warning() {
  return Report('N', {"SWARNING", "VWARNING", "C01000",
                      "Mcanceling wait for synchronous replication due to user request"});
}

// What something between the gateway and the server may say, which knows nothing of the COMMIT; and
// that it is ready for the next statement.
std::string StrangeError() {
  return Report('E', {"SERROR", "VERROR", "C58000", "Mquery_wait_timeout"}) +
         std::string("Z\0\0\0\5I", 6);
}

bool SendAll(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

int ConnectTo(const std::string& path) {
  const int server = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return server;
  close(server);
  return -1;
}

}  // namespace

CutProxy::CutProxy(std::string socket_path) : socket_(std::move(socket_path)) {
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

CutProxy::~CutProxy() {
  ends_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  SetStopped(false);
  SetOpen(false);
  std::vector<std::thread> servers;
  {
    MutexLock lock(mutex_);
    servers.swap(servers_);
  }
  for (std::thread& server : servers) server.join();
}

std::string CutProxy::conninfo() const {
  return "host=127.0.0.1 port=" + std::to_string(port_) +
         " user=gateway dbname=jobs sslmode=disable gssencmode=disable";
}

void CutProxy::SetOpen(bool open) {
  open_ = open;
  if (open) return;
  MutexLock lock(mutex_);
  for (const int way : ways_) shutdown(way, SHUT_RDWR);
}

void CutProxy::SetStopped(bool stopped) {
  stopped_ = stopped;
  stopped_.notify_all();
}

bool CutProxy::IsNext() {
  if (times_ <= 0 || passing_-- > 0) return false;
  return times_-- > 0;
}

void CutProxy::NoteCut() {
  if (closes_.exchange(false)) SetOpen(false);
  ++cuts_;
}

void CutProxy::Accept() {
  for (;;) {
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    MutexLock lock(mutex_);
    if (!open_ || ends_) {
      close(client);
      continue;
    }
    ways_.push_back(client);
    servers_.emplace_back([this, client] { Serve(client); });
  }
}

void CutProxy::Serve(int client) {
  const int server = ConnectTo(socket_);
  When at_answer = When::kNever;
  char buffer[65536];
  while (server >= 0) {
    pollfd sides[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    if (poll(sides, 2, -1) < 0) break;
    stopped_.wait(true);
    if ((sides[0].revents & ~POLLNVAL) != 0) {
      const ssize_t got = recv(client, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      const std::string_view bytes(buffer, static_cast<std::size_t>(got));
      if (bytes == kCommit && IsNext()) {
        at_answer = when_;
        if (at_answer == When::kBeforeCommit) {
          NoteCut();
          break;
        }
      }
      if (!SendAll(server, bytes)) break;
    }
    if ((sides[1].revents & ~POLLNVAL) != 0) {
      const ssize_t got = recv(server, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      std::string bytes(buffer, static_cast<std::size_t>(got));
      const When when = std::exchange(at_answer, When::kNever);
      if (when != When::kNever) NoteCut();
      if (when == When::kAfterCommit) break;
      if (when == When::kWarning) bytes = Warning() + bytes;
      if (when == When::kStrangeError) bytes = StrangeError();
      if (!SendAll(client, bytes)) break;
    }
  }
  if (server >= 0) close(server);
  MutexLock lock(mutex_);
  std::erase(ways_, client);
  close(client);
}

}  // namespace gateway::postgres
