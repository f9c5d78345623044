#include "app/notifications.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "app/secret_file.h"
#include "base/errors.h"
#include "base/limits.h"
#include "jobs/notification.h"
#include "notify/signature.h"
#include "obs/log.h"

namespace gateway::app {
namespace {

namespace v1 = jobs::v1;
using obs::Level;
using obs::Log;

absl::Status WrongFlag(const char* flag, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": ", why));
}

std::vector<std::string> Listed(const std::string& text) {
  return absl::StrSplit(text, ',', absl::SkipWhitespace());
}

absl::Status ReadHosts(const char* flag, const std::string& text, std::vector<std::string>& out) {
  for (const std::string& word : Listed(text)) {
    out.push_back(tenants::HostAndPort(word));
    if (out.back().empty()) {
      return WrongFlag(flag, absl::StrCat("'", errors::Clean(word),
                                          "' must be a host, or host:port where the port is not "
                                          "443"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Secret>> ReadKeys(const tenants::NotifyRules& rules) {
  std::vector<Secret> keys;
  for (const std::string& file : rules.secret_files) {
    absl::StatusOr<Secret> written = ReadSecretFile("notify secret", file);
    if (!written.ok()) return written.status();
    absl::StatusOr<Secret> key = notify::KeyOf(*written);
    if (!key.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("notify secret: the first line of ", file, " ",
                                                     std::string(key.status().message())));
    }
    keys.push_back(*std::move(key));
  }
  return keys;
}

// A URL and what it says are the tenant's; the log has the host alone.
void LogTried(const jobs::Job& job, const v1::Notification& notification, const std::string& host,
              const std::string& detail) {
  const bool given_up = notification.state() == v1::NOTIFICATION_STATE_GIVEN_UP;
  if (notification.state() == v1::NOTIFICATION_STATE_DELIVERED) {
    return Log(Level::kInfo, "notified",
               {{"job_id", job.job_id},
                {"state", jobs::StateName(notification.job_state())},
                {"host", host},
                {"tries", static_cast<std::int64_t>(notification.tries())}});
  }
  std::vector<obs::Field> fields = {{"job_id", job.job_id},
                                    {"tenant", job.tenant},
                                    {"state", jobs::StateName(notification.job_state())},
                                    {"host", host},
                                    {"tries", static_cast<std::int64_t>(notification.tries())},
                                    {"reason", notification.problem()}};
  if (!detail.empty()) fields.emplace_back("detail", detail);
  fields.emplace_back("again", given_up ? "no" : "later");
  Log(given_up ? Level::kWarn : Level::kInfo, "not_notified", fields);
}

}  // namespace

void AddNotifyFlags(CLI::App& app, NotifyFlags& flags) {
  app.add_option("--notify-url", flags.url,
                 "https URL that is told by a signed POST when a job has ended, unless its submit "
                 "names another; this and the next four are those of the tenant 'default'; with "
                 "--tenants the file says so, tenant by tenant")
      ->envname("PICTORY_NOTIFY_URL");
  app.add_option("--notify-hosts", flags.hosts,
                 "Hosts, with commas between them, whose URLs a submit may name as notify_url: "
                 "host, or host:port where the port is not 443; default: none")
      ->envname("PICTORY_NOTIFY_HOSTS");
  app.add_option("--notify-inside-hosts", flags.inside_hosts,
                 "Those of them, or that of --notify-url, that may lead to addresses inside: "
                 "private ones, this machine and the like, where nothing is sent otherwise")
      ->envname("PICTORY_NOTIFY_INSIDE_HOSTS");
  app.add_option("--notify-secret-files", flags.secret_files,
                 "File whose first line is the secret (whsec_…) that these POSTs are signed with, "
                 "readable by its owner only; while it is replaced two, with a comma between "
                 "them. They are read for each POST")
      ->envname("PICTORY_NOTIFY_SECRET_FILES");
  app.add_option("--notify-states", flags.states,
                 absl::StrCat("States that are told, with commas between them, of ",
                              tenants::kStatesToTell, "; default: all but unconfirmed"))
      ->envname("PICTORY_NOTIFY_STATES");
}

absl::StatusOr<tenants::NotifyRules> ReadNotifyFlags(const NotifyFlags& flags) {
  tenants::NotifyRules rules;
  rules.url = flags.url;
  absl::Status read = ReadHosts("--notify-hosts", flags.hosts, rules.hosts);
  read.Update(ReadHosts("--notify-inside-hosts", flags.inside_hosts, rules.inside_hosts));
  if (!read.ok()) return read;
  rules.secret_files = Listed(flags.secret_files);
  if (!flags.states.empty()) rules.states.clear();
  for (const std::string& word : Listed(flags.states)) {
    const v1::JobState state = tenants::StateToTell(word);
    if (state == v1::JOB_STATE_UNSPECIFIED) {
      return WrongFlag(
          "--notify-states",
          absl::StrCat("'", errors::Clean(word), "' must be one of ", tenants::kStatesToTell));
    }
    rules.states.insert(state);
  }
  if (absl::Status check = tenants::CheckNotifyRules(rules); !check.ok()) {
    return WrongFlag("--notify-url", std::string(check.message()));
  }
  return rules;
}

absl::Status CheckNotify(const tenants::Tenants& tenants, bool loopback) {
  for (const auto& [name, tenant] : tenants.tenants) {
    if (const auto keys = ReadKeys(tenant.notify); !keys.ok()) return keys.status();
    if (tenant.notify.url.empty()) continue;
    if (const auto to = notify::DestinationOf("", tenant.notify, loopback); !to.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the notify URL of tenant ", name, " ", std::string(to.status().message())));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Notifications>> Notifications::Start(const Config& config,
                                                                    RulesOf rules_of,
                                                                    Ground ground) {
  http::CurlTransportOptions options;
  options.whole_urls = true;
  options.ca_file = config.ca_file;
  options.proxy = config.proxy;
  options.paid_in_flight = limits::kNotifyInFlightMax;
  options.read_in_flight = 1;
  auto transport = http::CurlTransport::Create(std::move(options));
  if (!transport.ok()) return transport.status();
  return std::unique_ptr<Notifications>(
      new Notifications(config.sandbox, std::move(rules_of), *std::move(transport), ground));
}

Notifications::Notifications(bool loopback, RulesOf rules_of,
                             std::unique_ptr<http::CurlTransport> transport, Ground ground)
    : loopback_(loopback), rules_of_(std::move(rules_of)), transport_(std::move(transport)) {
  notify::NotifierHands hands;
  hands.rules = rules_of_;
  hands.keys = ReadKeys;
  hands.run = [this](std::function<void()> work) { work_.Post(std::move(work)); };
  notifier_ = std::make_unique<notify::Notifier>(
      loopback_, std::move(hands), *transport_, ground.shards, ground.ledger, ground.store,
      ground.clock, ground.timers, ground.random, notify::NotifierEvents{.tried = LogTried});
  ground.ledger.CompleteWith([this](jobs::JobRecord& record) { notifier_->Plan(record); });
  ground.ledger.Observe([this](const jobs::JobRecord& record, const jobs::SnapshotPtr& seen) {
    if (seen != nullptr) notifier_->OnChange(record);
  });
  ground.ledger.Observe(
      [this](const jobs::JobRecord& record, const jobs::SnapshotPtr& seen) {
        if (seen != nullptr) notifier_->OnFound(record);
      },
      jobs::Ledger::Of::kOtherProcesses);
}

Notifications::~Notifications() { Stop(); }

void Notifications::Begin() {
  if (const std::size_t waiting = notifier_->waiting(); waiting > 0) {
    Log(Level::kInfo, "notifying", {{"jobs", static_cast<std::int64_t>(waiting)}});
  }
  notifier_->Start();
}

std::string Notifications::ProblemOf(const std::string& tenant, const std::string& url) const {
  const auto to = notify::DestinationOf(url, rules_of_(tenant), loopback_);
  return to.ok() ? "" : std::string(to.status().message());
}

void Notifications::Replay(const std::string& tenant, const std::string& job,
                           std::function<void(absl::StatusOr<v1::Notification>)> done) {
  notifier_->Replay(tenant, job, std::move(done));
}

void Notifications::AddMetrics(obs::Metrics& metrics) {
  metrics.AddGauge("pictory_gateway_notifications_waiting",
                   "Jobs whose notification is still to be delivered",
                   [this] { return static_cast<double>(notifier_->waiting()); });
  metrics.AddCounters(
      "pictory_gateway_notifications_total",
      "Notifications by what an attempt to deliver them has led to", "result", [this] {
        const notify::Notifier::Counts& counts = notifier_->counts();
        return obs::Metrics::ByLabel{{"delivered", static_cast<double>(counts.delivered)},
                                     {"given_up", static_cast<double>(counts.given_up)},
                                     {"later", static_cast<double>(counts.retried)}};
      });
}

void Notifications::Stop() {
  notifier_->Stop();
  work_.Close();
  transport_->Stop();
}

}  // namespace gateway::app
