#include "jobs/account_desk.h"

#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::jobs {
namespace {

void Send(const UpstreamPtr& upstream, Upstream::Turn turn, pictory::FreeCall call,
          AccountDesk::Done done) {
  const bool loopback = upstream->translate().allow_loopback_urls;
  upstream->Ask(std::move(turn), std::move(call),
                [loopback, done = std::move(done)](absl::StatusOr<std::string> body) {
                  if (!body.ok()) return done(body.status());
                  done(AccountDesk::Answer{*std::move(body), loopback});
                });
}

}  // namespace

void AccountDesk::Ask(const Owner& owner, Purpose purpose, pictory::FreeCall call, Done done) {
  const UpstreamPtr upstream = upstreams_.Of(owner.account);
  if (purpose == Purpose::kChange) {
    upstream->TakeTurn(purpose, owner.tenant, clock_.Now() + limits::kSubmitBudgetMaxWait,
                       [upstream, call = std::move(call),
                        done = std::move(done)](absl::StatusOr<Upstream::Turn> turn) {
                         if (!turn.ok()) return done(turn.status());
                         Send(upstream, *std::move(turn), call, done);
                       });
    return;
  }
  if (const Duration wait = upstream->TakeLook(); wait > Duration::zero()) {
    return done(errors::BudgetExhausted(wait, errors::Call::kFree));
  }
  std::optional<Upstream::Turn> turn = upstream->TryTake(purpose);
  if (!turn.has_value()) return done(upstream->Refusal(purpose));
  Send(upstream, *std::move(turn), std::move(call), std::move(done));
}

}  // namespace gateway::jobs
