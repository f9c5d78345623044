#include "rpc/job_calls.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/sha256.h"
#include "base/stable_bytes.h"
#include "rpc/canonical.h"
#include "rpc/large_answers.h"
#include "rpc/pressure.h"
#include "rpc/times.h"

namespace gateway::rpc {
namespace {

constexpr std::size_t kFilterHashBytes = 8;

// A hash of what must stay the same from page to page.
std::string FilterHash(const std::string& tenant, v1::ListJobsRequest request) {
  request.clear_page_size();
  request.clear_page_token();
  Sha256Stream digest;
  AppendCanonical(tenant, digest);
  AppendCanonical(request, digest);
  return digest.Finish().substr(0, kFilterHashBytes);
}

bool Degraded(const Domain& domain, const std::string& account) {
  return domain.backend.IsDegraded(account);
}

absl::StatusOr<std::string> ReadToken(const std::string& tenant,
                                      const v1::ListJobsRequest& request) {
  std::string bytes;
  if (absl::WebSafeBase64Unescape(request.page_token(), &bytes) &&
      bytes.size() > kFilterHashBytes) {
    std::string job_id = bytes.substr(kFilterHashBytes);
    if (bytes.compare(0, kFilterHashBytes, FilterHash(tenant, request)) != 0) {
      return errors::Invalid("page_token", "belongs to a list with other filters");
    }
    if (IsCallerId(job_id)) return job_id;
  }
  return errors::Invalid("page_token",
                         "is no token of this server; use next_page_token as it was given");
}

}  // namespace

absl::Status CheckView(v1::JobView view) {
  if (v1::JobView_IsValid(view)) return absl::OkStatus();
  return errors::Invalid("view", "is " + std::to_string(view) + ", which is no view of a job");
}

namespace {

// A FullRead is one FULL view on its way through the store.
struct FullRead {
  const Domain& domain;
  const jobs::SnapshotPtr snapshot;
  const LargeAnswers::Holder holder;
  const std::shared_ptr<const std::atomic<bool>> cancelled;
  const std::function<void(absl::StatusOr<jobs::Frame>)> done;
  LargeAnswers::HeldPtr held{};

