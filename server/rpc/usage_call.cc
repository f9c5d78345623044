#include "rpc/usage_call.h"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "base/stable_bytes.h"
#include "jobs/label_use.h"
#include "rpc/large_answers.h"
#include "rpc/pressure.h"
#include "rpc/times.h"

namespace gateway::rpc {
namespace {

// One GetUsage that counts jobs, which it reads a page after the other: so it holds up other reads
// of lists for no longer than they do each other.
class Counting : public std::enable_shared_from_this<Counting> {
 public:
  Counting(const Caller& caller, const Reply& reply, const Domain& domain, std::string key,
           jobs::ListQuery query)
      : owner_(caller.owner),
        holder_(LargeAnswers::HolderOf(caller)),
        reply_(reply),
        cancelled_(reply.cancelled()),
        domain_(domain),
        query_(std::move(query)),
        use_(std::move(key)) {}

  void ReadPage() {
    if (cancelled_ != nullptr && *cancelled_) return;
    if (absl::Status shed = UnderPressure(domain_, Shed::kReads); !shed.ok()) {
      return reply_(std::move(shed));
    }
    domain_.store.List(
        owner_.tenant, query_,
        [self = shared_from_this()](const absl::StatusOr<std::vector<jobs::JobRecord>>& page) {
          if (!page.ok()) return self->reply_(page.status());
          self->Count(*page);
        });
  }

 private:
  void Count(const std::vector<jobs::JobRecord>& page) {
    for (const jobs::JobRecord& record : page) {
      if (use_.jobs() == limits::kUsageJobsMax) return Answer(true);
      use_.Add(record);
      query_.before_job_id = record.job.job_id;
      oldest_ = record.job.create_time;
    }
    // A page that is not full need not be the last one: a store may end it early.
    if (page.empty()) return Answer(false);
    ReadPage();
  }

  void Answer(bool more) {
    domain_.backend.GetUsage(
        owner_, [self = shared_from_this(), more](absl::StatusOr<v1::GetUsageResponse> usage) {
          if (!usage.ok()) return self->reply_(usage.status());
          self->Tell(*std::move(usage), more);
        });
  }

  void Tell(v1::GetUsageResponse usage, bool more) {
    const auto set = [](const jobs::LabelUse::Sum& sum, v1::GetUsageResponse::LabelUse& out) {
      out.set_jobs(sum.jobs);
      out.set_credits(sum.credits);
    };
    for (const jobs::LabelUse::Value& one : use_.values()) {
      v1::GetUsageResponse::LabelUse& out = *usage.add_by_label();
      if (one.value.has_value()) out.set_value(*one.value);
      set(one.sum, out);
    }
    if (use_.others().jobs > 0) set(use_.others(), *usage.mutable_by_label_others());
    if (more) SetTime(oldest_, *usage.mutable_by_label_from());
    auto frame = std::make_shared<const std::string>(StableBytes(usage));
    absl::StatusOr<LargeAnswers::HeldPtr> held =
        domain_.large_answers->Hold(frame->size(), holder_);
    if (!held.ok()) return reply_(held.status());
    reply_(Keep(std::move(frame), *std::move(held)));
  }

  const jobs::Owner owner_;
  const LargeAnswers::Holder holder_;
  const Reply reply_;
  const std::shared_ptr<const std::atomic<bool>> cancelled_;
  const Domain& domain_;
  jobs::ListQuery query_;
  jobs::LabelUse use_;
  WallTime oldest_{};
};

}  // namespace

void GetUsage(const Caller& caller, std::shared_ptr<v1::GetUsageRequest> request,
              const Reply& reply, const Domain& domain) {
  jobs::ListQuery query{.limit = limits::kUsagePage, .without_results = true};
  if (request->has_created_from()) {
    if (request->label_key().empty()) {
      return reply(errors::Invalid({{"created_from", "needs a label_key"}}));
    }
    if (!ReadTime(request->created_from(), query.created_from)) {
      return reply(errors::Invalid({{"created_from", "is no valid time"}}));
    }
  }
  if (request->label_key().empty()) {
    return domain.backend.GetUsage(caller.owner,
                                   [reply](const absl::StatusOr<v1::GetUsageResponse>& usage) {
                                     usage.ok() ? reply(*usage) : reply(usage.status());
                                   });
  }
  std::make_shared<Counting>(caller, reply, domain, request->label_key(), std::move(query))
      ->ReadPage();
}

}  // namespace gateway::rpc
