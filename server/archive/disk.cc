#include "archive/disk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "archive/detail.h"
#include "archive/file_names.h"
#include "base/file_error.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/own_file.h"
#include "base/sha256.h"

namespace gateway::archive {
namespace {

namespace fs = std::filesystem;

constexpr char kNoteEnding[] = ".note";
constexpr auto kOneMiB = static_cast<std::int64_t>(limits::kMiB);

class Closer {
 public:
  explicit Closer(int fd) : fd_(fd) {}
  ~Closer() {
    if (fd_ >= 0) close(fd_);
  }
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;
  int operator*() const { return fd_; }

 private:
  const int fd_;
};

// Where the kernel does not tell (ProcSubset=pid hides it) each process is a boot of its own.
std::string BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  if (std::getline(file, id) && !id.empty()) return id;
  return absl::StrCat("process ", getpid(), " of ",
                      std::chrono::system_clock::now().time_since_epoch().count());
}

// None if the file system does not tell.
std::optional<std::int64_t> FreeOn(const std::string& directory) {
  struct statvfs info{};
  if (statvfs(directory.c_str(), &info) != 0 || info.f_blocks == 0) return std::nullopt;
  return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
}

// Makes what a directory lists durable.
absl::Status SyncFolder(const std::string& path) {
  const Closer fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (*fd < 0 || fsync(*fd) != 0) return DiskTrouble(errno, "write", path);
  return absl::OkStatus();
}

// Reads a whole file, whose name is what its bytes make of `planned`.
absl::StatusOr<WholeFile> HashOf(const std::string& path, const std::string& planned,
                                 const std::atomic<bool>& stop) {
  const Closer fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (*fd < 0) {
    return errno == ENOENT ? absl::NotFoundError("There is no such file")
                           : DiskTrouble(errno, "read", path);
  }
  WholeFile file{.name = planned};
  Sha256Stream digest;
  std::string bytes(limits::kArchiveReadBytes, '\0');
  for (;;) {
    if (stop) return absl::CancelledError("The gateway ends");
    const ssize_t count = read(*fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return DiskTrouble(errno, "read", path);
    if (count == 0) break;
    const std::string_view read_now(bytes.data(), static_cast<std::size_t>(count));
    if (file.bytes == 0) file.name = NameByBytes(planned, read_now);
    digest.Append(read_now);
    file.bytes += count;
  }
  file.sha256 = absl::BytesToHexString(digest.Finish());
  return file;
}

std::int64_t SizeOf(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

// Notes are too small to count.
std::int64_t CountedIn(const fs::path& file) {
  return file.extension() == kNoteEnding ? 0 : SizeOf(file);
}

// What the files of a folder count.
std::int64_t BytesIn(const fs::path& folder) {
  std::int64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    bytes += CountedIn(it->path());
  }
  return bytes;
}

// Makes a directory that is this user's alone, unless it is there.
absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return DiskTrouble(errno, "write", path);
}

absl::Status NotADirectory(const std::string& directory, const std::string& why) {
  return absl::FailedPreconditionError(absl::StrCat(
      "--archive-dir: ", directory, " ", why,
      "; make the directory, for the gateway's user alone, on a disk with room for videos"));
}

}  // namespace

std::string FolderName(std::string_view name) {
  std::string folder = PercentEncode(name);
  if (folder.starts_with('.')) folder.replace(0, 1, "%2E");
  return folder;
}

std::string NameOfFolder(std::string_view folder) {
  std::string name;
  for (std::size_t at = 0; at < folder.size(); ++at) {
    unsigned byte = 0;
    const std::string_view hex = folder.substr(at + 1, 2);
    const bool encoded = folder[at] == '%' && hex.size() == 2 &&
                         std::from_chars(hex.begin(), hex.end(), byte, 16).ptr == hex.end();
    name += encoded ? static_cast<char>(byte) : folder[at];
    if (encoded) at += 2;
  }
  return name;
}

Disk::Disk(DiskOptions options) : options_(std::move(options)), boot_(BootId()) {}

Disk::~Disk() {
  if (lock_ >= 0) close(lock_);
}

absl::StatusOr<std::unique_ptr<Disk>> Disk::Open(DiskOptions options) {
  std::unique_ptr<Disk> disk(new Disk(std::move(options)));
  if (absl::Status taken = disk->Take(); !taken.ok()) return taken;
  return disk;
}

