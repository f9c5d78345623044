// Session is a writing connection: its number among the writers of the store. It is for one thread;
// calls throw Error, and Final.
//
// A transaction notes itself in the writer's row, and the next session begins by reading that row.
// So it finds out a server that lacks what callers were told is done; and it can say of a
// transaction whose COMMIT was cut off whether it was done: it locks the row, which waits for the
// end of the transaction. Its own commit is later than that one, and so on the standby only with
// that one.
//
// The row is written anew by each transaction, which costs more while an old snapshot is open (0.15
// ms were seen). A row for each transaction would cost an entry in an index and its removal always;
// a commit waits for a disk for longer than either.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "jobs/store.h"
#include "postgres/connection.h"
#include "postgres/lease.h"
#include "postgres/told.h"

namespace gateway::postgres {

class Session {
 public:
  // The session before this one: the last of its transactions that callers were told is done, and
  // the one of which it is not known.
  struct Past {
    Told::Mark told;
    std::optional<std::int64_t> doubted;
  };

  // Begins a session on a connection, and ends the gateway's earlier ones. It keeps at least its
  // newest `feed_max` changes in the feed. Throws LacksCommits if this is not the server that has
  // what `past`, if given, was told; what RenewLease does; and Final if the store has become one
  // of another kind.
  Session(std::unique_ptr<Connection> connection, const Identity& identity, std::int64_t feed_max,
          const std::optional<Past>& past);

  Connection& connection() { return *connection_; }
  // Whether the transaction past.doubted was done.
  bool doubted_is_done() const { return doubted_is_done_; }
  // Since when it has been there.
  MonoTime begun() const { return begun_; }
  // Its last transaction, done or not.
  Told::Mark mark() const { return {.gateway = gateway_, .writer = writer_, .batch = batch_}; }

  // The steps of a transaction. Note throws SessionEnded if somebody has ended the session. If
  // Commit throws something that LeavesCommitUnknown, the next
  // session knows what became of mark().batch.
  void Begin();
  void Note(const std::vector<jobs::FeedEntry>& changed);
  void Commit() { connection_->Commit(); }

  // Ends the session, and gives the lease and the shards back.
  void End(const Identity& identity);

 private:
  // Reads what the server has of the session before.
  void Compare(const Past& past);
  void ForgetOld();

  std::unique_ptr<Connection> connection_;
  const std::string gateway_;
  const std::int64_t feed_max_;
  std::int64_t writer_ = 0;
  MonoTime begun_{};
  std::int64_t batch_ = 0;
  bool doubted_is_done_ = false;
  std::int64_t n_ = 0;          // of the last change in the feed
  std::int64_t forgotten_ = 0;  // the feed up to here
};

}  // namespace gateway::postgres
