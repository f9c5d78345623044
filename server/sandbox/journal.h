// The Journal is the sandbox's memory: one JSON line for everything accepted, on disk before it
// takes effect.
//
// By it jobs survive a restart, and tests prove that nothing was paid for twice: what is not in it
// was not accepted. Single-threaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"

namespace gateway::sandbox {

struct JournalEntry {
  WallTime time;
  std::string method;
  std::string path;    // without the query, below /pictoryapis
  std::string job_id;  // the job made; for a DELETE or an edit, the job named
  std::string body;    // as received, byte for byte
  std::string webhook;
  std::string account{};  // who asked
};

class Journal {
 public:
  // Reads what is there. `dir` is made if missing; empty: memory only. A torn last line (the
  // program was killed while writing it) is cut off: it was never acknowledged. It is an error if
  // the directory cannot be used, if another sandbox uses it, or if an earlier line is damaged.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const std::filesystem::path& dir);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // The entry is on disk when Append returns OK. After an error nothing more can be appended,
  // because it is not certain what has reached the disk.
  absl::Status Append(JournalEntry entry);
  const std::vector<JournalEntry>& entries() const { return entries_; }

 private:
  explicit Journal(int fd) : fd_(fd) {}
  absl::Status Load(const std::filesystem::path& file);

  const int fd_;  // -1: memory only
  bool broken_ = false;
  std::vector<JournalEntry> entries_;
};

// One line, without the newline. `body` appears as a JSON string with the bytes received.
std::string ToJsonLine(const JournalEntry& entry);
// 64-bit FNV-1a in hex: tells bodies apart at a glance; no protection against forgery.
std::string BodyHash(std::string_view body);

}  // namespace gateway::sandbox
