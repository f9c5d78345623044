#include "contract/run.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "contract/view.h"
#include "pictory/own_secrets.h"

namespace gateway::contract {
namespace {

// Tells of each fact that nobody has looked at what it would take.
void SkipTheRest(Findings& findings, bool oauth, bool spends) {
  for (std::size_t i = 0; i < kFacts.size(); ++i) {
    const Needs needs = kFacts.at(i).needs;
    if (needs == Needs::kKey && oauth) findings.SkipAt(i, "needs --auth key");
    if (needs == Needs::kTokens && !oauth) findings.SkipAt(i, "needs --auth oauth");
    if (needs == Needs::kSpend && !spends) findings.SkipAt(i, "needs --spend");
  }
}

}  // namespace

absl::StatusOr<Report> Run(const Ways& ways, RunOptions options, const Tell& tell) {
  pictory::OwnSecrets secrets;
  const pictory::ClientOptions& client = options.upstream.client;
  const bool oauth = client.oauth.has_value();
  secrets.Add(client.api_key);
  if (oauth) {
    secrets.Add(client.oauth->client_secret);
    secrets.Add(Secret(client.oauth->client_id));
    secrets.Add(Secret(client.oauth->user_id));
  }
  const auto clean = [&secrets](std::string& text) { secrets.TakeOutOf(text); };
  const Tell clean_tell = [&](std::string words) {
    clean(words);
    tell(words);
  };

  const bool spends = options.spending.most > 0;
  std::optional<SpentBook> book;
  if (spends) {
    absl::StatusOr<SpentBook> opened = SpentBook::Open(options.spent_file, options.base_url);
    if (!opened.ok()) return opened.status();
    book = *std::move(opened);
  }

  Report report{.base_url = options.base_url, .when = ways.clock.WallNow()};
  Door door(ways, options.upstream);
  const Look look{door, report.findings, clean_tell};
  if (const absl::Status reached = LookAtQuota(look, !oauth); !reached.ok()) {
    std::string why(reached.message());
    clean(why);
    return absl::UnavailableError(why);
  }
  if (oauth) secrets.Add(Secret(View(door.token().body).At("access_token").Text()));
  LookAtCharges(look);
  LookAtJobs(look);
  LookAtProjects(look);
  LookAtTemplates(look);
  LookAtUploads(look);
  LookAtCatalog(look);
  LookAtStudio(look);
  LookAtCredentials(look, ways, options.upstream);
  if (spends) {
    PaidLooks paid(look, ways.clock, options.spending, *book);
    const absl::Status noted = paid.Run();
    report.spent = paid.spent();
    for (SpentJob& job : report.spent) clean(job.job_id);
    report.stopped = std::string(noted.message());
    if (noted.ok()) book->Close();
  }
  SkipTheRest(report.findings, oauth, spends);
  report.findings.Edit(clean);
  clean(report.stopped);
  return report;
}

}  // namespace gateway::contract
