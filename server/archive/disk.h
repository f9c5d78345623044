// A Disk is the directory in which files of results are kept: DIR/tenant/job_id/name.
//
// A file that is under way has the name .name.part, and beside it a note (.name.note) that says of
// which version it is the beginning. It becomes the file itself by renaming, once it is whole and
// on the disk; so what has a file's name is whole, whenever the process ended. What was written
// before a power cut is not believed, because nobody knows what of it the disk has: a note counts
// for as long as the machine has not been started anew.
//
// What it holds is counted in the background, because that takes as long as there are files: until
// then nothing may be added.
//
// Errors: RESOURCE_EXHAUSTED, if a bound or the disk is full; of Open those of base/file_error.h;
// else mostly INTERNAL. But for those of Open they have a detail (archive/detail.h). Thread-safe,
// but of one file there must be one Part at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "jobs/job_key.h"
#include "jobs/store.h"

namespace gateway::archive {

struct DiskOptions {
  std::string directory;
  std::int64_t max_bytes = 0;       // of all that it holds
  std::int64_t min_free_bytes = 0;  // that the file system keeps for others
  // What a tenant's files may have together; 0 is no bound of its own. May be empty: nobody has
  // one.
  std::function<std::int64_t(const std::string& tenant)> share_of{};
};

// A file that is whole.
struct WholeFile {
  std::string name;  // see archive/file_names.h
  std::int64_t bytes = 0;
  std::string sha256;  // hex
};

class Disk {
 public:
  class Part;

  // Whether the directory is there and is this user's own. FAILED_PRECONDITION says what to do, and
  // that nothing but an operator changes it; any other error may pass.
  static absl::Status CheckDirectory(const std::string& directory);
  // Opens such a directory, and takes the lock in it. FAILED_PRECONDITION and others say what to
  // do.
  static absl::StatusOr<std::unique_ptr<Disk>> Open(DiskOptions options);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // Counts a little more of what it holds. Returns whether there is more to count.
  bool CountMore();

  // The file that was planned under this name, if it is whole already; NOT_FOUND if not. Reads all
  // of it; CANCELLED once `stop`.
  absl::StatusOr<WholeFile> Find(const jobs::JobKey& job, const std::string& planned,
                                 const std::atomic<bool>& stop) const;
  // Opens the part of a file, or begins one.
  absl::StatusOr<std::unique_ptr<Part>> OpenPart(const jobs::JobKey& job, const std::string& name);
  // Reads bytes of a whole file; NOT_FOUND if it is not there.
  absl::StatusOr<jobs::PartChunk> Read(const jobs::JobKey& job, const std::string& name,
                                       std::int64_t offset, std::int64_t max_bytes) const;
  // Removes all of a job. OK if there is nothing.
  absl::Status Remove(const jobs::JobKey& job);
  // Brings all that stands under the name `from` under that of `to`, a job of the same tenant. OK
  // if there is nothing, or nothing any more. Nobody may have a Part of either meanwhile.
  absl::Status Move(const jobs::JobKey& from, const jobs::JobKey& to);

  // Whether another `bytes` of this tenant have room, as far as can be told beforehand. The words
  // are the same each time.
  absl::Status CheckRoom(const std::string& tenant, std::int64_t bytes) const;
  // The jobs that had a folder when it was counted; they are given once.
  std::vector<jobs::JobKey> TakeFound();
  std::int64_t used_bytes() const;
  std::map<std::string, std::int64_t> used_by_tenant() const;

 private:
  explicit Disk(DiskOptions options);
  absl::Status Take();
  void List() REQUIRES(counting_);
  bool IsCounted(const jobs::JobKey& job) const REQUIRES(counting_);
  std::string FolderOf(const jobs::JobKey& job) const;
  absl::Status CheckBounds(const std::string& tenant, std::int64_t bytes) const REQUIRES(mutex_);
  // Counts bytes before they are written.
  absl::Status Grow(const std::string& tenant, std::int64_t bytes);
  void Shrink(const std::string& tenant, std::int64_t bytes);

  const DiskOptions options_;
  std::string boot_;  // names the time since the machine was started
  int lock_ = -1;
  // Held while a folder is counted or removed, so that none is both.
  mutable Mutex counting_;
  bool listed_ GUARDED_BY(counting_) = false;
  std::vector<jobs::JobKey> found_ GUARDED_BY(counting_);  // sorted
  std::size_t counted_ GUARDED_BY(counting_) = 0;          // of those
  mutable Mutex mutex_;
  std::int64_t used_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::int64_t> used_by_ GUARDED_BY(mutex_);  // by tenant
};

class Disk::Part {
 public:
  ~Part();
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  // What there is of an earlier attempt.
  std::int64_t had() const { return had_; }
  std::int64_t total() const { return total_; }                // of the whole file; -1: not known
  const std::string& validator() const { return validator_; }  // empty: the server names none

  // Begins anew with the first byte, of this version.
  absl::Status Restart(const std::string& validator, std::int64_t total);
  absl::Status Append(std::string_view bytes);
  // Makes a file of the part, which has all of its bytes: on the disk, hashed as it stands there,
  // then renamed to what its bytes make of its planned name. DATA_LOSS if it has another length
  // than was told. CANCELLED once `stop`.
  absl::StatusOr<WholeFile> Complete(const std::atomic<bool>& stop);
  // Removes it: it is not what was thought.
  void Forget();

 private:
  friend class Disk;
  Part(Disk& disk, const jobs::JobKey& job, std::string name);
  absl::Status Open();
  void ReadNote();
  absl::Status WriteNote() const;

  Disk& disk_;
  const std::string tenant_;
  const std::string folder_;
  const std::string name_;
  const std::string path_;
  const std::string note_;
  int fd_ = -1;
  std::int64_t had_ = 0;
  std::int64_t total_ = -1;
  std::string validator_;
  std::int64_t looked_at_ = 0;  // how much was written when the disk was looked at last
};

// How a tenant or a job is called in a path: as it is, but for what a path takes otherwise; and
// what is called so. Pure.
std::string FolderName(std::string_view name);
std::string NameOfFolder(std::string_view folder);

}  // namespace gateway::archive
