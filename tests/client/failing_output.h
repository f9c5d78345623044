// Outputs for a process that fail when the test says so.
#pragma once

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace pictory_jobs::fake {

// A pipe whose reader goes when the test says so.
class Reader {
 public:
  Reader() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) std::abort();
  }
  ~Reader() {
    Leave();
    close(ends_[1]);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  int write_end() const { return ends_[1]; }
  void Leave() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }

  // Leaves no room in it. How many bytes that took.
  std::size_t FillUp() {
    std::size_t filled = 0;
    fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    while (write(ends_[1], "", 1) == 1) ++filled;
    fcntl(ends_[1], F_SETFL, 0);
    return filled;
  }
  // Reads so many bytes.
  std::string Drain(std::size_t bytes) {
    std::string got(bytes, '\0');
    for (std::size_t at = 0; at < bytes;) {
      const ssize_t some = read(ends_[0], got.data() + at, bytes - at);
      if (some <= 0) std::abort();
      at += static_cast<std::size_t>(some);
    }
    return got;
  }
  // What is left once nobody else writes.
  std::string Rest() {
    int bytes = 0;
    if (ioctl(ends_[0], FIONREAD, &bytes) != 0) std::abort();
    return Drain(static_cast<std::size_t>(bytes));
  }

 private:
  std::array<int, 2> ends_{};
};

// A file that takes no more than it holds from some time on, as where a disk fills up.
class FillingFile {
 public:
  FillingFile() : fd_(memfd_create("answer", MFD_ALLOW_SEALING | MFD_CLOEXEC)) {
    if (fd_ < 0) std::abort();
  }
  ~FillingFile() { close(fd_); }
  FillingFile(const FillingFile&) = delete;
  FillingFile& operator=(const FillingFile&) = delete;
  int fd() const { return fd_; }
  void Fill() {
    if (fcntl(fd_, F_ADD_SEALS, F_SEAL_GROW) != 0) std::abort();
  }

 private:
  const int fd_;
};

}  // namespace pictory_jobs::fake
