#include "app/gauges.h"

#include <google/protobuf/stubs/common.h>
#include <grpcpp/grpcpp.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include "app/version.h"
#include "obs/log.h"
#include "obs/process_stats.h"

namespace gateway::app {
namespace {

using ByLabel = obs::Metrics::ByLabel;

constexpr char kPrefix[] = "pictory_gateway_";

// Adds metrics under our prefix.
class Adder {
 public:
  explicit Adder(obs::Metrics& metrics) : metrics_(metrics) {}

  void Gauge(const char* name, const char* help, std::function<double()> value) {
    metrics_.AddGauge(std::string(kPrefix) + name, help, std::move(value));
  }
  void Counter(const char* name, const char* help, std::function<double()> value) {
    metrics_.AddCounter(std::string(kPrefix) + name, help, std::move(value));
  }
  void Gauges(const char* name, const char* help, const char* label,
              std::function<ByLabel()> values) {
    metrics_.AddGauges(std::string(kPrefix) + name, help, label, std::move(values));
  }
  void Counters(const char* name, const char* help, const char* label,
                std::function<ByLabel()> values) {
    metrics_.AddCounters(std::string(kPrefix) + name, help, label, std::move(values));
  }

 private:
  obs::Metrics& metrics_;
};

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void AddJobs(Adder& add, jobs::Core& core) {
  add.Gauge("jobs_unfinished", "Jobs that have not ended",
            [&core] { return core.hub.unfinished(); });
  add.Gauge("shards_held", "Shards of the jobs that this gateway looks after, of 1,024",
            [&core] { return core.shards.count(); });
  add.Gauge("jobs_followed", "Jobs that are polled", [&core] { return core.poller.followed(); });
  add.Gauge("jobs_waiting", "Jobs that wait for the job that they are made of",
            [&core] { return core.waiting.waiting(); });
  add.Gauge("jobs_unconfirmed", "Jobs whose outcome is unknown",
            [&core] { return core.resolver.unconfirmed(); });
  add.Gauge("jobs_unconfirmed_oldest_seconds", "Since the oldest UNCONFIRMED job was sent",
            [&core] { return Seconds(core.resolver.oldest_age()); });
  add.Gauges("jobs_unasked", "Jobs that are not polled because their account is not open, by why",
             "why", [&core] {
               const jobs::Poller::Unasked unasked = core.poller.unasked();
               return ByLabel{{"account_gone", static_cast<double>(unasked.account_gone)},
                              {"key_not_shown", static_cast<double>(unasked.key_not_shown)}};
             });
  add.Gauge("jobs_too_large", "Jobs whose result is larger than --max-job-reply-mib lets in",
            [&core] { return core.poller.too_large(); });
  add.Gauge("poll_overdue_seconds",
            "For how long a poll has been under way, or due with no other begun at its account",
            [&core] { return Seconds(core.poller.overdue()); });
  add.Gauge("polls_in_flight", "Polls under way", [&core] { return core.poller.in_flight(); });
  add.Gauge("submits_running", "Submits under way", [&core] { return core.submitter.running(); });
  add.Gauge("answers_owed", "Submits without a request_id whose answer may not have arrived",
            [&core] { return core.owed.size(); });
}

void AddFace(Adder& add, const face::Face& face) {
  add.Gauge("http_connections", "Connections to the HTTP listeners",
            [&face] { return face.connections_open(); });
}

void AddCalls(Adder& add, const rpc::Server& server, int watches_max) {
  add.Gauge("watches", "Streams of WatchJob and WatchJobs open",
            [&server] { return server.open_watches(); });
  add.Gauge("watches_max", "Streams of WatchJob and WatchJobs that may be open",
            [watches_max] { return watches_max; });
  add.Counter("connections_accepted_total", "Connections to the gRPC listeners",
              [&server] { return server.accepted_connections(); });
  add.Counter("connections_refused_total", "Connections refused because files or places are few",
              [&server] { return server.refused_connections(); });
  add.Counter("connections_refused_of_address_total", "Of them, those whose address had too many",
              [&server] { return server.address_refused_connections(); });
  add.Gauge("requests_arriving", "Requests that have begun and are not here yet",
            [&server] { return server.arriving_requests(); });
  add.Gauge("answers_unread", "Calls whose answer is ready and not taken yet",
            [&server] { return server.unread_answers(); });
  add.Counter("answers_unread_ended_total", "Calls ended because nobody took their answer",
              [&server] { return server.unread_ended(); });
  add.Gauge("large_answer_bytes", "Bytes of large answers that are being made or not taken yet",
            [&server] { return server.large_answer_bytes(); });
}

void AddPictory(Adder& add, jobs::Core& core, const AccountDoors& doors) {
  const auto of_pace = [&core](double jobs::Account::Pace::* value) {
    return [&core, value] {
      ByLabel by_account;
      for (const auto& [account, pace] : core.upstreams.paces()) {
        by_account.emplace(account, pace.*value);
      }
      return by_account;
    };
  };
  add.Gauges("budget_submits_left",
             "Submits that may be sent to Pictory at once, 0 while the account rests, by account",
             "account", of_pace(&jobs::Account::Pace::submits_left));
  add.Gauges("budget_polls_left", "The same of polls", "account",
             of_pace(&jobs::Account::Pace::polls_left));
  add.Gauges("budget_requests_per_second",
             "Requests a second that Pictory is asked at most, which a 429 lowers, by account",
             "account", of_pace(&jobs::Account::Pace::per_second));
  add.Gauge("upstream_degraded", "How many Pictory accounts cannot be asked",
            [&core] { return core.upstreams.degraded(); });
  add.Gauge("upstream_resting", "How many accounts get no answer, so that only probes are sent",
            [&core] { return core.upstreams.resting(); });
  add.Gauge("credentials_refused", "How many accounts have credentials that Pictory refuses",
            [&core] { return core.upstreams.credentials_refused(); });
  add.Gauge("upstream_loop_stall_seconds", "Longest absence of an upstream engine from its sockets",
            [&doors] { return Seconds(doors.LoopStallMax()); });
}

void AddSpending(Adder& add, jobs::Core& core, const tenants::Callers& callers, int submits_a_day) {
  using Spent24h = jobs::Spending::Spent24h;
  add.Gauge("submits_spent_today", "Submits of the last 24 hours that may have cost money",
            [&core] { return core.spending.spent_today().submits; });
  add.Gauge("submits_left_today",
            "Submits of all tenants that may still be sent in these 24 hours; +Inf without a limit",
            [&core, submits_a_day] {
              if (submits_a_day == 0) return std::numeric_limits<double>::infinity();
              return std::max(
                  0.0, submits_a_day - static_cast<double>(core.spending.spent_today().submits));
            });
  add.Gauge("submits_stopped", "1 while the operator has stopped new submits",
            [&core] { return core.spending.stopped(); });
  const auto credits = [&core](double (*of)(const Spent24h&)) {
    return [&core, of] {
      ByLabel by_tenant;
      for (const auto& [tenant, spent] : core.spending.spent_by_tenant()) {
        by_tenant.emplace(tenant, of(spent));
      }
      return by_tenant;
    };
  };
  add.Gauges("credits_charged_today",
             "AI credits of the last 24 hours that Pictory says were used, by tenant", "tenant",
             credits([](const Spent24h& s) { return s.credits - s.reserved; }));
  add.Gauges("credits_reserved_today",
             "AI credits of the last 24 hours that may be used, by tenant", "tenant",
             credits([](const Spent24h& s) { return s.reserved; }));
  // Both have the tenants that have such a limit, and no others.
  const auto limited = [&callers](std::function<double(const std::string&, double limit)> value) {
    return [&callers, value = std::move(value)] {
      ByLabel by_tenant;
      for (const auto& [name, tenant] : callers.directory()->tenants().tenants) {
        const auto limit = static_cast<double>(tenant.limits.credits_per_day);
        if (limit > 0) by_tenant.emplace(name, value(name, limit));
      }
      return by_tenant;
    };
  };
  add.Gauges("credits_limit_today", "AI credits that a tenant may use in 24 hours, if limited",
             "tenant", limited([](const std::string&, double limit) { return limit; }));
  add.Gauges("credits_left_today", "Of them, those that it may still use", "tenant",
             limited([&core](const std::string& tenant, double limit) {
               return std::max(0.0, limit - core.spending.spent_today(tenant).credits);
             }));
}

double FileBytes(const std::filesystem::path& file) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);
  return error ? 0 : static_cast<double>(bytes);
}