absl::Status Disk::CheckDirectory(const std::string& directory) {
  struct stat info{};
  if (stat(directory.c_str(), &info) != 0) {
    return errno == ENOENT ? NotADirectory(directory, "does not exist")
                           : FileError(errno, "look at", directory);
  }
  if (!S_ISDIR(info.st_mode)) return NotADirectory(directory, "is no directory");
  return CheckOwnDirectory(directory);
}

absl::Status Disk::Take() {
  const std::string& directory = options_.directory;
  if (absl::Status fit = CheckDirectory(directory); !fit.ok()) return fit;
  std::error_code unreadable;
  const fs::directory_iterator listed(directory, unreadable);
  if (unreadable) return FileError(unreadable.value(), "read", directory);
  absl::StatusOr<int> lock = OpenOwnFile(directory + "/archive.lock", O_RDWR | O_CREAT);
  if (!lock.ok()) return lock.status();
  lock_ = *lock;
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--archive-dir: another gateway uses ", directory, "; each needs a directory of its own"));
  }
  return absl::OkStatus();
}

// Lists the folders of jobs. What else stands there, such as lost+found, or cannot be read, is left
// out: no job's end depends on it.
void Disk::List() {
  const auto folders = [](const fs::path& path, const auto& visit) {
    std::error_code error;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      const std::string folder = it->path().filename();
      std::string name = NameOfFolder(folder);
      std::error_code unknown;
      if (FolderName(name) == folder && it->is_directory(unknown)) visit(std::move(name));
    }
  };
  std::vector<jobs::JobKey> found;
  folders(options_.directory, [&](const std::string& tenant) {
    folders(absl::StrCat(options_.directory, "/", FolderName(tenant)),
            [&](std::string job) { found.push_back({tenant, std::move(job)}); });
  });
  std::sort(found.begin(), found.end());
  found_ = std::move(found);
  listed_ = true;
}

bool Disk::CountMore() {
  for (int i = 0; i < limits::kArchiveCountAtOnce; ++i) {
    MutexLock lock(counting_);
    if (!listed_) List();
    if (counted_ == found_.size()) return false;
    const jobs::JobKey& job = found_[counted_++];
    const std::int64_t bytes = BytesIn(FolderOf(job));
    MutexLock counts(mutex_);
    used_ += bytes;
    used_by_[job.tenant] += bytes;
  }
  return true;
}

// A folder that was not found has come since, and what is in it was counted as it came.
bool Disk::IsCounted(const jobs::JobKey& job) const {
  const auto at = std::lower_bound(found_.begin(), found_.end(), job);
  if (at == found_.end() || *at != job) return listed_;
  return static_cast<std::size_t>(at - found_.begin()) < counted_;
}

std::vector<jobs::JobKey> Disk::TakeFound() {
  MutexLock lock(counting_);
  counted_ = 0;
  return std::exchange(found_, {});
}

std::int64_t Disk::used_bytes() const {
  MutexLock lock(mutex_);
  return used_;
}

std::map<std::string, std::int64_t> Disk::used_by_tenant() const {
  MutexLock lock(mutex_);
  return used_by_;
}

std::string Disk::FolderOf(const jobs::JobKey& job) const {
  return absl::StrCat(options_.directory, "/", FolderName(job.tenant), "/", FolderName(job.id));
}

absl::Status Disk::CheckBounds(const std::string& tenant, std::int64_t bytes) const {
  if (used_ + bytes > options_.max_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("The archive is full: it may have ",
                                                     options_.max_bytes / kOneMiB,
                                                     " MiB (--archive-max-mib)"));
  }
  const std::int64_t share = options_.share_of ? options_.share_of(tenant) : 0;
  const auto used = used_by_.find(tenant);
  if (share == 0 || (used == used_by_.end() ? 0 : used->second) + bytes <= share) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("The tenant's share of the archive is full: it may have ", share,
                   " bytes (archive_bytes); delete jobs whose files are not needed any more"));
}

absl::Status Disk::CheckRoom(const std::string& tenant, std::int64_t bytes) const {
  {
    MutexLock lock(mutex_);
    if (absl::Status bounds = CheckBounds(tenant, bytes); !bounds.ok()) return bounds;
  }
  const std::optional<std::int64_t> free = FreeOn(options_.directory);
  if (free.has_value() && *free - bytes < options_.min_free_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("There is no room on the archive's disk: ", options_.min_free_bytes / kOneMiB,
                     " MiB of it have to stay free (--archive-min-free-mib)"));
  }
  return absl::OkStatus();
}

