// Notifications is all that tells receivers of the tenants' own that jobs have ended: its
// transport, its thread, and the Notifier. (What Pictory tells this gateway is app/webhooks.h.)
//
// Thread-safe, but for its making and its end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "app/config.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/work_thread.h"
#include "http/curl_transport.h"
#include "jobs/ledger.h"
#include "jobs/store.h"
#include "notify/notifier.h"
#include "obs/metrics.h"

namespace CLI {
class App;
}

namespace gateway::app {

// The raw texts of the options.
struct NotifyFlags {
  std::string url;
  std::string hosts;  // these, and those below, with commas between them
  std::string inside_hosts;
  std::string secret_files;
  std::string states;
  bool empty() const {
    return url.empty() && hosts.empty() && inside_hosts.empty() && secret_files.empty() &&
           states.empty();
  }
};

void AddNotifyFlags(CLI::App& app, NotifyFlags& flags);
// The rules of the tenant `default`, where there is no file of tenants. INVALID_ARGUMENT names the
// flag.
absl::StatusOr<tenants::NotifyRules> ReadNotifyFlags(const NotifyFlags& flags);
// Checks that the secrets of these tenants can be read, and that something may be sent to their
// URLs. INVALID_ARGUMENT names the file, or the tenant.
absl::Status CheckNotify(const tenants::Tenants& tenants, bool loopback);

class Notifications {
 public:
  using RulesOf = std::function<tenants::NotifyRules(const std::string& tenant)>;
  // What it stands on; all of it must outlive it.
  struct Ground {
    const jobs::Shards& shards;
    jobs::Ledger& ledger;
    jobs::Store& store;
    const Clock& clock;
    Timers& timers;
    Random& random;
  };
  // Has notifications of jobs that end from now on planned. Called before the ledger's first
  // change.
  static absl::StatusOr<std::unique_ptr<Notifications>> Start(const Config& config,
                                                              RulesOf rules_of, Ground ground);
  Notifications(const Notifications&) = delete;
  Notifications& operator=(const Notifications&) = delete;
  ~Notifications();

  // These take up what another process has left, or this one before: a job that has not ended, and
  // one that has; and drop what goes with a shard.
  void OnFound(const jobs::JobRecord& record) { notifier_->OnFound(record); }
  void Follow(const jobs::ShardJob& job) { notifier_->Follow(job); }
  void DropLost() { notifier_->DropLost(); }
  // Until then nothing is sent.
  void Begin();

  // What is wrong with the URL that a submit of this tenant names; "" if nothing.
  std::string ProblemOf(const std::string& tenant, const std::string& url) const;
  // See notify::Notifier::Replay.
  void Replay(const std::string& tenant, const std::string& job,
              std::function<void(absl::StatusOr<jobs::v1::Notification>)> done);
  void AddMetrics(obs::Metrics& metrics);

  // Begins nothing any more, and ends what is under way: it is delivered after the next start.
  void Stop();

 private:
  Notifications(bool loopback, RulesOf rules_of, std::unique_ptr<http::CurlTransport> transport,
                Ground ground);

  const bool loopback_;
  const RulesOf rules_of_;
  const std::unique_ptr<http::CurlTransport> transport_;
  WorkThread work_{"notify", WorkThread::Rest::kDropped};  // reads secrets, makes bodies
  std::unique_ptr<notify::Notifier> notifier_;
};

}  // namespace gateway::app
