#include "app/observe.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "base/errors.h"
#include "base/limits.h"
#include "obs/log.h"
#include "tenants/caller_key.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

std::string OutcomeName(const pictory::SubmitReply& reply) {
  using Outcome = pictory::SubmitReply::Outcome;
  if (reply.token_refused) return "token_refused";
  switch (reply.outcome) {
    case Outcome::kAccepted:
      return "accepted";
    case Outcome::kRefused:
      return "refused";
    case Outcome::kNotSent:
      return "not_sent";
    case Outcome::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::string ReplyName(pictory::JobReply::Kind kind) {
  using Kind = pictory::JobReply::Kind;
  switch (kind) {
    case Kind::kRunning:
      return "running";
    case Kind::kSucceeded:
      return "succeeded";
    case Kind::kIncomplete:
      return "incomplete";
    case Kind::kFailed:
      return "failed";
    case Kind::kCleaned:
      return "cleaned";
    case Kind::kNotFound:
      return "not_found";
    case Kind::kUnclear:
      return "unclear";
    case Kind::kUnchanged:
      return "unchanged";
    case Kind::kTooLarge:
      return "too_large";
    case Kind::kLarge:
      return "large";
    case Kind::kRateLimited:
      return "rate_limited";
    case Kind::kCredentials:
      return "credentials";
    case Kind::kUnreadable:
      return "unreadable";
    case Kind::kUnavailable:
      return "unavailable";
  }
  return "unavailable";
}

// Writes a line with the id of the trace, if there is one.
void LogTraced(Level level, std::string_view event, std::string_view trace_id,
               std::initializer_list<obs::Field> fields) {
  if (trace_id.empty()) return Log(level, event, fields);
  std::vector<obs::Field> traced(fields);
  traced.emplace_back("trace_id", trace_id);
  Log(level, event, traced);
}

void LogForeign(const jobs::JobRecord& record, const std::string& pictory_job_id,
                const char* what) {
  LogTraced(
      Level::kError, "foreign_job", TraceIdOf(record.job.trace),
      {{"job_id", record.job.job_id},
       {"pictory_job_id", pictory_job_id},
       {"advice", std::string(what) + " a Pictory job that another job here owns; look into it."}});
}

}  // namespace

jobs::PollEvents PollEvents(obs::Metrics& metrics) {
  jobs::PollEvents events;
  events.replied = [&metrics](const jobs::Snapshot& job, const pictory::JobReply& reply) {
    metrics.CountPoll(ReplyName(reply.kind));
    LogTraced(
        Level::kDebug, "polled", job.trace_id,
        {{"job_id", job.job_id()}, {"said", ReplyName(reply.kind)}, {"detail", reply.detail}});
  };
  events.contradicted = [&metrics](const jobs::JobRecord& record, const pictory::JobReply& reply) {
    metrics.CountContradiction();
    LogTraced(Level::kWarn, "contradicted", TraceIdOf(record.job.trace),
              {{"job_id", record.job.job_id},
               {"state", jobs::StateName(record.job.state)},
               {"said", ReplyName(reply.kind)}});
  };
  events.too_large = [](const jobs::JobRecord& record) {
    LogTraced(Level::kWarn, "result_too_large", TraceIdOf(record.job.trace),
              {{"job_id", record.job.job_id},
               {"pictory_job_id", record.job.pictory_job_id},
               {"advice", record.job.message}});
  };
  return events;
}

jobs::SubmitEvents SubmitEvents(obs::Metrics& metrics, Tracing* tracing) {
  jobs::SubmitEvents events;
  events.replied = [&metrics, tracing](const jobs::JobRecord& record,
                                       const pictory::SubmitReply& reply) {
    metrics.CountSubmit(jobs::KindName(record.job.kind), OutcomeName(reply));
    if (tracing != nullptr) tracing->SubmitReplied(record, OutcomeName(reply));
    const bool doubt = reply.outcome == pictory::SubmitReply::Outcome::kUnknown;
    LogTraced(doubt ? Level::kWarn : Level::kInfo, "submitted", TraceIdOf(record.job.trace),
              {{"job_id", record.job.job_id},
               {"kind", jobs::KindName(record.job.kind)},
               {"outcome", OutcomeName(reply)},
               {"pictory_job_id", reply.pictory_job_id},
               {"detail", reply.detail}});
  };
  events.foreign = [](const jobs::JobRecord& record, const std::string& pictory_job_id) {
    LogForeign(record, pictory_job_id, "Pictory answered a submit with");
  };
  events.repeated = [&metrics](jobs::AnswerRule rule, const jobs::SubmitRequest& request) {
    metrics.CountRepeated(jobs::RuleName(rule));
    LogTraced(Level::kInfo, "repeated_submit", request.trace.trace_id,
              {{"request_id", request.request_id}, {"rule", jobs::RuleName(rule)}});
  };
  events.request_id_repeated = [&metrics] { metrics.CountRepeated("request_id"); };
  return events;
}

jobs::ResolveEvents ResolveEvents(obs::Metrics& metrics) {
  jobs::ResolveEvents events;
  events.webhook_called = [&metrics](bool known, bool unconfirmed) {
    metrics.CountWebhookCall(unconfirmed ? "in_doubt" : known ? "known" : "unknown");
  };
  events.resolved = [](const jobs::JobRecord& record, std::string_view by) {
    LogTraced(Level::kInfo, "resolved", TraceIdOf(record.job.trace),
              {{"job_id", record.job.job_id},
               {"by", std::string(by)},
               {"pictory_job_id", record.job.pictory_job_id}});
  };
  events.foreign = [](const jobs::JobRecord& record, const std::string& pictory_job_id) {
    LogForeign(record, pictory_job_id, "A callback named");
  };
  return events;
}

admin::WebhookEvents WebhookEventsOf(
    obs::Metrics& metrics,
    std::function<void(const std::string&, std::vector<std::string>, admin::WebhookEvents::Done)>
        webhook_called) {
  admin::WebhookEvents events;
  // The token stays out of the log: with the MAC it would be half of what lets one in.
  events.webhook_called = [webhook_called = std::move(webhook_called)](
                              const std::string& token, std::vector<std::string> pictory_job_ids,
                              admin::WebhookEvents::Done done) {
    Log(Level::kDebug, "webhook_called",
        {{"pictory_job_id", absl::StrJoin(pictory_job_ids, ", ")}});
    webhook_called(token, std::move(pictory_job_ids), std::move(done));
  };
  events.dropped = [&metrics](std::string_view why) {
    metrics.CountWebhookCall(std::string(why));
    Log(Level::kDebug, "callback_dropped", {{"why", why}});
  };
  return events;
}

std::function<void(const absl::Status&, Duration)> TokenFetched(obs::Metrics& metrics) {
  return [&metrics](const absl::Status& fetched, Duration life) {
    metrics.CountTokenFetch(fetched.ok() ? "ok" : "failed");
    if (fetched.ok()) {
      Log(Level::kInfo, "access_token",
          {{"life_seconds", std::chrono::duration<double>(life).count()}});
    } else {
      Log(Level::kError, "access_token_failed", {{"reason", std::string(fetched.message())}});
    }
  };
}

jobs::UpstreamsEvents UpstreamsEvents() {
  jobs::UpstreamsEvents events;
  events.degraded_changed = [](const std::string& account, bool degraded) {
    Log(degraded ? Level::kWarn : Level::kInfo, degraded ? "upstream_degraded" : "upstream_back",
        {{"account", account}});
  };
  events.rests = [](const std::string& account, const absl::Status& why) {
    if (why.ok()) return Log(Level::kInfo, "upstream_answers", {{"account", account}});
    if (errors::Reason(why) == errors::kUpstreamCredentials) {
      if (tenants::IsAccountOfKey(account)) {
        return Log(Level::kInfo, "caller_key_refused",
                   {{"account", account},
                    {"reason", std::string(why.message())},
                    {"note", "its caller is told so; the accounts of others go on"}});
      }
      return Log(Level::kError, "upstream_credentials",
                 {{"account", account},
                  {"reason", std::string(why.message())},
                  {"advice",
                   "put valid ones in place: a file is read again when it changes, a variable only "
                   "at a start. Until then submits are refused, and no job is changed"}});
    }
    Log(Level::kWarn, "upstream_rests",
        {{"account", account},
         {"advice",
          "Pictory answers nothing; it is asked every few seconds, and submits are refused "
          "until it answers"}});
  };
  return events;
}

void TellWaiting(const std::vector<jobs::Unfinished>& unfinished) {
  std::set<std::string> accounts;
  std::int64_t waiting = 0;
  for (const jobs::Unfinished& some : unfinished) {
    if (!tenants::IsAccountOfKey(some.account)) continue;
    accounts.insert(some.account);
    waiting += static_cast<std::int64_t>(some.jobs);
  }
  if (accounts.empty()) return;
  Log(Level::kWarn, "jobs_wait_for_keys",
      {{"jobs", waiting},
       {"accounts", static_cast<std::int64_t>(accounts.size())},
       {"note",
        "callers pay for them with Pictory keys of their own, which are not kept; each goes on "
        "once its caller has shown the key again, with any call"}});
}

void TellSharedAccounts(const tenants::Tenants& document) {
  std::map<std::string, std::vector<std::string>> sharing;  // by account
  for (const auto& [name, tenant] : document.tenants) {
    if (!tenant.callers_pay) sharing[tenant.account].push_back(name);
  }
  for (const auto& [account, tenants] : sharing) {
    std::vector<std::string> without;
    for (const std::string& name : tenants) {
      if (!document.tenants.at(name).roles.Has(tenants::Role::kOperate)) without.push_back(name);
    }
    if (tenants.size() < 2 || without.empty()) continue;
    Log(Level::kInfo, "account_shared",
        {{"account", account},
         {"tenants", absl::StrJoin(without, ", ")},
         {"note",
          "they share the account, so they resolve and delete no jobs unless their roles name "
          "operate: who resolves sees what others have made with the account"}});
  }
}

void LogOperated(const rpc::Operated& operated) {
  LogTraced(Level::kInfo, "audit", operated.trace_id,
            {{"method", operated.method},
             {"tenant", operated.tenant},
             {"caller", operated.caller},
             {"peer", operated.peer},
             {"job_id", errors::Clean(operated.job)},
             {"what", errors::Clean(operated.what)},
             {"state_before", operated.before},
             {"state_after", operated.after},
             {"outcome", absl::StatusCodeToString(operated.status.code())},
             {"reason", errors::Reason(operated.status)}});
}

std::function<void(const jobs::Job&)> JobEnded(obs::Metrics& metrics) {
  return [&metrics](const jobs::Job& job) {
    const std::string kind = jobs::KindName(job.kind);
    const std::string state = jobs::StateName(job.state);
    const WallTime ended = job.finish_time.value_or(job.update_time);
    const double seconds = std::chrono::duration<double>(ended - job.create_time).count();
    metrics.CountFinished(kind, state, job.error_code, seconds);
    std::vector<obs::Field> fields = {{"job_id", job.job_id},
                                      {"pictory_job_id", job.pictory_job_id},
                                      {"request_id", job.request_id},
                                      {"kind", kind},
                                      {"state", state},
                                      {"seconds", seconds}};
    if (!job.error_code.empty()) fields.emplace_back("code", job.error_code);
    if (!job.error_message.empty()) fields.emplace_back("reason", job.error_message);
    if (job.credits_used.has_value()) fields.emplace_back("credits", *job.credits_used);
    if (!job.trace.empty()) fields.emplace_back("trace_id", TraceIdOf(job.trace));
    Log(Level::kInfo, "job_ended", fields);
  };
}

std::function<void(std::size_t)> Pruned() {
  return [](std::size_t records) {
    if (records > 0) Log(Level::kInfo, "pruned", {{"jobs", records}});
  };
}

std::function<void(const jobs::Holding&)> LeasesRenewed(CorrectedClock& clock) {
  using Told = std::pair<int, std::size_t>;
  return [&clock, told = std::make_shared<Told>()](const jobs::Holding& holding) {
    clock.SetAhead(holding.ahead);
    const Told now{holding.processes, holding.leases.size()};
    if (std::exchange(*told, now) == now) return;
    Log(Level::kInfo, "shards",
        {{"held", now.second},
         {"of", static_cast<std::int64_t>(limits::kShards)},
         {"gateways", static_cast<std::int64_t>(now.first)}});
  };
}

std::function<void(const std::string&)> StoppedForAll() {
  return [](const std::string& by) {
    if (by.empty())
      return Log(Level::kInfo, "submits_allowed", {{"note", "no gateway stops them"}});
    Log(Level::kWarn, "submits_stopped",
        {{"by", by},
         {"note",
          "a gateway with the same store is told to; new submits are refused at all of "
          "them until its file stop-submits is removed"}});
  };
}

void TellLostPorts(const std::vector<std::uint16_t>& ports, const char* setting) {
  for (const std::uint16_t port : ports) {
    Log(Level::kWarn, "sandbox_port_taken",
        {{"port", std::to_string(port)},
         {"note",
          std::string(
              "another program listens there now, so the sandbox took another port; links of "
              "earlier results and uploads that name this one lead nowhere. A port of its own "
              "is set with ") +
              setting}});
  }
}

}  // namespace gateway::app