struct Room {
  double free = 0;  // to who is not root
  double all = 0;
};
Room RoomAt(const std::filesystem::path& directory) {
  struct statvfs seen{};
  if (statvfs(directory.c_str(), &seen) != 0) return {};
  const auto block = static_cast<double>(seen.f_frsize);
  return {.free = block * static_cast<double>(seen.f_bavail),
          .all = block * static_cast<double>(seen.f_blocks)};
}

void AddStore(Adder& add, const GaugeSources& from) {
  add.Counter("store_commits_total", "Commits of the job store", from.store_commits);
  add.Counter("store_commit_seconds_total", "Time that commits of the job store took together",
              [time = from.store_commit_time] { return Seconds(time()); });
  add.Gauge("store_away", "1 while the job store cannot be reached", from.store_away);
  add.Gauge("store_writes_queued", "Writes that wait for the job store", from.store_queue);
  if (from.store_directory.empty()) return;
  const std::filesystem::path directory = from.store_directory;
  add.Gauges("store_bytes", "Bytes of the job store: its database, and the log beside it", "file",
             [directory] {
               return ByLabel{{"database", FileBytes(directory / "jobs.db")},
                              {"log", FileBytes(directory / "jobs.db-wal")}};
             });
  add.Gauge("store_disk_free_bytes", "Room on the file system of the job store",
            [directory] { return RoomAt(directory).free; });
  add.Gauge("store_disk_bytes", "Size of that file system",
            [directory] { return RoomAt(directory).all; });
}

