#include "client/file_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace pictory_jobs::fake {
namespace {

std::string ReadHead(int connection) {
  std::string head;
  std::array<char, 2048> block;
  while (head.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = read(connection, block.data(), block.size());
    if (got <= 0) break;
    head.append(block.data(), static_cast<std::size_t>(got));
  }
  return head;
}

std::string HeaderOf(const std::string& head, const std::string& field) {
  const std::string name = "\r\n" + field + ": ";
  const std::size_t at = head.find(name);
  if (at == std::string::npos) return "";
  return head.substr(at + name.size(), head.find("\r\n", at + 2) - at - name.size());
}

}  // namespace

FileServer::FileServer(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 8) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

FileServer::~FileServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

std::string FileServer::url() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/video.mp4";
}

std::vector<std::string> FileServer::ranges() const {
  const std::lock_guard lock(mutex_);
  return ranges_;
}

bool FileServer::WaitForRequests(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return ranges_.size() >= count; });
}

std::string FileServer::Answer(const std::string& range, bool first, bool& cut) const {
  const std::string& content = behaviour_.content;
  std::string head = "HTTP/1.1 " + std::to_string(behaviour_.status) + " X\r\n";
  std::string body = content;
  if (behaviour_.status >= 300) {
    body = "<html>no</html>";
    if (!behaviour_.location.empty()) head += "Location: " + behaviour_.location + "\r\n";
  } else if (!range.empty() && behaviour_.ranges) {
    const std::size_t from = std::strtoul(range.c_str() + sizeof("bytes=") - 1, nullptr, 10) +
                             static_cast<std::size_t>(behaviour_.begin_wrong_by);
    if (from >= content.size()) {
      head = "HTTP/1.1 416 X\r\n";
      body = "";
    } else {
      head = "HTTP/1.1 206 X\r\nContent-Range: bytes " + std::to_string(from) + "-" +
             std::to_string(content.size() - 1) + "/" + std::to_string(content.size()) + "\r\n";
      body = content.substr(from);
    }
  }
  if (!behaviour_.etag.empty()) head += "ETag: " + behaviour_.etag + "\r\n";
  head += "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
  cut = first && behaviour_.cut_after_bytes >= 0;
  if (cut) body.resize(static_cast<std::size_t>(behaviour_.cut_after_bytes));
  return head + body;
}

void FileServer::Serve() {
  for (bool first = true; !stopping_; first = false) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    const std::string request = ReadHead(connection);
    const std::string version = HeaderOf(request, "If-Range");
    std::string range = HeaderOf(request, "Range");
    {
      const std::lock_guard lock(mutex_);
      ranges_.push_back(range);
      changed_.notify_all();
    }
    if (behaviour_.if_range && !version.empty() && version != behaviour_.etag) range.clear();
    bool cut = false;
    const std::string answer = Answer(range, first, cut);
    if (send(connection, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) cut = true;
    if (cut && behaviour_.hold) {
      char byte = 0;
      while (read(connection, &byte, 1) > 0) {
      }
    }
    shutdown(connection, SHUT_WR);
    close(connection);
  }
}

}  // namespace pictory_jobs::fake
