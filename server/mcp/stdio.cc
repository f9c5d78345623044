#include "mcp/stdio.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "mcp/workers.h"

namespace gateway::mcp {
namespace {

// Lines go out whole, whoever writes them.
class LineWriter {
 public:
  explicit LineWriter(int fd) : fd_(fd) {}

  void Write(std::string line) {
    if (line.empty()) return;
    line += '\n';
    MutexLock lock(mutex_);
    std::string_view left = line;
    while (!left.empty() && !broken_) {
      const ssize_t count = write(fd_, left.data(), left.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) broken_ = true;
      if (count > 0) left.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  bool broken() const { return broken_; }

 private:
  const int fd_;
  Mutex mutex_;
  std::atomic<bool> broken_{false};
};

// The lines of a stream. One that is too long is passed over, and told as such.
class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}

  struct Line {
    std::string text;
    bool too_long = false;
  };
  // False at the end of the stream. A line that the end cuts off is no line.
  bool Next(Line& line) {
    line = {};
    for (;;) {
      const std::size_t end = buffer_.find('\n', looked_);
      if (end != std::string::npos) {
        line.too_long = dropped_ || end > limits::kMcpMessageMaxBytes;
        if (!line.too_long) line.text = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        looked_ = 0;
        dropped_ = false;
        return true;
      }
      looked_ = buffer_.size();
      if (buffer_.size() > limits::kMcpMessageMaxBytes) {
        buffer_.clear();
        looked_ = 0;
        dropped_ = true;
      }
      char piece[64 * 1024];
      const ssize_t count = read(fd_, piece, sizeof piece);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      buffer_.append(piece, static_cast<std::size_t>(count));
    }
  }

 private:
  const int fd_;
  std::string buffer_;
  std::size_t looked_ = 0;  // so many bytes of it have no end of a line
  bool dropped_ = false;    // the beginning of the line
};

std::string Answer(Server& server, const std::string& text, Peer& peer) {
  const auto read = ReadMessage(text);
  if (const auto* const no = std::get_if<NoMessage>(&read)) {
    return ErrorLine(no->id, no->code, no->why);
  }
  return server.Handle(std::get<Message>(read), peer);
}

}  // namespace

bool ServeLines(Server& server, int in, int out) {
  // What the tasks use stays as long as they do, though they may outlive this call.
  struct Parts {
    explicit Parts(int fd) : writer(fd), workers(limits::kMcpWorkers, limits::kMcpQueueMax) {}
    LineWriter writer;
    Peer peer{/*hears_requests=*/true};
    Workers workers;  // its threads end first
  };
  auto parts = std::make_unique<Parts>(out);
  LineReader reader(in);
  LineReader::Line line;
  while (!parts->writer.broken() && reader.Next(line)) {
    if (line.too_long) {
      parts->writer.Write(
          ErrorLine("null", ErrorCode::kInvalidRequest,
                    absl::StrCat("a message has at most ", limits::kMcpMessageMaxBytes, " bytes")));
      continue;
    }
    if (line.text.find_first_not_of(" \t\r") == std::string::npos) continue;
    parts->workers.Push([&server, p = parts.get(), text = std::move(line.text)] {
      p->writer.Write(Answer(server, text, p->peer));
    });
  }
  if (parts->workers.Finish(limits::kMcpEndMax)) return true;
  (void)parts.release();
  return false;
}

}  // namespace gateway::mcp
