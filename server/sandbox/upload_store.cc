#include "sandbox/upload_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

#include "sandbox/json.h"

namespace gateway::sandbox {
namespace {

std::string RandomHex(int digits) {
  std::random_device device;
  std::string text;
  while (static_cast<int>(text.size()) < digits) {
    char eight[9];
    std::snprintf(eight, sizeof eight, "%08x", static_cast<unsigned>(device()));
    text += eight;
  }
  text.resize(static_cast<std::size_t>(digits));
  return text;
}

std::int64_t Micros(WallTime time) { return time.time_since_epoch().count(); }
WallTime FromMicros(std::int64_t micros) { return WallTime(std::chrono::microseconds(micros)); }

std::optional<UploadSlot> ParseNote(const std::string& text) {
  std::string error;
  const auto json = ParseJson(text, &error);
  if (json == nullptr || !json->IsObject()) return std::nullopt;
  UploadSlot slot;
  slot.token = FindText(*json, "token");
  slot.signature = FindText(*json, "signature");
  slot.file_name = FindText(*json, "file_name");
  slot.content_type = FindText(*json, "content_type");
  const Value* expires = Find(*json, "expires_us");
  if (slot.token.empty() || slot.signature.empty() || expires == nullptr || !expires->IsInt64()) {
    return std::nullopt;
  }
  slot.expires = FromMicros(expires->GetInt64());
  if (const Value* total = Find(*json, "total"); total != nullptr && total->IsUint64()) {
    slot.total = total->GetUint64();
  }
  if (const Value* stored = Find(*json, "stored_us"); stored != nullptr && stored->IsInt64()) {
    slot.stored_at = FromMicros(stored->GetInt64());
  }
  return slot;
}

}  // namespace

absl::StatusOr<std::unique_ptr<UploadStore>> UploadStore::Open(std::filesystem::path dir) {
  const bool temporary = dir.empty();
  if (temporary) {
    std::string name = (std::filesystem::temp_directory_path() / "pictory-uploads-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      return absl::UnavailableError("the sandbox cannot make a directory such as " + name);
    }
    dir = name;
  }
  std::error_code failed;
  std::filesystem::create_directories(dir, failed);
  if (failed) {
    return absl::UnavailableError("the sandbox cannot use " + dir.string() + ": " +
                                  failed.message());
  }
  std::unique_ptr<UploadStore> store(new UploadStore(std::move(dir), temporary));
  store->Load();
  return store;
}

UploadStore::~UploadStore() {
  std::error_code ignored;
  if (temporary_) std::filesystem::remove_all(dir_, ignored);
}

void UploadStore::Load() {
  MutexLock lock(mutex_);
  std::error_code failed;
  for (const auto& file : std::filesystem::directory_iterator(dir_, failed)) {
    if (file.path().extension() != ".json") continue;
    std::stringstream text;
    text << std::ifstream(file.path(), std::ios::binary).rdbuf();
    std::optional<UploadSlot> slot = ParseNote(text.str());
    if (!slot || file.path() != NoteOf(slot->token)) continue;
    std::error_code none;
    const auto size = std::filesystem::file_size(PartOf(slot->token), none);
    slot->received = none ? 0 : size;
    entries_[slot->token].slot = *slot;
  }
}

void UploadStore::Save(const UploadSlot& slot) const {
  JsonOut out;
  out.Object().Field("token", slot.token).Field("signature", slot.signature);
  out.Field("file_name", slot.file_name).Field("content_type", slot.content_type);
  out.Field("expires_us", Micros(slot.expires));
  if (slot.total) out.Field("total", *slot.total);
  if (slot.stored_at) out.Field("stored_us", Micros(*slot.stored_at));
  const std::string beside = NoteOf(slot.token).string() + ".new";
  std::ofstream(beside, std::ios::binary | std::ios::trunc) << out.EndObject().Take() << "\n";
  std::error_code failed;  // then a restart does not know of it
  std::filesystem::rename(beside, NoteOf(slot.token), failed);
}

void UploadStore::ForgetUnused(WallTime now) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    const UploadSlot& slot = it->second.slot;
    if (slot.stored_at || slot.expires > now) {
      ++it;
      continue;
    }
    std::error_code ignored;
    std::filesystem::remove(PartOf(slot.token), ignored);
    std::filesystem::remove(NoteOf(slot.token), ignored);
    it = entries_.erase(it);
  }
}

