#include <csignal>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "app/accounts.h"
#include "app/exit_codes.h"
#include "app/process.h"
#include "app/run.h"
#include "app/upstream.h"
#include "base/timer_thread.h"
#include "contract/run.h"
#include "http/curl_transport.h"
#include "obs/log.h"

namespace gateway::app {
namespace {

void TellPerson(const std::string& words) {
  std::fputs(absl::StrCat("contract: ", words, "\n").c_str(), stderr);
  std::fflush(stderr);
}

int NothingTried(const absl::Status& why) {
  TellPerson(absl::StrCat("nothing was tried: ", std::string(why.message())));
  return kNotTried;
}

}  // namespace

int RunContract(const ContractConfig& config) {
  HardenProcess();
  ForgetSecretVariables();
  std::signal(SIGPIPE, SIG_IGN);
  DropTlsKeyLog(false);
  SkipDeadlockDetection();
  auto transport =
      http::CurlTransport::Create(TransportOptionsOf(config.account, config.account.base_url));
  if (!transport.ok()) return NothingTried(transport.status());
  auto accounts = AccountsOf(config.account, config.account.tenants.directory->tenants());
  if (!accounts.ok()) return NothingTried(accounts.status());

  contract::RunOptions options;
  options.upstream = accounts->front().options;
  options.upstream.translate.allow_loopback_urls = AnswersNameLoopback(config.account);
  options.base_url = config.account.base_url;
  options.spending = {
      .most = config.spend, .media_url = config.media_url, .poll_every = config.poll_every};
  options.spent_file = config.state_dir / "contract-spent";
  const SystemClock clock;
  TimerThread timers(clock);
  const absl::StatusOr<contract::Report> report =
      contract::Run({**transport, clock, timers}, std::move(options), TellPerson);
  (*transport)->Stop();
  if (!report.ok()) return NothingTried(report.status());
  std::fputs((config.json ? AsJson(*report) : AsText(*report)).c_str(), stdout);
  std::fflush(stdout);
  // One that ended before its end is no word for what it did not see.
  const bool holds =
      report->stopped.empty() && report->findings.Count(contract::Verdict::kFails) == 0;
  return holds ? 0 : kDoesNotHold;
}

}  // namespace gateway::app