absl::Status Disk::Grow(const std::string& tenant, std::int64_t bytes) {
  MutexLock lock(mutex_);
  if (absl::Status bounds = CheckBounds(tenant, bytes); !bounds.ok()) return bounds;
  used_ += bytes;
  used_by_[tenant] += bytes;
  return absl::OkStatus();
}

void Disk::Shrink(const std::string& tenant, std::int64_t bytes) {
  MutexLock lock(mutex_);
  used_ -= bytes;
  used_by_[tenant] -= bytes;
}

absl::StatusOr<WholeFile> Disk::Find(const jobs::JobKey& job, const std::string& planned,
                                     const std::atomic<bool>& stop) const {
  absl::StatusOr<WholeFile> found = absl::NotFoundError("There is no such file");
  for (const std::string& name : NamesOf(planned)) {
    found = HashOf(absl::StrCat(FolderOf(job), "/", name), planned, stop);
    if (!absl::IsNotFound(found.status())) break;
  }
  return found;
}

absl::StatusOr<jobs::PartChunk> Disk::Read(const jobs::JobKey& job, const std::string& name,
                                           std::int64_t offset, std::int64_t max_bytes) const {
  const std::string path = absl::StrCat(FolderOf(job), "/", name);
  const Closer fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info{};
  if (*fd < 0 && errno == ENOENT) return absl::NotFoundError("The file is not there any more");
  if (*fd < 0 || fstat(*fd, &info) != 0) return DiskTrouble(errno, "read", path);
  jobs::PartChunk chunk{.data = {}, .total_bytes = info.st_size};
  const std::int64_t left = std::max<std::int64_t>(0, chunk.total_bytes - offset);
  chunk.data.resize(static_cast<std::size_t>(std::min(left, max_bytes)));
  std::size_t got = 0;
  while (got < chunk.data.size()) {
    const ssize_t count = pread(*fd, chunk.data.data() + got, chunk.data.size() - got,
                                offset + static_cast<std::int64_t>(got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return DiskTrouble(errno, "read", path);
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  chunk.data.resize(got);
  return chunk;
}

absl::Status Disk::Remove(const jobs::JobKey& job) {
  const fs::path folder = FolderOf(job);
  MutexLock lock(counting_);
  if (!listed_) List();
  const std::int64_t bytes = BytesIn(folder);
  std::error_code error;
  const bool was_there = fs::remove_all(folder, error) > 0;
  if (error) return DiskTrouble(error.value(), "remove from", folder);
  if (!was_there) return absl::OkStatus();
  if (IsCounted(job)) Shrink(job.tenant, bytes);
  return SyncFolder(folder.parent_path());
}

absl::Status Disk::Move(const jobs::JobKey& from, const jobs::JobKey& to) {
  const fs::path source = FolderOf(from);
  const fs::path target = FolderOf(to);
  MutexLock lock(counting_);
  if (rename(source.c_str(), target.c_str()) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    if (errno != ENOTEMPTY && errno != EEXIST) return DiskTrouble(errno, "rename in", source);
    // Something stands under the other name already.
    std::error_code error;
    for (fs::directory_iterator it(source, error), end; !error && it != end; it.increment(error)) {
      const fs::path file = target / it->path().filename();
      const std::int64_t replaced = CountedIn(file);
      if (rename(it->path().c_str(), file.c_str()) != 0)
        return DiskTrouble(errno, "rename in", file);
      Shrink(to.tenant, replaced);
    }
    if (!error) fs::remove(source, error);
    if (error) return DiskTrouble(error.value(), "rename in", source);
    if (absl::Status synced = SyncFolder(target); !synced.ok()) return synced;
  }
  return SyncFolder(target.parent_path());
}

absl::StatusOr<std::unique_ptr<Disk::Part>> Disk::OpenPart(const jobs::JobKey& job,
                                                           const std::string& name) {
  std::unique_ptr<Part> part(new Part(*this, job, name));
  if (absl::Status opened = part->Open(); !opened.ok()) return opened;
  return part;
}

Disk::Part::Part(Disk& disk, const jobs::JobKey& job, std::string name)
    : disk_(disk),
      tenant_(job.tenant),
      folder_(disk.FolderOf(job)),
      name_(std::move(name)),
      path_(absl::StrCat(folder_, "/.", name_, ".part")),
      note_(absl::StrCat(folder_, "/.", name_, kNoteEnding)) {}

Disk::Part::~Part() {
  if (fd_ >= 0) close(fd_);
}

absl::Status Disk::Part::Open() {
  for (const std::string& folder : {fs::path(folder_).parent_path().string(), folder_}) {
    if (absl::Status made = MakeFolder(folder); !made.ok()) return made;
  }
  absl::StatusOr<int> fd = OpenOwnFile(path_, O_RDWR | O_CREAT | O_APPEND);
  if (!fd.ok()) return DiskTrouble(fd.status());
  fd_ = *fd;
  had_ = SizeOf(path_);
  ReadNote();
  return absl::OkStatus();
}

// Without a note that counts nothing is known of the bytes.
void Disk::Part::ReadNote() {
  std::ifstream file(note_);
  std::string boot;
  std::string total;
  std::string validator;
  const bool read = std::getline(file, boot) && std::getline(file, total) &&
                    std::getline(file, validator) && absl::SimpleAtoi(total, &total_) &&
                    !boot.empty() && boot == disk_.boot_;
  if (!read) total_ = -1;
  validator_ = read ? validator : "";
  const bool known = !validator_.empty() || total_ >= 0;
  if (had_ == 0 || (known && (total_ < 0 || had_ <= total_))) return;
  if (ftruncate(fd_, 0) != 0) return;  // Restart says so
  disk_.Shrink(tenant_, std::exchange(had_, 0));
}

absl::Status Disk::Part::WriteNote() const {
  const std::string text = absl::StrCat(disk_.boot_, "\n", total_, "\n", validator_, "\n");
  const absl::StatusOr<int> created = CreateOwnFile(note_);
  if (!created.ok()) return DiskTrouble(created.status());
  const Closer fd(*created);
  const ssize_t written = write(*fd, text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size())) return absl::OkStatus();
  return DiskTrouble(written < 0 ? errno : ENOSPC, "write", note_);
}

absl::Status Disk::Part::Restart(const std::string& validator, std::int64_t total) {
  if (ftruncate(fd_, 0) != 0) return DiskTrouble(errno, "write", path_);
  disk_.Shrink(tenant_, std::exchange(had_, 0));
  looked_at_ = 0;
  const bool fits =
      validator.size() <= limits::kArchiveNoteMaxBytes && validator.find('\n') == std::string::npos;
  validator_ = fits ? validator : "";
  total_ = total;
  return WriteNote();
}

absl::Status Disk::Part::Append(std::string_view bytes) {
  if (had_ - looked_at_ >= limits::kArchiveRoomStepBytes) {
    looked_at_ = had_;
    if (absl::Status room = disk_.CheckRoom(tenant_, 0); !room.ok()) return room;
  }
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (absl::Status grown = disk_.Grow(tenant_, size); !grown.ok()) return grown;
  std::int64_t written = 0;
  while (written < size) {
    const ssize_t count =
        write(fd_, bytes.data() + written, static_cast<std::size_t>(size - written));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      disk_.Shrink(tenant_, size - written);
      had_ += written;
      return DiskTrouble(error, "write", path_);
    }
    written += count;
  }
  had_ += size;
  return absl::OkStatus();
}

absl::StatusOr<WholeFile> Disk::Part::Complete(const std::atomic<bool>& stop) {
  if (total_ >= 0 && had_ != total_) {
    return absl::DataLossError(
        absl::StrCat("The file has ", had_, " bytes, and ", total_, " were told"));
  }
  if (fsync(fd_) != 0) return DiskTrouble(errno, "write", path_);
  absl::StatusOr<WholeFile> file = HashOf(path_, name_, stop);
  if (!file.ok()) return file;
  if (file->bytes != had_) return absl::DataLossError("The file on the disk has another length");
  if (rename(path_.c_str(), absl::StrCat(folder_, "/", file->name).c_str()) != 0) {
    return DiskTrouble(errno, "rename in", path_);
  }
  unlink(note_.c_str());
  // The folder, and those above it that may be new.
  for (const std::string& made :
       {folder_, fs::path(folder_).parent_path().string(), disk_.options_.directory}) {
    if (absl::Status synced = SyncFolder(made); !synced.ok()) return synced;
  }
  return file;
}

void Disk::Part::Forget() {
  unlink(note_.c_str());
  if (ftruncate(fd_, 0) == 0) disk_.Shrink(tenant_, std::exchange(had_, 0));
  unlink(path_.c_str());
  total_ = -1;
  validator_.clear();
}

}  // namespace gateway::archive
