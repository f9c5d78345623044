// AccountDoors makes the Pictory accounts of the settings ready to be called, and what changes of
// them while the gateway runs: the secrets in files, and accounts that a newer document brings.
//
// What carries their requests is here too: one transport for each base URL.
//
// Thread-safe once Watch was called; until then it is used from one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "app/accounts.h"
#include "app/config.h"
#include "app/file_watch.h"
#include "app/metered_transport.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/work_thread.h"
#include "http/curl_transport.h"
#include "jobs/upstreams.h"
#include "obs/metrics.h"
#include "tenants/tenants.h"

namespace gateway::app {

class AccountDoors {
 public:
  // The arguments must outlive it.
  AccountDoors(const Config& config, const Clock& clock, obs::Metrics& metrics);
  AccountDoors(const AccountDoors&) = delete;
  AccountDoors& operator=(const AccountDoors&) = delete;

  // Reads the accounts of a document; called before the others.
  absl::Status Read(const tenants::Tenants& document);
  // Makes the transports. `base_url` is that of accounts that say no other.
  absl::Status Connect(const std::string& base_url);

  // All base URLs that calls go to.
  std::vector<std::string> BaseUrls() const;

  // The transport of accounts that have no other.
  http::HttpTransport& transport() { return transports_.at("")->metered; }
  // How each account that was read is called.
  jobs::Upstreams::Accounts Options();
  // The same for an account whose key a caller shows.
  jobs::UpstreamOptions OptionsOfCaller(const std::string& account, const Secret& key);

  // Watches the files of secrets from now on, and opens accounts in `upstreams`. Both must outlive
  // the watches' last look.
  void Watch(jobs::Upstreams& upstreams, FileWatches& watches);
  // Opens the accounts that a newer document has brought, and returns how many. Those that are open
  // stay as they are: another key comes by the file that they name, and the rest is read at a
  // start. What needs a start is refused, with words that say so, and then nothing is opened.
  absl::StatusOr<std::size_t> OpenNew(const tenants::Tenants& document);

  // The longest absence of a transport's engine from its sockets.
  Duration LoopStallMax() const;
  // Answers what is under way; the object stays until nothing is left that could still start a
  // request.
  void Stop();
  // Closes the thread that reads large replies; after Stop.
  void CloseReader() { reader_.Close(); }

 private:
  struct Transport {
    Transport(std::unique_ptr<http::CurlTransport> made, const Clock& clock, obs::Metrics& metrics)
        : curl(std::move(made)), metered(*curl, clock, metrics) {}
    const std::unique_ptr<http::CurlTransport> curl;
    MeteredTransport metered;
  };
  // What of an account must not be another's, or must not change.
  struct Known {
    std::string base_url;
    Secret secret;
  };

  jobs::UpstreamOptions Connected(jobs::UpstreamOptions options);
  jobs::UpstreamOptions OptionsOf(const AccountSetup& setup);
  absl::Status CheckNew(const tenants::Tenants& document, const std::vector<AccountSetup>& setups)
      REQUIRES(mutex_);
  absl::Status ReplaceSecret(const std::string& account, const Secret& secret);
  void WatchSecret(const AccountSetup& setup);

  const Config& config_;
  const Clock& clock_;
  obs::Metrics& metrics_;
  WorkThread reader_{"reply-reader"};  // of large replies
  std::vector<AccountSetup> setups_;   // what Read has found
  std::string base_url_;               // of accounts that say no other
  // By base URL as the accounts say it; "" is the gateway's.
  std::map<std::string, std::unique_ptr<Transport>> transports_;
  jobs::Upstreams* upstreams_ = nullptr;
  FileWatches* watches_ = nullptr;
  Mutex mutex_;
  std::map<std::string, Known> known_ GUARDED_BY(mutex_);  // by account
};

}  // namespace gateway::app
