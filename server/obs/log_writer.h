// Writes lines to a file descriptor on a thread of its own, so that nobody waits for who reads
// them.
//
// A reader that has stopped costs lines, and nothing else: of a full queue the oldest are dropped,
// and Close does not wait for it longer than it is told to. Lines that were lost are counted, and
// told by a line as soon as one can be written again. Thread-safe.
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

  // With its line break. Never blocks.
  void Write(std::string line);
  // Until all is written, at most so long. What comes later is dropped.
  void Close(Duration at_most = limits::kLogCloseMax);

  // In all, so far.
  std::uint64_t lost() const;

 private:
  struct Shared;  // outlives the writer if its thread is kept by the reader
  static void Run(const std::shared_ptr<Shared>& shared);

  const std::shared_ptr<Shared> shared_;
};

}  // namespace gateway::obs
