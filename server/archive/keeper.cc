#include "archive/keeper.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "archive/detail.h"
#include "archive/fetch_rules.h"
#include "base/errors.h"
#include "base/limits.h"

namespace gateway::archive {
namespace {

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

absl::Status GatewayEnds() { return absl::CancelledError("The gateway ends"); }

// Writes what one fetch brings to the part.
class PartSink final : public http::FetchSink {
 public:
  PartSink(const KeeperOptions& options, Disk& disk, const std::string& tenant, Disk::Part& part,
           const std::atomic<bool>& stop)
      : options_(options), disk_(disk), tenant_(tenant), part_(part), stop_(stop) {}

  bool Wanted() override { return !stop_; }

  bool Begin(const http::FetchHead& head) override {
    const Known known{.had = part_.had(), .total = part_.total(), .validator = part_.validator()};
    const Verdict verdict = Judge(known, head, options_.max_file_bytes);
    if (verdict.what == Verdict::What::kStale) part_.Forget();
    problem_ = verdict.why;
    const bool anew = verdict.what == Verdict::What::kAnew;
    if (problem_.ok() && anew) problem_ = part_.Restart(verdict.validator, verdict.total);
    if (problem_.ok() && verdict.total > part_.had()) {
      problem_ = disk_.CheckRoom(tenant_, verdict.total - part_.had());
    }
    return problem_.ok();
  }

  bool Take(std::string_view bytes) override {
    problem_ = part_.Append(bytes);
    // What has no room as a whole must not hold on to that of others.
    if (absl::IsResourceExhausted(problem_)) part_.Forget();
    if (problem_.ok() && part_.had() > options_.max_file_bytes) {
      part_.Forget();
      problem_ = absl::OutOfRangeError(
          absl::StrCat("The file has more than ",
                       options_.max_file_bytes / static_cast<std::int64_t>(limits::kMiB),
                       " MiB, which one may have (--archive-max-file-mib)"));
    }
    return problem_.ok();
  }

  const absl::Status& problem() const { return problem_; }

 private:
  const KeeperOptions& options_;
  Disk& disk_;
  const std::string& tenant_;
  Disk::Part& part_;
  const std::atomic<bool>& stop_;
  absl::Status problem_;
};

}  // namespace

absl::StatusOr<WholeFile> Keeper::Keep(const jobs::JobKey& job, const std::string& name,
                                       const std::string& url, const std::atomic<bool>& stop) {
  // It may be there, if the process ended before the job's record said so.
  absl::StatusOr<WholeFile> there = disk_.Find(job, name, stop);
  if (!absl::IsNotFound(there.status())) return there;
  if (absl::Status room = disk_.CheckRoom(job.tenant, 0); !room.ok()) return room;
  auto part = disk_.OpenPart(job, name);
  if (!part.ok()) return part.status();
  const bool all = (*part)->had() > 0 && (*part)->had() == (*part)->total();
  if (absl::Status fetched = all ? absl::OkStatus() : Fetch(job.tenant, **part, url, stop);
      !fetched.ok()) {
    return fetched;
  }
  absl::StatusOr<WholeFile> file = (*part)->Complete(stop);
  if (absl::IsDataLoss(file.status())) (*part)->Forget();
  return file;
}

void Keeper::Drop(const jobs::JobKey& job, const std::string& name) {
  if (auto part = disk_.OpenPart(job, name); part.ok()) (*part)->Forget();
}

absl::Status Keeper::Fetch(const std::string& tenant, Disk::Part& part, const std::string& url,
                           const std::atomic<bool>& stop) {
  using What = http::FetchEnd::What;
  std::string at = url;
  for (int redirects = 0; redirects <= limits::kArchiveRedirectsMax; ++redirects) {
    const absl::StatusOr<Reach> reach = ReachOf(at, options_.stand_ins);
    if (!reach.ok()) return reach.status();
    PartSink sink(options_, disk_, tenant, part, stop);
    const http::FetchEnd end = fetcher_.Fetch({.url = at,
                                               .from = part.had(),
                                               .validator = part.validator(),
                                               .loopback = *reach == Reach::kLoopback},
                                              sink);
    if (!sink.problem().ok()) return sink.problem();
    switch (end.what) {
      case What::kStopped:
        return GatewayEnds();
      case What::kInside:
        // No server has refused it: our own names may be wrong for a while.
        return absl::UnavailableError("Not fetched: its host has an inside address");
      case What::kBroken:
        return WithDetail(absl::UnavailableError("The fetch broke off: " + end.problem),
                          errors::Clean(end.detail));
      case What::kWhole:
        break;
    }
    if (end.head.status == 200 || end.head.status == 206) return absl::OkStatus();
    if (!IsRedirect(end.head.status) || end.head.location.empty()) {
      const Known known{.had = part.had(), .total = part.total(), .validator = part.validator()};
      const Verdict verdict = Judge(known, end.head, options_.max_file_bytes);
      if (verdict.what == Verdict::What::kStale) part.Forget();
      return verdict.why;
    }
    at = end.head.location;
  }
  return absl::FailedPreconditionError(absl::StrCat("The file's server redirects more than ",
                                                    limits::kArchiveRedirectsMax, " times"));
}

}  // namespace gateway::archive
