// Webhooks makes the webhook calls of jobs that have ended: one POST each, with what Get Job would
// answer, and the caller's `webhookInput` beside it. Failed jobs are told of too.
//
// More is not known of Pictory's webhook calls, so there is no retry and no signature here either.
// Of a long transcript the body holds the beginning. For a job that ended while the sandbox was not
// running no call is made. Only https URLs are called, and plain http ones on loopback.
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

  // Plans the calls of the jobs that are still running. It is called before the server serves;
  // `server` must live until Stop.
  // `origin` is where links in the calls lead.
  void Start(http::Server& server, std::string origin);
  // Is called after the server has stopped; no call is under way when it returns.
  void Stop() { transports_.clear(); }

  // Plans the call of a job that was just accepted and has a webhook. `answer` sends the answer to
  // its submit; it is called at once unless the fault says otherwise.
  void Plan(const Job& job, const std::optional<Fault>& fault, std::function<void()> answer);

  // Writes members into an object that is open.
  void WriteStats(JsonOut& out) const;

 private:
  using Done = std::function<void()>;

  void Await(const Job& job, const std::optional<Fault>& fault);
  void OnDue(const std::string& job_id, const std::optional<Fault>& fault);
  // Makes the call. `done` is called once it was answered, has failed or could not be made.
  void Call(const std::string& job_id, std::int64_t times, Done done);
  void CallHeld();
  // The transport to an origin; null if the URL cannot be called.
  http::CurlTransport* TransportTo(const std::string& origin);

  const Clock& clock_;
  JobBook& book_;
  http::Server* server_ = nullptr;
  std::string origin_;
  std::map<std::string, std::unique_ptr<http::CurlTransport>> transports_;  // by origin
  std::deque<std::string> held_;  // jobs whose calls go out after the next one
  std::size_t waiting_ = 0;       // calls that have no answer yet
  std::uint64_t called_ = 0, failed_ = 0, lost_ = 0, dropped_ = 0;
};

}  // namespace gateway::sandbox
