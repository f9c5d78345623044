// A FileWatch looks at files again and again, so that what they say changes without a restart.
//
// A look reads the files and compares what they say, so that it does not matter how they were
// replaced: written over, renamed, or by a link to another directory, as Kubernetes does. Looks are
// taken every few seconds on the thread of the timers, and whenever somebody asks. Files that
// cannot be used change nothing, and the log says so once. What they say is made something of only
// if it is not what it was at the last look.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "tenants/tenants.h"

namespace gateway::app {

// What each of the files says, whole.
using FileTexts = std::vector<std::string>;
tenants::Sha256 DigestOf(const FileTexts& texts);

struct WatchedFiles {
  std::string name;    // lines of the log begin with it: `secret`, `tls`, `tenants`
  std::string file;    // the one that the log names
  std::string advice;  // for who reads that they cannot be used
  // Reads them all; an error says what cannot be read.
  std::function<absl::StatusOr<FileTexts>()> read;
  // Puts to use what was made of them. Where that is refused it is tried again at each look.
  using Use = std::function<absl::Status()>;
  // Makes something of what they say, or says what is wrong with it.
  std::function<absl::StatusOr<Use>(const FileTexts& texts)> make;
  // Called at the end of each look, whatever was found; may be empty.
  std::function<void()> looked{};
};

class FileWatch {
 public:
  // `present` is the digest of what the files said when they were put to use. No function of
  // `files` may call the watch. What is passed in must outlive it.
  FileWatch(WatchedFiles files, const tenants::Sha256& present, const Clock& clock, Timers& timers);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  enum class Found { kSame, kReplaced, kUnusable };
  // Looks at the files now. What is found is logged if it is news.
  Found Look();

  // Whether the files could not be used at the last look, so that what they said before counts.
  // Waits for no look.
  bool kept() const { return kept_; }
  const std::string& file() const { return files_.file; }

  // After it the watch looks no more by itself.
  void Stop() { next_.Stop(); }

 private:
  void Again();
  absl::StatusOr<Found> LookOnce() REQUIRES(mutex_);
  void Note(const std::string& trouble) REQUIRES(mutex_);

  const WatchedFiles files_;
  const Clock& clock_;
  // Held while something is put to use, so that of two looks the later one wins.
  Mutex mutex_;
  tenants::Sha256 present_ GUARDED_BY(mutex_);  // of what is in use
  // What was made of what the files said at the last look, if that was something else.
  std::optional<tenants::Sha256> made_of_ GUARDED_BY(mutex_);
  absl::StatusOr<WatchedFiles::Use> made_ GUARDED_BY(mutex_);
  std::string trouble_ GUARDED_BY(mutex_);  // why the files cannot be used; empty: they can
  std::atomic<bool> kept_{false};
  NextCall next_;
};

// The watches of a gateway. Thread-safe.
class FileWatches {
 public:
  FileWatches(const Clock& clock, Timers& timers) : clock_(clock), timers_(timers) {}

  // After StopAll nothing is watched.
  void Add(WatchedFiles files, const tenants::Sha256& present);
  // Lets those of one name look, and says what came of it, for the log; of several, what matters
  // most. `none`: there are none.
  const char* Look(const std::string& name, const char* none);
  // Which files could not be used at their last look, for metrics: 1; of all others, 0.
  std::map<std::string, double> Kept() const;
  // No watch looks by itself any more.
  void StopAll();

 private:
  struct Watch {
    std::string name;
    std::unique_ptr<FileWatch> watch;
  };

  const Clock& clock_;
  Timers& timers_;
  mutable Mutex mutex_;
  std::vector<Watch> watches_ GUARDED_BY(mutex_);  // they stay
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::app
