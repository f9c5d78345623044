#include "jobs/upload_desk.h"

#include <utility>

#include "base/limits.h"

namespace gateway::jobs {

void UploadDesk::Create(const Owner& owner, Request request, Done done) {
  const UpstreamPtr upstream = upstreams_.Of(owner.account);
  upstream->TakeTurn(Purpose::kChange, owner.tenant, clock_.Now() + upstream->patience(),
                     [upstream, request = std::move(request),
                      done = std::move(done)](absl::StatusOr<Upstream::Turn> turn) {
                       if (!turn.ok()) return done(turn.status());
                       upstream->CreateUpload(*std::move(turn), *request, done);
                     });
}

}  // namespace gateway::jobs
