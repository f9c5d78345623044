#include "sandbox/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/own_file.h"
#include "sandbox/json.h"

namespace gateway::sandbox {
namespace {

std::string Problem(const std::filesystem::path& path, std::string_view what) {
  return "sandbox journal " + path.string() + ": " + std::string(what);
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

bool ParseLine(std::string_view line, JournalEntry* entry) {
  std::string error;
  const auto json = ParseJson(line, &error);
  if (json == nullptr || !json->IsObject()) return false;
  const Value* time = Find(*json, "time_us");
  if (time == nullptr || !time->IsInt64()) return false;
  entry->time = WallTime(std::chrono::microseconds(time->GetInt64()));
  entry->method = FindText(*json, "method");
  entry->path = FindText(*json, "path");
  entry->job_id = FindText(*json, "job_id");
  entry->body = FindText(*json, "body");
  entry->webhook = FindText(*json, "webhook");
  entry->account = FindText(*json, "account");
  return !entry->method.empty() && !entry->job_id.empty() &&
         FindText(*json, "body_hash") == BodyHash(entry->body);
}

// A new file's name is only safe once its directory is on disk too.
void SyncDirectory(const std::filesystem::path& dir) {
  const int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

std::string BodyHash(std::string_view body) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : body) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::string ToJsonLine(const JournalEntry& entry) {
  JsonOut out;
  out.Object().Field("time_us", entry.time.time_since_epoch().count());
  out.Field("method", entry.method).Field("path", entry.path).Field("job_id", entry.job_id);
  out.Field("body_bytes", entry.body.size()).Field("body_hash", BodyHash(entry.body));
  if (!entry.webhook.empty()) out.Field("webhook", entry.webhook);
  if (!entry.account.empty()) out.Field("account", entry.account);
  return out.Field("body", entry.body).EndObject().Take();
}

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const std::filesystem::path& dir) {
  if (dir.empty()) return std::unique_ptr<Journal>(new Journal(-1));
  const std::filesystem::path file = dir / "journal.jsonl";
  std::error_code failed;
  std::filesystem::create_directories(dir, failed);
  if (failed) return absl::UnavailableError(Problem(file, failed.message()));
  if (absl::Status own = CheckOwnDirectory(dir.string()); !own.ok()) return own;
  const absl::StatusOr<int> fd = OpenOwnFile(file.string(), O_RDWR | O_CREAT | O_APPEND);
  if (!fd.ok()) return fd.status();
  std::unique_ptr<Journal> journal(new Journal(*fd));
  if (::flock(*fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(Problem(file, "another sandbox is using it"));
  }
  if (const absl::Status status = journal->Load(file); !status.ok()) return status;
  SyncDirectory(dir);
  return journal;
}

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

absl::Status Journal::Load(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return absl::UnavailableError(Problem(file, "cannot be read"));
  std::stringstream buffer;
  buffer << in.rdbuf();
  const std::string text = std::move(buffer).str();
  std::size_t begin = 0;
  for (int number = 1;; ++number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    JournalEntry entry;
    if (!ParseLine(std::string_view(text).substr(begin, end - begin), &entry)) {
      return absl::DataLossError(Problem(file, "line " + std::to_string(number) + " is damaged"));
    }
    entries_.push_back(std::move(entry));
    begin = end + 1;
  }
  // The torn line is cut and not only skipped, because the next line must not be glued to it.
  if (begin < text.size() && ::ftruncate(fd_, static_cast<off_t>(begin)) != 0) {
    return absl::UnavailableError(Problem(file, std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::Status Journal::Append(JournalEntry entry) {
  if (broken_) return absl::DataLossError("sandbox journal: an earlier write failed");
  if (fd_ >= 0) {
    const std::string line = ToJsonLine(entry) + "\n";
    if (!WriteAll(fd_, line) || ::fdatasync(fd_) != 0) {
      broken_ = true;
      return absl::DataLossError("sandbox journal: " + std::string(std::strerror(errno)));
    }
  }
  entries_.push_back(std::move(entry));
  return absl::OkStatus();
}

}  // namespace gateway::sandbox
