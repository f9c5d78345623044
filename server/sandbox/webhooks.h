// The calls to the webhooks of jobs that have ended: one POST each, with what Get Job would answer,
// and the caller's `webhookInput` beside it. Failed jobs call too.
//
// What is known of Pictory's calls ends there; so there is no retry and no signature here either.
// Of a long transcript the body holds the beginning. A job that ended while the sandbox was not
// running calls nobody. Only https URLs are called, and plain http ones on loopback.
//
// Everything runs on the server's thread and never blocks it; the sending is done by one more
// thread for each origin. Bounded: calls under way and waiting
// (limits::kSandboxWebhooksWaitingMax), origins (limits::kSandboxWebhookOriginsMax). What is beyond
// that is dropped and counted.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "http/curl_transport.h"
#include "http/server.h"
#include "sandbox/faults.h"
#include "sandbox/job_book.h"

namespace gateway::sandbox {

class Webhooks {
 public:
  Webhooks(const Clock& clock, JobBook& book) : clock_(clock), book_(book) {}

  // Before the server serves; plans the calls of the jobs that are still running. `server` must
  // live until Stop.
  void Start(http::Server& server);
  // After the server has stopped: no call is under way when it returns.
  void Stop() { transports_.clear(); }

  // A job that has a webhook was accepted. `answer` sends the answer to its submit; it is called at
  // once unless the fault says otherwise.
  void Plan(const Job& job, const std::optional<Fault>& fault, std::function<void()> answer);

  // Members of an object under way.
  void WriteStats(JsonOut& out) const;

 private:
  using Done = std::function<void()>;

  void Await(const Job& job, const std::optional<Fault>& fault);
  void OnDue(const std::string& job_id, const std::optional<Fault>& fault);
  // `done`: it was answered, failed or could not be made.
  void Call(const std::string& job_id, std::int64_t times, Done done);
  void CallHeld();
  // Null if the URL cannot be called.
  http::CurlTransport* TransportTo(const std::string& origin);

  const Clock& clock_;
  JobBook& book_;
  http::Server* server_ = nullptr;
  std::map<std::string, std::unique_ptr<http::CurlTransport>> transports_;  // by origin
  std::deque<std::string> held_;  // jobs whose calls go out after the next one
  std::size_t waiting_ = 0;       // calls that have no answer yet
  std::uint64_t called_ = 0, failed_ = 0, lost_ = 0, dropped_ = 0;
};

}  // namespace gateway::sandbox