  bool unwanted() const { return cancelled != nullptr && cancelled->load(); }
  bool degraded() const { return Degraded(domain, snapshot->account); }
  void Read(std::int64_t bytes, jobs::StoreCallback<jobs::PartChunk> then) const {
    domain.store.ReadPart(snapshot->tenant, std::string(snapshot->job_id()),
                          v1::RESULT_PART_RESULT_JSON, 0, bytes, std::move(then));
  }
};

absl::StatusOr<jobs::Frame> MakeFull(const FullRead& full,
                                     const absl::StatusOr<jobs::PartChunk>& part) {
  if (!part.ok()) return part.status();
  if (full.unwanted()) return errors::Cancelled();
  const absl::StatusOr<std::string> result =
      full.domain.backend.ReadFull(part->data, full.snapshot->kind);
  if (!result.ok()) return result.status();
  jobs::Frame frame = jobs::FullFrame(*full.snapshot, *result, full.degraded());
  if (full.held != nullptr) full.held->ShrinkTo(frame->size());
  return Keep(std::move(frame), full.held);
}

}  // namespace

void LoadFull(const Domain& domain, jobs::SnapshotPtr snapshot, LargeAnswers::Holder holder,
              std::shared_ptr<const std::atomic<bool>> cancelled,
              std::function<void(absl::StatusOr<jobs::Frame>)> done) {
  const auto full = std::make_shared<FullRead>(FullRead{
      domain, std::move(snapshot), std::move(holder), std::move(cancelled), std::move(done)});
  full->Read(0, [full](absl::StatusOr<jobs::PartChunk> size) {
    // The BASIC view names what it leaves out. A result that is so large would be left out of the
    // FULL one just as well, so it is not even read.
    const bool basic =
        absl::IsNotFound(size.status()) ||
        (size.ok() && size->total_bytes > static_cast<std::int64_t>(limits::kFullViewReadMaxBytes));
    if (basic) return full->done(jobs::JobFrame(full->snapshot, full->degraded()));
    if (!size.ok()) return full->done(size.status());
    if (full->unwanted()) return full->done(errors::Cancelled());
    // The store reads one part after the other, so that the JSON of one at a time is in memory.
    // What is made of it stays until the caller has it.
    absl::StatusOr<LargeAnswers::HeldPtr> held = full->domain.large_answers->Hold(
        std::min(static_cast<std::size_t>(size->total_bytes), limits::kFullViewMaxBytes),
        full->holder);
    if (!held.ok()) return full->done(held.status());
    full->held = *std::move(held);
    full->Read(size->total_bytes, [full](const absl::StatusOr<jobs::PartChunk>& part) {
      full->done(MakeFull(*full, part));
    });
  });
}

absl::Status MayLoad(const Domain& domain, const std::string& tenant, const std::string& name) {
  const bool sheds = domain.shedding != nullptr && domain.shedding->Sheds(Shed::kReads);
  if (!sheds || domain.hub.Find(tenant, name) != nullptr) return absl::OkStatus();
  return UnderPressure(domain, Shed::kReads);
}

void GetJob(const Caller& caller, std::shared_ptr<v1::GetJobRequest> request, const Reply& reply,
            const Domain& domain) {
  if (absl::Status named = CheckJobName(request->job_id()); !named.ok()) {
    return reply(std::move(named));
  }
  if (absl::Status view = CheckView(request->view()); !view.ok()) return reply(std::move(view));
  if (absl::Status may = MayLoad(domain, caller.tenant, request->job_id()); !may.ok()) {
    return reply(std::move(may));
  }
  const bool full = request->view() == v1::JOB_VIEW_FULL;
  domain.backend.Load(
      caller.owner, request->job_id(),
      [reply, full, holder = LargeAnswers::HolderOf(caller),
       &domain](absl::StatusOr<jobs::SnapshotPtr> found) {
        if (!found.ok()) return reply(found.status());
        const jobs::Snapshot& job = **found;
        domain.backend.Name(job.key());
        if (!full || job.state != v1::JOB_STATE_SUCCEEDED) {
          return reply(jobs::FrameOf(domain.estimates, *found, Degraded(domain, job.account)));
        }
        if (absl::Status shed = UnderPressure(domain, Shed::kReads); !shed.ok()) {
          return reply(std::move(shed));
        }
        LoadFull(domain, *found, holder, reply.cancelled(),
                 [reply](absl::StatusOr<jobs::Frame> frame) {
                   if (!frame.ok()) return reply(frame.status());
                   reply(*std::move(frame));
                 });
      });
}

std::string PageToken(const std::string& tenant, const v1::ListJobsRequest& request,
                      const std::string& last_job_id) {
  return absl::WebSafeBase64Escape(FilterHash(tenant, request) + last_job_id);
}

namespace {

template <class Request>
std::vector<errors::Violation> WrongStatesAndKinds(const Request& request) {
  std::vector<errors::Violation> violations;
  for (int i = 0; i < request.states_size(); ++i) {
    const v1::JobState state = request.states(i);
    if (!v1::JobState_IsValid(state) || state == v1::JOB_STATE_UNSPECIFIED) {
      violations.push_back({"states[" + std::to_string(i) + "]", "is no state of a job"});
    }
  }
  for (int i = 0; i < request.kinds_size(); ++i) {
    if (!v1::JobKind_IsValid(request.kinds(i))) {
      violations.push_back({"kinds[" + std::to_string(i) + "]", "is no kind of job"});
    }
  }
  return violations;
}

}  // namespace

std::vector<errors::Violation> ViolationsOfFilter(const v1::ListJobsRequest& request) {
  return WrongStatesAndKinds(request);
}

std::vector<errors::Violation> ViolationsOfFilter(const v1::WatchJobsRequest& request) {
  return WrongStatesAndKinds(request);
}

absl::StatusOr<jobs::ListQuery> ToQuery(const std::string& tenant,
                                        const v1::ListJobsRequest& request) {
  jobs::ListQuery query;
  std::vector<errors::Violation> violations = ViolationsOfFilter(request);
  for (int i = 0; i < request.states_size(); ++i) query.states.push_back(request.states(i));
  for (int i = 0; i < request.kinds_size(); ++i) query.kinds.push_back(request.kinds(i));
  for (const auto& [key, value] : request.labels()) query.labels[key] = value;
  if (request.has_created_from() && !ReadTime(request.created_from(), query.created_from)) {
    violations.push_back({"created_from", "is no valid time"});
  }
  if (request.has_created_until() && !ReadTime(request.created_until(), query.created_until)) {
    violations.push_back({"created_until", "is no valid time"});
  }
  if (request.page_size() < 0) {
    violations.push_back({"page_size", "must not be negative"});
  }
  query.limit = request.page_size() == 0 ? limits::kListPageDefault
                                         : std::min(request.page_size(), limits::kListPageMax);
  ++query.limit;  // one more shows whether there is a next page
  if (!request.page_token().empty()) {
    const absl::StatusOr<std::string> before = ReadToken(tenant, request);
    if (before.ok()) {
      query.before_job_id = *before;
    } else {
      for (errors::Violation& v : errors::Violations(before.status())) {
        violations.push_back(std::move(v));
      }
    }
  }
  if (!violations.empty()) return errors::Invalid(std::move(violations));
  return query;
}

namespace {

v1::ListJobsResponse MakePage(const std::string& tenant, const v1::ListJobsRequest& request,
                              std::size_t page_size, const std::vector<jobs::JobRecord>& found,
                              const Domain& domain) {
  v1::ListJobsResponse response;
  std::size_t read = 0;
  std::size_t bytes = 0;
  bool more = false;
  for (const jobs::JobRecord& record : found) {
    read += record.job.result_wire.size();
    v1::Job job = jobs::ToListProto(record.job);
    job.set_upstream_degraded(Degraded(domain, record.job.account));
    if (domain.estimates != nullptr) {
      if (auto estimate = domain.estimates->Of(record, job.upstream_degraded())) {
        *job.mutable_estimate() = *std::move(estimate);
      }
    }
    bytes += job.ByteSizeLong();
    // Clients take 4 MiB by default: a page of fat jobs is shorter.
    more = static_cast<std::size_t>(response.jobs_size()) >= page_size ||
           (bytes > limits::kFullViewMaxBytes && response.jobs_size() > 0);
    if (more) break;
    *response.add_jobs() = std::move(job);
  }
  // A page is shorter too if the store has ended it before it knew whether there is more.
  if (more || read >= limits::kListReadMaxBytes) {
    response.set_next_page_token(
        PageToken(tenant, request, response.jobs(response.jobs_size() - 1).job_id()));
  }
  return response;
}

}  // namespace

void ListJobs(const Caller& caller, std::shared_ptr<v1::ListJobsRequest> request,
              const Reply& reply, const Domain& domain) {
  absl::StatusOr<jobs::ListQuery> query = ToQuery(caller.tenant, *request);
  if (!query.ok()) return reply(query.status());
  if (absl::Status shed = UnderPressure(domain, Shed::kReads); !shed.ok()) {
    return reply(std::move(shed));
  }
  const auto page_size = static_cast<std::size_t>(query->limit - 1);
  domain.store.List(
      caller.tenant, *std::move(query),
      [reply, request, page_size, tenant = caller.tenant, holder = LargeAnswers::HolderOf(caller),
       &domain](absl::StatusOr<std::vector<jobs::JobRecord>> found) {
        if (!found.ok()) return reply(found.status());
        auto frame = std::make_shared<const std::string>(
            StableBytes(MakePage(tenant, *request, page_size, *found, domain)));
        absl::StatusOr<LargeAnswers::HeldPtr> held =
            domain.large_answers->Hold(frame->size(), holder);
        if (!held.ok()) return reply(held.status());
        reply(Keep(std::move(frame), *std::move(held)));
      });
}

}  // namespace gateway::rpc
