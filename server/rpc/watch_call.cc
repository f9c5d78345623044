#include "rpc/watch_call.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "base/errors.h"
#include "rpc/job_calls.h"
#include "rpc/large_answers.h"
#include "rpc/open_watches.h"

namespace gateway::rpc {

absl::Status CheckWatch(const v1::WatchJobRequest& request) {
  if (absl::Status named = CheckJobName(request.job_id()); !named.ok()) return named;
  return CheckView(request.view());
}

Duration LifeOf(const WatchLimits& limits, const Caller& caller, const Domain& domain) {
  // The life is spread, so that watches that began together do not end together.
  const auto life =
      std::chrono::duration_cast<Duration>(limits.max_life * (0.9 + 0.1 * domain.random.Uniform()));
  if (!caller.principal->until.has_value()) return life;
  // Who came with a token comes again with a newer one.
  return std::clamp<Duration>(*caller.principal->until - domain.clock.WallNow(), Duration::zero(),
                              life);
}

std::shared_ptr<watch::WatchStream> MakeWatch(const WatchLimits& limits, const Caller& caller,
                                              const v1::WatchJobRequest& request,
                                              watch::StreamSink& sink, const Domain& domain) {
  watch::WatchOptions options;
  options.after_revision = request.after_revision();
  options.heartbeat = limits.heartbeat;
  options.stuck = limits.stuck;
  options.max_life = LifeOf(limits, caller, domain);
  if (request.view() == v1::JOB_VIEW_FULL) {
    options.load_final = [&domain, holder = LargeAnswers::HolderOf(caller)](
                             jobs::SnapshotPtr snapshot,
                             std::function<void(absl::StatusOr<jobs::Frame>)> done) {
      LoadFull(domain, std::move(snapshot), holder, nullptr, std::move(done));
    };
  }
  options.degraded = [&domain](const std::string& account) {
    return domain.backend.IsDegraded(account);
  };
  options.estimates = domain.estimates;
  options.store_away = [&domain] { return domain.backend.IsStoreAway(); };
  return std::make_shared<watch::WatchStream>(std::move(options), domain.clock, sink);
}

namespace {

void Subscribe(const std::shared_ptr<watch::WatchStream>& stream, const jobs::Owner& owner,
               const std::string& name, std::int32_t after_revision, std::uint64_t connection,
               bool again, const Domain& domain) {
  jobs::Hub::LoadDone join = [=, &domain](absl::StatusOr<jobs::SnapshotPtr> found) {
    if (!found.ok()) return stream->End(found.status());
    domain.backend.Name((**found).key());
    jobs::Hub::Subscribed subscribed =
        domain.hub.Subscribe(owner.tenant, std::string((*found)->job_id()), stream, connection);
    // Deleted, pushed out of memory, or taken over by another job, in this very moment. An end that
    // was found is still good, and another name is found by looking once more.
    if (subscribed.present == nullptr) {
      if (!(*found)->final()) {
        if (again) return stream->End(errors::JobNotFound(name));
        return Subscribe(stream, owner, name, after_revision, connection, /*again=*/true, domain);
      }
      subscribed.present = *std::move(found);
    }
    stream->Begin(std::move(subscribed));
  };
  domain.backend.Load(owner, name, [=, &domain](absl::StatusOr<jobs::SnapshotPtr> found) {
    if (!found.ok() || (*found)->revision >= after_revision) return join(std::move(found));
    // Another gateway has told the caller more than this one has heard of so far.
    domain.hub.Load(owner.tenant, std::string((*found)->job_id()), join, after_revision);
  });
}

}  // namespace

void BeginWatch(const std::shared_ptr<watch::WatchStream>& stream, const Caller& caller,
                const v1::WatchJobRequest& request, const Domain& domain) {
  domain.open_watches->Add("WatchJob", caller.principal, stream);
  Subscribe(stream, caller.owner, request.job_id(), request.after_revision(),
            std::hash<std::string>()(caller.peer), /*again=*/false, domain);
}

}  // namespace gateway::rpc
