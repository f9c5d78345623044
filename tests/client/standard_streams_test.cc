// What can be told of a stream before it is written, and how a write fails.
#include "standard_streams.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>

namespace pictory_jobs::cli {
namespace {

// Closed at the end of the test.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) { EXPECT_GE(fd, 0); }
  ~Fd() { Close(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  operator int() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

struct Pipe {
  explicit Pipe(int flags = 0, std::array<int, 2> ends = {-1, -1})
      : made(pipe2(ends.data(), flags) == 0), read(ends[0]), write(ends[1]) {}
  const bool made;
  Fd read;
  Fd write;
};

// A file that takes no more than it holds, as on a full disk.
int FullFile() {
  const int fd = memfd_create("full", MFD_ALLOW_SEALING);
  EXPECT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
  return fd;
}

TEST(WhyUnwritable, KnowsWhatIsClosedOrFullOrRead) {
  EXPECT_EQ(WhyUnwritable(-1), EBADF);
  EXPECT_EQ(WhyUnwritable(Fd(open("/dev/null", O_RDONLY))), EBADF);
  EXPECT_EQ(WhyUnwritable(Fd(open("/dev/full", O_WRONLY))), ENOSPC);
  EXPECT_EQ(WhyUnwritable(Fd(FullFile())), EPERM);
  Pipe pipe;
  EXPECT_EQ(WhyUnwritable(pipe.read), EBADF);
  EXPECT_EQ(WhyUnwritable(pipe.write), 0);
  pipe.read.Close();
  EXPECT_EQ(WhyUnwritable(pipe.write), EPIPE);
}

TEST(WhyUnwritable, LeavesAFileAsItWas) {
  const Fd file(memfd_create("file", 0));
  ASSERT_EQ(WriteAll(file, "before"), 0);
  EXPECT_EQ(WhyUnwritable(file), 0);
  EXPECT_EQ(WhyUnwritable(Fd(open("/dev/null", O_WRONLY))), 0);
  EXPECT_EQ(lseek(file, 0, SEEK_END), 6);
}

TEST(WhyUnwritable, APipeThatIsFullAtPresentIsNoObstacle) {
  const Pipe pipe(O_NONBLOCK);
  const std::string block(65536, 'x');
  while (write(pipe.write, block.data(), block.size()) > 0) {
  }
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(WhyUnwritable(pipe.write), 0);
}

TEST(WriteAll, WritesThroughAPipeThatDoesNotBlock) {
  const Pipe pipe(O_NONBLOCK);
  const std::string text(1'000'000, 'x');
  std::jthread writer([&] { EXPECT_EQ(WriteAll(pipe.write, text), 0); });
  std::array<char, 65536> block;
  std::size_t got = 0;
  while (got < text.size()) {
    const ssize_t some = read(pipe.read, block.data(), block.size());
    if (some > 0) got += static_cast<std::size_t>(some);
  }
  EXPECT_EQ(got, text.size());
}

TEST(WriteAll, GivesTheErrorOfTheWrite) {
  EXPECT_EQ(WriteAll(Fd(open("/dev/full", O_WRONLY)), "x"), ENOSPC);
  EXPECT_EQ(WriteAll(Fd(FullFile()), "x"), EPERM);
  EXPECT_EQ(WriteAll(-1, "x"), EBADF);
  EXPECT_EQ(WriteAll(-1, ""), 0);
}

TEST(Settle, LeavesTheStreamOpen) {
  const Fd file(memfd_create("file", 0));
  EXPECT_EQ(Settle(file), 0);
  EXPECT_EQ(WriteAll(file, "x"), 0);
  EXPECT_EQ(Settle(-1), EBADF);
}

}  // namespace
}  // namespace pictory_jobs::cli
