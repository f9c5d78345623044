#include "app/file_watch.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "obs/log.h"
#include "tenants/api_key.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

}  // namespace

tenants::Sha256 DigestOf(const FileTexts& texts) {
  std::string digests;
  for (const std::string& text : texts) digests += tenants::HexOf(tenants::Sha256Of(text));
  return tenants::Sha256Of(digests);
}

FileWatch::FileWatch(WatchedFiles files, const tenants::Sha256& present, const Clock& clock,
                     Timers& timers)
    : files_(std::move(files)),
      clock_(clock),
      present_(present),
      made_(absl::UnknownError("")),
      next_(timers) {
  Again();
}

void FileWatch::Again() {
  next_.At(clock_.Now() + limits::kSecretLookInterval, [this] {
    Look();
    Again();
  });
}

FileWatch::Found FileWatch::Look() {
  MutexLock lock(mutex_);
  absl::StatusOr<Found> found = LookOnce();
  // One of several files may have been read before all were replaced, and another after it.
  if (!found.ok()) found = LookOnce();
  Note(std::string(found.status().message()));
  if (files_.looked) files_.looked();
  return found.ok() ? *found : Found::kUnusable;
}

absl::StatusOr<FileWatch::Found> FileWatch::LookOnce() {
  const absl::StatusOr<FileTexts> texts = files_.read();
  if (!texts.ok()) return texts.status();
  const tenants::Sha256 digest = DigestOf(*texts);
  if (digest == present_) {
    made_of_.reset();
    return Found::kSame;
  }
  if (made_of_ != digest) {
    made_ = files_.make(*texts);
    made_of_ = digest;
  }
  if (!made_.ok()) return made_.status();
  if (absl::Status used = (*made_)(); !used.ok()) return used;
  present_ = digest;
  made_of_.reset();
  return Found::kReplaced;
}

void FileWatch::Note(const std::string& trouble) {
  kept_ = !trouble.empty();
  if (std::exchange(trouble_, trouble) == trouble) return;
  if (trouble.empty()) {
    return Log(Level::kInfo, absl::StrCat(files_.name, "_readable"), {{"file", files_.file}});
  }
  Log(Level::kError, absl::StrCat(files_.name, "_kept"),
      {{"reason", trouble}, {"advice", files_.advice}});
}

void FileWatches::Add(WatchedFiles files, const tenants::Sha256& present) {
  MutexLock lock(mutex_);
  if (stopped_) return;
  std::string name = files.name;
  watches_.push_back(
      {std::move(name), std::make_unique<FileWatch>(std::move(files), present, clock_, timers_)});
}

const char* FileWatches::Look(const std::string& name, const char* none) {
  std::vector<FileWatch*> asked;
  {
    MutexLock lock(mutex_);
    for (const Watch& one : watches_) {
      if (one.name == name) asked.push_back(one.watch.get());
    }
  }
  if (asked.empty()) return none;
  const char* came = "as before";
  for (FileWatch* const watch : asked) {
    const FileWatch::Found found = watch->Look();
    if (found == FileWatch::Found::kUnusable) came = "unusable, what was read before stays";
    if (found == FileWatch::Found::kReplaced && came == std::string_view("as before")) {
      came = "replaced";
    }
  }
  return came;
}

std::map<std::string, double> FileWatches::Kept() const {
  MutexLock lock(mutex_);
  std::map<std::string, double> kept;
  for (const Watch& one : watches_) {
    double& value = kept[one.watch->file()];
    value = std::max(value, one.watch->kept() ? 1.0 : 0.0);
  }
  return kept;
}

void FileWatches::StopAll() {
  MutexLock lock(mutex_);
  stopped_ = true;
  for (const Watch& one : watches_) one.watch->Stop();
}

}  // namespace gateway::app