void AddShedding(Adder& add, const Shedding& shedding) {
  add.Gauge("shed_level",
            "How many things are refused because of pressure: watches, reads, polls, submits",
            [&shedding] { return shedding.level(); });
  add.Counters("shed_total", "Calls and polls refused because of pressure", "what", [&shedding] {
    ByLabel refused;
    for (std::size_t i = 0; i < kShedNames.size(); ++i) {
      refused.emplace(kShedNames[i], shedding.refused(static_cast<Shed>(i)));
    }
    return refused;
  });
}

void AddProcess(Adder& add, const GaugeSources& from, obs::Metrics& metrics) {
  add.Counter("log_lines_lost_total", "Lines of the log that nobody read in time",
              [] { return obs::LostLogLines(); });
  add.Gauges("files_kept",
             "1 while a file cannot be used, so that what it said before counts: secrets, "
             "certificates, tenants",
             "file", [&watches = from.file_watches] { return watches.Kept(); });
  if (from.tls != nullptr) {
    const auto time = [tls = from.tls](WallTime rpc::CertificateFacts::* which) {
      return [tls, which] {
        return std::chrono::duration<double>((tls->facts().*which).time_since_epoch()).count();
      };
    };
    add.Gauge("tls_certificate_begins_seconds",
              "When the certificate of the listeners begins (Unix time)",
              time(&rpc::CertificateFacts::begins));
    add.Gauge("tls_certificate_ends_seconds", "When it ends", time(&rpc::CertificateFacts::ends));
  }
  if (from.tracing != nullptr) {
    add.Counters("spans_total", "Spans of traces, by what became of them", "outcome",
                 [tracing = from.tracing] { return tracing->counts(); });
  }
  metrics.AddInfo(
      std::string(kPrefix) + "build_info", "Always 1; the labels say which program this is",
      {{"version", Version()},
       {"grpc", grpc::Version()},
       {"protobuf", google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION)}});
  obs::AddProcessMetrics(metrics);
}

}  // namespace

void AddGauges(const GaugeSources& from, obs::Metrics& metrics) {
  Adder add(metrics);
  AddJobs(add, from.core);
  AddCalls(add, from.server, from.watches_max);
  if (from.face != nullptr) AddFace(add, *from.face);
  AddPictory(add, from.core, from.doors);
  AddSpending(add, from.core, from.callers, from.config.spending.per_day);
  AddStore(add, from);
  AddShedding(add, from.shedding);
  AddProcess(add, from, metrics);
  if (from.archive != nullptr) from.archive->AddMetrics(metrics);
  from.notifications.AddMetrics(metrics);
}

}  // namespace gateway::app
