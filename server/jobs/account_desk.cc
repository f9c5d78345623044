#include "jobs/account_desk.h"

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
    upstream->TakeTurn(purpose, owner.tenant, clock_.Now() + upstream->patience(),
                       [upstream, call = std::move(call),
                        done = std::move(done)](absl::StatusOr<Upstream::Turn> turn) {
                         if (!turn.ok()) return done(turn.status());
                         if (call.IsCancelled()) return done(errors::Cancelled());
                         Send(upstream, *std::move(turn), call, done);
                       });
    return;
  }
  absl::StatusOr<Upstream::Turn> turn = upstream->TakeLook(owner.OneOfSeveral());
  if (!turn.ok()) return done(turn.status());
  Send(upstream, *std::move(turn), std::move(call), std::move(done));
}

void AccountDesk::LookTwice(const Owner& owner, pictory::FreeCall first, pictory::FreeCall second,
                            BothDone done) {
  const UpstreamPtr upstream = upstreams_.Of(owner.account);
  absl::StatusOr<Upstream::Turn> turn = upstream->TakeLook(owner.OneOfSeveral(), 2);
  if (!turn.ok()) return done(turn.status());
  Send(upstream, *std::move(turn), std::move(first),
       [upstream, second = std::move(second), done = std::move(done)](absl::StatusOr<Answer> one) {
         if (!one.ok()) return done(one.status());
         Send(upstream, upstream->Borrow(Purpose::kLook), second,
              [one = *std::move(one), done](absl::StatusOr<Answer> other) {
                if (!other.ok()) return done(other.status());
                done(Both{one, *std::move(other)});
              });
       });
}

}  // namespace gateway::jobs