absl::StatusOr<UploadSlot> UploadStore::Add(std::string file_name, std::string content_type,
                                            WallTime now, std::chrono::seconds life) {
  UploadSlot slot;
  slot.token = RandomHex(32);
  slot.signature = RandomHex(64);
  slot.file_name = std::move(file_name);
  slot.content_type = std::move(content_type);
  slot.expires = now + life;
  MutexLock lock(mutex_);
  // An expired slot still tells its owner that it has expired, so it goes only where there is no
  // room.
  if (entries_.size() >= kSlotsMax) ForgetUnused(now);
  if (entries_.size() >= kSlotsMax) return absl::ResourceExhaustedError("too many uploads");
  Save(slot);
  entries_[slot.token].slot = slot;
  return slot;
}

std::optional<UploadSlot> UploadStore::Find(std::string_view token) const {
  MutexLock lock(mutex_);
  const auto found = entries_.find(token);
  if (found == entries_.end()) return std::nullopt;
  return found->second.slot;
}

std::unique_ptr<UploadStore::Writing> UploadStore::Begin(std::string_view token,
                                                         std::uint64_t offset,
                                                         std::optional<std::uint64_t> total) {
  MutexLock lock(mutex_);
  const auto found = entries_.find(token);
  if (found == entries_.end()) return nullptr;
  Entry& entry = found->second;
  if (offset != 0 && offset != entry.slot.received) return nullptr;
  const std::filesystem::path part = PartOf(token);
  std::error_code ignored;
  // A new file is begun, so that an older writer, which no longer counts, does not write into this
  // one.
  if (offset == 0) std::filesystem::remove(part, ignored);
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return nullptr;
  entry.slot.received = offset;
  entry.slot.total = total;
  Save(entry.slot);
  return std::unique_ptr<Writing>(new Writing(*this, std::string(token), ++entry.turn, fd));
}

UploadStore::Writing::~Writing() { ::close(fd_); }

bool UploadStore::Writing::Write(std::string_view piece) {
  MutexLock lock(store_.mutex_);
  const auto found = store_.entries_.find(token_);
  if (found == store_.entries_.end() || found->second.turn != turn_) return false;
  while (!piece.empty()) {
    const ssize_t wrote = ::write(fd_, piece.data(), piece.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    piece.remove_prefix(static_cast<std::size_t>(wrote));
    found->second.slot.received += static_cast<std::uint64_t>(wrote);
  }
  return true;
}

bool UploadStore::Writing::Complete(WallTime now) {
  MutexLock lock(store_.mutex_);
  const auto found = store_.entries_.find(token_);
  if (found == store_.entries_.end() || found->second.turn != turn_) return false;
  UploadSlot& slot = found->second.slot;
  std::error_code failed;
  std::filesystem::rename(store_.PartOf(token_), store_.FileOf(token_), failed);
  if (failed) return false;
  slot.received = 0;
  slot.total.reset();
  if (!slot.stored_at) slot.stored_at = now;
  store_.Save(slot);
  return true;
}

std::filesystem::path UploadStore::FileOf(std::string_view token) const {
  return dir_ / (std::string(token) + ".file");
}
std::filesystem::path UploadStore::PartOf(std::string_view token) const {
  return dir_ / (std::string(token) + ".part");
}
std::filesystem::path UploadStore::NoteOf(std::string_view token) const {
  return dir_ / (std::string(token) + ".json");
}

}  // namespace gateway::sandbox
