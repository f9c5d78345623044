#include "archive/read_line.h"

#include <utility>

namespace gateway::archive {

ReadLine::ReadLine(ReadLineOptions options, Run run) : options_(options), run_(std::move(run)) {
  for (int reader = 0; reader < options_.readers; ++reader) idle_.push_back(reader);
}

std::size_t ReadLine::Add(const std::string& tenant, Read read) {
  {
    MutexLock lock(mutex_);
    if (waiting_ >= options_.max) return options_.max;
    const auto line = lines_.find(tenant);
    if (line != lines_.end() && line->second.size() >= options_.tenant_max) {
      return options_.tenant_max;
    }
    lines_[tenant].push_back(std::move(read));
    ++waiting_;
  }
  Pump();
  return 0;
}

std::size_t ReadLine::waiting() const {
  MutexLock lock(mutex_);
  return waiting_;
}

// Takes the first read of the tenant behind the one that was served last.
ReadLine::Read ReadLine::TakeNext() {
  auto line = lines_.upper_bound(last_);
  if (line == lines_.end()) line = lines_.begin();
  last_ = line->first;
  Read read = std::move(line->second.front());
  line->second.pop_front();
  if (line->second.empty()) lines_.erase(line);
  --waiting_;
  return read;
}

void ReadLine::Pump() {
  for (;;) {
    Read read;
    int reader = 0;
    {
      MutexLock lock(mutex_);
      if (idle_.empty() || lines_.empty()) return;
      reader = idle_.back();
      idle_.pop_back();
      read = TakeNext();
    }
    run_(reader, [this, reader, read = std::move(read)] {
      read();
      {
        MutexLock lock(mutex_);
        idle_.push_back(reader);
      }
      Pump();
    });
  }
}

}  // namespace gateway::archive
