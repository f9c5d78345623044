// Upstream is the gateway's one door to a Pictory account: every call to Pictory goes through it.
//
// A class that calls Pictory says for what purpose, and takes a turn: the right to one call, within
// the account's request budget and only while Pictory can be asked. What each answer says of the
// account (a rate limit, silence, refused credentials) is noted for all of them. Nobody but
// Upstream and its OutageWatch has a PictoryClient, so no call of the domain can be made without
// its turn, and no answer can be left unnoted.
//
// Thread-safe; no call blocks. Answers come on the threads of the transport and of the client's
// reader. What is passed to the constructor must outlive it. It is shared: who has a turn, or
// awaits one or an answer, holds it. The last one to let go of it does so on the thread of the
// timers, or after Stop().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "jobs/account.h"
#include "jobs/budget.h"
#include "jobs/job.h"
#include "jobs/outage.h"
#include "jobs/places.h"
#include "jobs/turn_line.h"
#include "pictory/client.h"
#include "pictory/translate.h"

namespace gateway::jobs {

// What a call to Pictory is for. The purpose decides whose share of the budget the call takes, and
// what its caller is told when it cannot be made.
enum class Purpose {
  kSubmit,  // a paid request
  kChange,  // what a caller wants done at Pictory that is free: a place to upload a file to, a
            // change of a preview; in the line of submits
  kPoll,    // how a followed job is doing: nobody waits for the answer
  kLook,    // what an operator, a caller or a webhook call wants to know or to have removed; in the
            // line of polls
};

struct UpstreamOptions {
  // Upstream sets `client.extra_request` and `client.may_repeat` itself.
  pictory::ClientOptions client;
  BudgetOptions budget;
  pictory::TranslateOptions translate{};     // how this account's requests are written
  http::HttpTransport* transport = nullptr;  // where its calls go; null: the constructor's
  // Why nothing is ever sent; OK for every account that is configured.
  absl::Status closed{};
  // Set by Upstreams: what the account is called, and what it shares with the others whose calls go
  // the same way.
  std::string account{};
  SharedPlaces places{};
};

// What happens to the account, for logs, metrics and watchers. Called on the threads that learn of
// it, under no lock; each may be empty.
struct UpstreamEvents {
  // `why` says why nothing is sent from now on; OK says that calls are sent again.
  std::function<void(const absl::Status& why)> rests;
  // What watchers see may lag from now on, or does not lag any more.
  std::function<void(bool degraded)> degraded_changed;
};

class Upstream : public std::enable_shared_from_this<Upstream> {
 public:
  // The right to one call, and the place of its request until it is answered. A turn that is
  // dropped unused is given back.
  class Turn {
   public:
    Turn(Turn&& other) noexcept = default;
    Turn& operator=(Turn&& other) noexcept {
      std::swap(upstream_, other.upstream_);
      std::swap(purpose_, other.purpose_);
      std::swap(place_, other.place_);
      return *this;
    }
    ~Turn();

   private:
    friend class Upstream;
    Turn(std::shared_ptr<Upstream> upstream, Purpose purpose, Places::Place place)
        : upstream_(std::move(upstream)), purpose_(purpose), place_(std::move(place)) {}
    // The call has begun, and keeps the place.
    Places::Place Use();

    std::shared_ptr<Upstream> upstream_;  // null: used
    Purpose purpose_;
    Places::Place place_;  // null for polls, whose places are the poller's
  };

