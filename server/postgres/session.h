// Session is a writing connection: its number among the writers of the store, and the gateway's
// lease on the store. It is for one thread; calls throw Error, and TakenOver.
//
// A transaction notes itself in the writer's row. So the next session can say of one whose COMMIT
// was cut off whether it was done: it locks that row, which waits for the end of the transaction.
// Its own commit is later than that one, and so on the standby only with that one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "jobs/store.h"
#include "postgres/connection.h"

namespace gateway::postgres {

// The gateway that uses a store.
struct Identity {
  std::string gateway;  // the same at each start, of one process at a time
  std::string address;  // where it runs, for people
  std::int64_t epoch = 0;
  bool alone = true;  // no other gateway may use the store
};

// Takes the lease on the store, and sets `identity.epoch`. FAILED_PRECONDITION, naming the other
// gateway, if that has it.
absl::Status TakeLease(Connection& connection, Identity& identity);

class Session {
 public:
  // The last transaction of an earlier session.
  struct Doubt {
    std::int64_t writer = 0;
    std::int64_t batch = 0;
  };

  // Begins a session on a connection, and ends the gateway's earlier ones. It keeps at least its
  // newest `feed_max` changes in the feed. Of `doubt`, if given,
  // sets `committed`.
  Session(std::unique_ptr<Connection> connection, const Identity& identity, std::int64_t feed_max,
          const std::optional<Doubt>& doubt, bool& committed);

  Connection& connection() { return *connection_; }
  std::int64_t writer() const { return writer_; }

  // The steps of a transaction. After Commit was called and has thrown something of which
  // Error::LeavesCommitUnknown, or has returned false, `doubt` is what to ask the next session.
  void Begin();
  void Note(const std::vector<jobs::FeedEntry>& changed);
  bool Commit();
  Doubt doubt() const { return {.writer = writer_, .batch = batch_}; }

  // Renews the lease, as a transaction of its own.
  void Renew(const Identity& identity);
  // Gives the lease back.
  void End(const Identity& identity);

 private:
  void ForgetOld();

  std::unique_ptr<Connection> connection_;
  const std::int64_t feed_max_;
  std::int64_t writer_ = 0;
  std::int64_t batch_ = 0;
  std::int64_t n_ = 0;          // of the last change in the feed
  std::int64_t forgotten_ = 0;  // the feed up to here
};

}  // namespace gateway::postgres
