#include "obs/log_writer.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <thread>
#include <utility>

#include "base/mutex.h"

namespace gateway::obs {

struct LogWriter::Shared {
  int fd = -1;
  std::function<std::string(std::uint64_t)> lost_line;
  std::size_t queue_lines = 0;
  Mutex mutex;
  CondVar wake;
  CondVar ended_wake;
  std::deque<std::string> lines GUARDED_BY(mutex);
  std::uint64_t lost GUARDED_BY(mutex) = 0;
  std::uint64_t told GUARDED_BY(mutex) = 0;  // of those
  bool closing GUARDED_BY(mutex) = false;
  bool ended GUARDED_BY(mutex) = false;
};

namespace {

// Writes a line. False if that fails because the reader is gone or the disk is full.
bool WriteAll(int fd, const std::string& line) {
  std::size_t at = 0;
  while (at < line.size()) {
    const ssize_t wrote = write(fd, line.data() + at, line.size() - at);
    if (wrote > 0) {
      at += static_cast<std::size_t>(wrote);
    } else if (wrote < 0 && errno == EAGAIN) {  // whoever shares it has made it so
      pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
      poll(&ready, 1, -1);
    } else if (!(wrote < 0 && errno == EINTR)) {
      return false;
    }
  }
  return true;
}

}  // namespace

LogWriter::LogWriter(int fd, std::function<std::string(std::uint64_t)> lost_line,
                     std::size_t queue_lines)
    : shared_(std::make_shared<Shared>()) {
  shared_->fd = fd;
  shared_->lost_line = std::move(lost_line);
  shared_->queue_lines = queue_lines;
  std::thread thread([shared = shared_] { Run(shared); });
  pthread_setname_np(thread.native_handle(), "log");
  thread.detach();  // Close waits for it, but not for ever
}

LogWriter::~LogWriter() { Close(); }

void LogWriter::Write(std::string line) {
  MutexLock lock(shared_->mutex);
  if (shared_->closing) return;
  if (shared_->lines.size() >= shared_->queue_lines) {
    shared_->lines.pop_front();
    ++shared_->lost;
  }
  shared_->lines.push_back(std::move(line));
  shared_->wake.notify_one();
}

void LogWriter::Close(Duration at_most) {
  const MonoTime until = std::chrono::steady_clock::now() + at_most;
  MutexLock lock(shared_->mutex);
  shared_->closing = true;
  shared_->wake.notify_one();
  const auto ended = [this]() REQUIRES(shared_->mutex) { return shared_->ended; };
  shared_->ended_wake.wait_until(shared_->mutex, until, ended);
}

std::uint64_t LogWriter::lost() const {
  MutexLock lock(shared_->mutex);
  return shared_->lost;
}

void LogWriter::Run(const std::shared_ptr<Shared>& shared) {
  for (;;) {
    std::string line;
    std::uint64_t lost = 0;
    {
      MutexLock lock(shared->mutex);
      const auto due = [&shared]() REQUIRES(shared->mutex) {
        return shared->closing || !shared->lines.empty();
      };
      shared->wake.wait(shared->mutex, due);
      if (shared->lost > shared->told) {
        lost = shared->lost - shared->told;
      } else if (shared->lines.empty()) {
        shared->ended = true;
        shared->ended_wake.notify_all();
        return;
      } else {
        line = std::move(shared->lines.front());
        shared->lines.pop_front();
      }
    }
    // The line that tells of lost ones is not among them, should it be lost, too.
    const bool written = WriteAll(shared->fd, lost > 0 ? shared->lost_line(lost) : line);
    MutexLock lock(shared->mutex);
    if (lost > 0) {
      shared->told += lost;
    } else if (!written) {
      ++shared->lost;
    }
  }
}

}  // namespace gateway::obs
