// An UploadStore keeps the files that callers have uploaded, or are about to upload, on disk, with
// what is known of each.
//
// A slot is named by a token nobody can guess. What has arrived of a file is kept when a connection
// breaks, so that a later request can go on there. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace gateway::sandbox {

struct UploadSlot {
  std::string token;  // names it in the path; not the signature
  std::string signature;
  std::string file_name;
  std::string content_type;
  WallTime expires;
  std::uint64_t received = 0;          // of the file under way
  std::optional<std::uint64_t> total;  // of the file under way, once known
  std::optional<WallTime> stored_at;   // whole, for the first time
};

class UploadStore {
 public:
  // Slots that were never used are forgotten when they expire; beyond this many no more are given.
  static constexpr std::size_t kSlotsMax = 10'000;

  // Reads what is there. For an empty `dir` a temporary directory is made, and removed at the end.
  static absl::StatusOr<std::unique_ptr<UploadStore>> Open(std::filesystem::path dir);
  ~UploadStore();
  UploadStore(const UploadStore&) = delete;
  UploadStore& operator=(const UploadStore&) = delete;

  const std::filesystem::path& dir() const { return dir_; }

  // Adds a slot; RESOURCE_EXHAUSTED beyond kSlotsMax.
  absl::StatusOr<UploadSlot> Add(std::string file_name, std::string content_type, WallTime now,
                                 std::chrono::seconds life);
  std::optional<UploadSlot> Find(std::string_view token) const;

  // A Writing is what one request writes. Once it has begun, an older one's no longer counts.
  class Writing {
   public:
    ~Writing();
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;
    // False: the disk is full, or a newer request writes.
    bool Write(std::string_view piece);
    // The file is whole and takes its place. False as above.
    bool Complete(WallTime now);

   private:
    friend class UploadStore;
    Writing(UploadStore& store, std::string token, std::uint64_t turn, int fd)
        : store_(store), token_(std::move(token)), turn_(turn), fd_(fd) {}
    UploadStore& store_;
    const std::string token_;
    const std::uint64_t turn_;
    const int fd_;
  };
  // Begins to write from byte `offset` on: 0 begins anew, anything else must be as much as has been
  // received. Null if it is not, or if the disk does not take it.
  std::unique_ptr<Writing> Begin(std::string_view token, std::uint64_t offset,
                                 std::optional<std::uint64_t> total);

  std::filesystem::path FileOf(std::string_view token) const;

 private:
  struct Entry {
    UploadSlot slot;
    std::uint64_t turn = 0;
  };

  UploadStore(std::filesystem::path dir, bool temporary)
      : dir_(std::move(dir)), temporary_(temporary) {}
  void Load();
  void Save(const UploadSlot& slot) const;
  void ForgetUnused(WallTime now) REQUIRES(mutex_);
  std::filesystem::path PartOf(std::string_view token) const;
  std::filesystem::path NoteOf(std::string_view token) const;

  const std::filesystem::path dir_;
  const bool temporary_;
  mutable Mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_ GUARDED_BY(mutex_);
};

}  // namespace gateway::sandbox
