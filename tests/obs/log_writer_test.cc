#include "obs/log_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace gateway::obs {
namespace {

using namespace std::chrono_literals;

std::string LostLine(std::uint64_t lost) { return "lost " + std::to_string(lost) + "\n"; }

class LogWriterTest : public testing::Test {
 protected:
  LogWriterTest() {
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(pipe2(pipe_, O_CLOEXEC), 0);
  }
  ~LogWriterTest() override {
    CloseReader();
    close(pipe_[1]);
  }
  void CloseReader() {
    if (pipe_[0] >= 0) close(pipe_[0]);
    pipe_[0] = -1;
  }
  // Fills the pipe to its last byte.
  void Stuff() {
    fcntl(pipe_[1], F_SETFL, O_NONBLOCK);
    while (write(pipe_[1], "x", 1) == 1) {
    }
    fcntl(pipe_[1], F_SETFL, 0);
  }
  std::string ReadUntil(const std::string& end) {
    std::string text;
    char c = 0;
    while (!text.ends_with(end) && read(pipe_[0], &c, 1) == 1) text += c;
    return text;
  }

  int pipe_[2] = {-1, -1};
};

TEST_F(LogWriterTest, CloseWritesWhatIsQueued) {
  LogWriter writer(pipe_[1], LostLine);
  for (int i = 0; i < 100; ++i) writer.Write(std::to_string(i) + "\n");
  writer.Close(1h);
  EXPECT_EQ(ReadUntil("99\n").substr(0, 6), "0\n1\n2\n");
  EXPECT_EQ(writer.lost(), 0u);
}

TEST_F(LogWriterTest, AReaderThatHasStoppedHoldsUpNothing) {
  Stuff();
  LogWriter writer(pipe_[1], LostLine, 10);
  for (int i = 0; i < 1000; ++i) writer.Write("line\n");
  EXPECT_GE(writer.lost(), 989u);  // all but the queue, and one that is being written
  writer.Close(0s);
  CloseReader();  // or the end of the writer would wait for it
}

TEST_F(LogWriterTest, LostLinesAreToldAsSoonAsSomebodyReads) {
  Stuff();
  LogWriter writer(pipe_[1], LostLine, 10);
  for (int i = 0; i < 1000; ++i) writer.Write(std::to_string(i) + "\n");
  const std::string text = ReadUntil("999\n");
  // They may be told in several parts: the writer can write while lines are still being lost.
  std::uint64_t told = 0;
  for (std::size_t at = 0; (at = text.find("lost ", at)) != std::string::npos; ++at) {
    told += std::stoull(text.substr(at + 5));
  }
  EXPECT_GT(told, 0u);
  EXPECT_EQ(told, writer.lost());
}

TEST_F(LogWriterTest, AReaderThatIsGoneCostsLinesAndNothingElse) {
  CloseReader();
  LogWriter writer(pipe_[1], LostLine);
  for (int i = 0; i < 10; ++i) writer.Write("line\n");
  writer.Close(1h);
  EXPECT_GE(writer.lost(), 10u);
}

}  // namespace
}  // namespace gateway::obs
