// A LogWriter writes lines to a file descriptor on a thread of its own, so that nobody waits for
// the lines' reader.
//
// A reader that has stopped costs lines, and nothing else: from a full queue the oldest lines are
// dropped, and Close does not wait for the reader longer than it is told to. Lost lines are
// counted, and a line tells of them as soon as one can be written again. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/limits.h"

namespace gateway::obs {

class LogWriter {
 public:
  // `lost_line` makes the line that tells of so many lost ones. `fd` stays open.
  LogWriter(int fd, std::function<std::string(std::uint64_t lost)> lost_line,
            std::size_t queue_lines = limits::kLogQueueMaxLines);
  ~LogWriter();  // as Close
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Takes a line with its line break. Never blocks.
  void Write(std::string line);
  // Waits until all is written, at most so long. Lines that come later are dropped.
  void Close(Duration at_most = limits::kLogCloseMax);

  // How many lines were lost so far, in all.
  std::uint64_t lost() const;

 private:
  struct Shared;  // outlives the writer if its thread is kept by the reader
  static void Run(const std::shared_ptr<Shared>& shared);

  const std::shared_ptr<Shared> shared_;
};

}  // namespace gateway::obs
