// Lane is a lane of a store's reads: a thread with a connection, so that reading waits neither for
// a commit nor for another lane. A read whose connection breaks is asked once more on another one;
// while there is none, or if the answer does not come in time, it gets UNAVAILABLE. Callbacks run
// on this thread, in the order of Post. Thread-safe.
//
// A lane reads where the writer writes: with each new session of it the lane connects anew, and
// only to a server that has all that callers were told is stored.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "base/bounded_thread.h"
#include "postgres/connection.h"
#include "postgres/reads.h"
#include "postgres/told.h"

namespace gateway::postgres {

// Connects to a server for reading, until `end`. Throws Error if it is one that lacks what `told`
// says.
std::unique_ptr<Connection> ConnectToRead(const std::string& conninfo, Duration patience,
                                          const Told::Mark& told, const End* end);

class Lane {
 public:
  struct Options {
    std::string conninfo;
    std::size_t queue_max = 0;
    const Told* told = nullptr;  // these two outlive the lane
    const End* end = nullptr;
    std::function<void(const Error&)> on_refused;  // by PostgreSQL, on a connection that lives
  };
  struct Task {
    std::function<void(Reads&)> read;  // may run twice; empty: nothing is to be read
    std::function<void(absl::Status)> done;
  };

  explicit Lane(Options options);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // As BoundedThread.
  void Post(Task task);

  // Makes all tasks from now on get `why`; nothing is read any more.
  void Refuse(absl::Status why) { thread_.Refuse(std::move(why)); }

  // Refuses what has not begun, then ends the thread. Not to be called from a task.
  void Close();

 private:
  absl::Status Read(const Task& task);
  void Connect(const Told::Mark& told);

  const Options options_;
  // The lane's thread only.
  std::unique_ptr<Connection> connection_;
  std::int64_t writer_ = 0;  // whose session there was when it connected
  int failures_ = 0;
  MonoTime next_try_{};

  BoundedThread thread_;  // last: its tasks use the others
};

}  // namespace gateway::postgres
