// The Server answers the messages of the Model Context Protocol, however they come: of 2026-07-28,
// whose requests each say who calls, and of the versions before, which begin with a handshake.
// Thread-safe; its calls block while the gateway is asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/mutex.h"
#include "mcp/message.h"
#include "mcp/session.h"
#include "mcp/tool_calls.h"

namespace gateway::mcp {

// What a handshake has said of who is at the other end; of a connection that has none of its own
// it stays as it is.
class Peer {
 public:
  // Whether requests of ours reach it.
  explicit Peer(bool hears_requests) : hears_requests_(hears_requests) {}

  void Shook(bool elicits) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    asks_people_ = elicits && hears_requests_;
  }
  bool asks_people() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return asks_people_;
  }

 private:
  const bool hears_requests_;
  mutable Mutex mutex_;
  bool asks_people_ GUARDED_BY(mutex_) = false;
};

class Server {
 public:
  // `session` must outlive this. `version` is the program's.
  Server(pictory_jobs::Client client, Session& session, std::string version)
      : session_(session), calls_(std::move(client), session), version_(std::move(version)) {}

  // The line to send, which is an answer or, to a peer that hears them, a request of ours; empty if
  // there is nothing to say. To such a peer it may be two lines: a question that is one too many
  // ends the call of the oldest.
  std::string Handle(const Message& message, Peer& peer);

  // Whether a request is one of 2026-07-28, and what is wrong with what it says of itself: the line
  // that refuses it, or empty.
  static bool IsModern(const Message& message);
  static std::string RefuseVersion(const Message& message);

 private:
  std::string HandleModern(const Message& message);
  std::string HandleOlder(const Message& message, Peer& peer);
  std::string HandleTask(const Message& message, const Caller& caller);
  std::string CallTool(const Message& message, const Caller& caller);
  std::string AskByRequest(ToAsk ask, const Message& message);
  std::string HearAnswer(const Message& message);
  std::string Discovered() const;
  std::string Shaken(const Message& message, Peer& peer) const;

  Session& session_;
  const ToolCalls calls_;
  const std::string version_;
};

}  // namespace gateway::mcp