  // Made by std::make_shared.
  Upstream(UpstreamOptions options, http::HttpTransport& transport, const Clock& clock,
           Timers& timers, UpstreamEvents events);
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  // Takes a turn; nullopt if nothing may be sent for that purpose now, or others wait in its line.
  // Of submits and changes the tenant is told, which may have a part of the places only.
  std::optional<Turn> TryTake(Purpose purpose, const std::string& tenant = {});
  // Takes a turn of kLook now, and with it so many of the account's looks (jobs/looks.h), or says
  // why there is none. An account of which nothing can be asked keeps its looks. `tenant` is one of
  // several, or empty.
  absl::StatusOr<Turn> TakeLook(const std::string& tenant, int looks = 1);
  // A turn that is there at once, for the further call of who has begun with a turn. Later calls
  // pay for it (Budget::Spend).
  Turn Borrow(Purpose purpose);
  // Waits for a turn of one's tenant, at most until `give_up`: `done` gets it, or why there is none
  // for a caller who cannot wait longer. Only for submits and changes.
  using TurnDone = std::function<void(absl::StatusOr<Turn>)>;
  void AwaitTurn(Purpose purpose, const std::string& tenant, MonoTime give_up, TurnDone done);
  // Takes a turn now if there is one, else waits for it.
  void TakeTurn(Purpose purpose, const std::string& tenant, MonoTime give_up, TurnDone done);
  // When TryTake could succeed, if nobody else takes a turn meanwhile. Never before now.
  MonoTime NextAt(Purpose purpose);
  // Why nothing can be sent now, for a caller who cannot wait until NextAt.
  absl::Status Refusal(Purpose purpose, const std::string& tenant = {});

  // Gets the authorization that Submit needs. An access token may have to be fetched for it, so it
  // is asked for before anything is recorded as sent.
  void Authorize(pictory::Credentials::Ready ready);
  // Sends the paid request at most once, whatever happens. `start_by` bounds the time it may queue.
  void Submit(Turn turn, pictory::Submission submission,
              const pictory::Authorization& authorization, MonoTime start_by,
              std::function<void(pictory::SubmitReply)> done);

  // How to ask about one job; see PictoryClient::GetJob.
  struct Question {
    std::string pictory_job_id;
    v1::JobKind kind = v1::JOB_KIND_UNSPECIFIED;
    std::uint64_t last_digest = 0;
    pictory::ReplySize size = pictory::ReplySize::kSmall;
    Duration timeout = limits::kPollTimeout;
  };
  void GetJob(Turn turn, const Question& question, std::function<void(pictory::JobReply)> done);
  void ListJobs(Turn turn, const std::string& page_key,
                std::function<void(absl::StatusOr<pictory::JobList>)> done);
  void CleanJob(Turn turn, const std::string& pictory_job_id,
                std::function<void(absl::Status)> done);
  void CreateUpload(Turn turn, const v1::CreateUploadRequest& request,
                    std::function<void(absl::StatusOr<v1::CreateUploadResponse>)> done);
  void Ask(Turn turn, pictory::FreeCall call,
           std::function<void(absl::StatusOr<std::string>)> done);

  // Uses another API key or client secret from now on. Pictory is asked at once whether it accepts
  // it.
  void ReplaceSecret(Secret secret);

  // Whether nothing is sent, because Pictory cannot be reached or refuses the credentials.
  bool resting() const { return account_.resting(); }
  bool credentials_refused() const { return account_.credentials_refused(); }
  // Whether polls get no answers at present, so that what watchers see may lag.
  bool degraded() const { return account_.degraded(); }
  // Notes that no job is followed, so that none can lag.
  void NoteNothingFollowed() { account_.NoteNothingFollowed(); }
  Account::Pace pace() { return account_.pace(); }
  // The account's rate is for so many processes (Budget::ShareWith).
  void ShareWith(int processes) { account_.ShareWith(processes); }
  double requests_per_second() const { return account_.requests_per_second(); }
  // See Account.
  Duration patience() const { return account_.patience(); }
  const pictory::TranslateOptions& translate() const { return translate_; }

  // No call that Upstream makes by itself starts after this; calls of others may.
  void Stop() { outage_.Stop(); }

 private:
  friend class UpstreamPeer;  // of the tests

  // The places of the requests for that purpose; null for polls.
  Places* PlacesOf(Purpose purpose) const;
  Places::Holder HolderOf(const std::string& tenant) const { return {name_, tenant}; }
  void NoteSubmit(const pictory::SubmitReply& reply);
  void NoteJob(Purpose purpose, const pictory::JobReply& reply);

  const pictory::TranslateOptions translate_;
  const std::string name_;
  const SharedPlaces places_;
  Account account_;
  pictory::PictoryClient client_;
  OutageWatch outage_;
  TurnLine line_;
};

using UpstreamPtr = std::shared_ptr<Upstream>;

}  // namespace gateway::jobs
