#include "contract/spent_book.h"

#include <fstream>
#include <sstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/file_error.h"
#include "base/own_file.h"

namespace gateway::contract {
namespace {

constexpr char kNoAnswer[] = "-";  // in the place of an id; no id of Pictory's is that

}  // namespace

absl::StatusOr<SpentBook> SpentBook::Open(std::filesystem::path file, std::string service) {
  const std::filesystem::path folder = file.parent_path();
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return FileError(failed.value(), "create", folder.string());
  if (absl::Status own = CheckOwnDirectory(folder.string()); !own.ok()) return own;
  SpentBook book(std::move(file), std::move(service));
  // Two runs at once would each pay for what the other has not noted yet.
  absl::StatusOr<OwnLock> lock = OwnLock::TryTake(book.file_.string() + ".lock");
  if (absl::IsAborted(lock.status())) {
    return absl::FailedPreconditionError("another run is spending at the moment; wait for its end");
  }
  if (!lock.ok()) return lock.status();
  book.lock_ = *std::move(lock);
  if (absl::Status read = book.Read(); !read.ok()) return read;
  return book;
}

// The file has the service on its first line, then a kind and its job on each.
absl::Status SpentBook::Read() {
  if (absl::Status own = CheckOwnFile(file_.string()); !own.ok()) return own;
  std::ifstream file(file_);
  std::string service;
  if (!std::getline(file, service)) return absl::OkStatus();
  if (service != service_) {
    return absl::FailedPreconditionError(
        absl::StrCat(file_.string(),
                     " tells of jobs that were paid for at another --base-url; run "
                     "that one again, or remove the file"));
  }
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind;
    std::string id;
    if (!(words >> kind >> id)) {
      return absl::FailedPreconditionError(
          absl::StrCat(file_.string(),
                       " is broken; it should tell what was paid for. Look at the "
                       "account, then remove it"));
    }
    left_[kind] = id == kNoAnswer ? "" : id;
  }
  return absl::OkStatus();
}

std::optional<std::string> SpentBook::Left(const std::string& kind) const {
  const auto found = left_.find(kind);
  if (found == left_.end()) return std::nullopt;
  return found->second;
}

absl::Status SpentBook::Write() {
  std::string text = service_ + "\n";
  for (const auto& [kind, id] : left_) {
    absl::StrAppend(&text, kind, " ", id.empty() ? kNoAnswer : id.c_str(), "\n");
  }
  return ReplaceOwnFile(file_.string(), text);
}

absl::Status SpentBook::Sending(const std::string& kind) { return Made(kind, ""); }

absl::Status SpentBook::Made(const std::string& kind, const std::string& job_id) {
  left_[kind] = job_id;
  return Write();
}

absl::Status SpentBook::Refused(const std::string& kind) {
  left_.erase(kind);
  return Write();
}

void SpentBook::Close() {
  for (const auto& [kind, id] : left_) {
    if (!ended_.contains(kind)) return;
  }
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

}  // namespace gateway::contract
