#include "simulation/world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace gateway::simulation {
namespace {

using namespace std::chrono_literals;

// After the day: long enough for whatever is still to come.
constexpr Duration kQuiet = 6h;
// For so long a request that was sent is followed at most: its own timeout, and a little.
constexpr Duration kFollowed = 33s;
// Longer than unfinished jobs are asked for: nobody could ask in that time, so none has grown old
// by it.
constexpr Duration kSilence = 8 * 24h;
// More than this in ten seconds is over the budget: the burst, and ten seconds' worth.
constexpr Duration kBudgetWindow = 10s;
// On one day of so many callers pay with keys of their own.
constexpr std::uint64_t kCallersPayEvery = 4;
// After a start each key is shown again within this time.
constexpr Duration kKeysShown = 30min;

}  // namespace

World::World(const WorldOptions& options)
    : options_(options),
      random_(options.seed),
      gateway_random_(options.seed ^ 0x9E3779B97F4A7C15ULL),
      umpire_(clock_, [this](const std::string& what) { Fail(what); }),
      callers_pay_(options.gateways == 1 && options.seed % kCallersPayEvery == 0) {
  process_options_.budget = {.requests_per_second = Chance(0.3) ? 1.0 : 5.0, .burst = 10};
  process_options_.webhooks = Chance(0.8);
  pictory_ = std::make_unique<SimPictory>(
      clock_, random_, DrawWeather(),
      [this](const std::string& token, const std::string& id) { OnWebhookCall(token, id); });
  for (int number = 0; number < options.gateways; ++number) {
    seats_.push_back(std::make_unique<Seat>(number, clock_, *pictory_));
  }
  if (several()) {
    Share();
  } else {
    store_ = std::make_unique<SimStore>(seats_.front()->clock, random_, options.bugs.store);
  }
}

World::~World() {
  callers_.clear();  // their watches leave the hub before it goes
  for (auto& seat : seats_) EndProcess(*seat);
}

// What is under way goes before what it refers to.
void World::EndProcess(Seat& seat) {
  seat.clock.End();
  several() ? seat.store->Crash() : store_->Crash();
  seat.process.reset();
  seat.clock.End();  // what was planned as it went
}

jobs::Store& World::disk() { return several() ? database_->rows() : store_->disk(); }

Seat& World::AnySeat() { return several() ? *seats_[random_() % seats_.size()] : *seats_.front(); }

Process* World::Any(bool stopped_too) {
  if (!several()) return seats_.front()->process.get();
  const std::size_t first = random_() % seats_.size();
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const Seat& seat = *seats_[(first + i) % seats_.size()];
    if (seat.process != nullptr && (stopped_too || !seat.clock.stopped())) {
      return seat.process.get();
    }
  }
  return nullptr;
}

Process* World::process() { return Any(/*stopped_too=*/false); }
Process* World::door() { return Any(/*stopped_too=*/true); }

Seat& World::SeatOf(const Process* process) {
  return **std::find_if(seats_.begin(), seats_.end(),
                        [process](const auto& seat) { return seat->process.get() == process; });
}

bool World::Chance(double probability) {
  return static_cast<double>(random_() >> 11) * 0x1.0p-53 < probability;
}

Duration World::Between(Duration least, Duration most) {
  const auto spread = static_cast<std::uint64_t>((most - least).count());
  return least + Duration(static_cast<Duration::rep>(random_() % (spread + 1)));
}

void World::Tell(const std::string& what) {
  if (!options_.tell) return;
  const double hours =
      std::chrono::duration<double, std::ratio<3600>>(clock_.Now().time_since_epoch()).count();
  std::fprintf(stderr, "%9.4f h  %s\n", hours, what.c_str());
}

void World::Fail(const std::string& what) {
  Tell("FAILED: " + what);
  if (!failure_.has_value()) failure_ = what;
}

// Each kind of trouble is there on some days only, so that the others are seen alone as well.
Weather World::DrawWeather() {
  Weather weather;
  const auto some = [this](double most) {
    return Chance(0.5) ? most * static_cast<double>(random_() % 1000) / 1000 : 0.0;
  };
  weather.not_sent = some(0.2);
  weather.rate_limited = some(0.1);
  weather.refused = some(0.1);
  weather.unavailable = some(0.1);
  weather.lost = some(0.1);
  weather.lost_answer = some(0.2);
  weather.broken_answer = some(0.1);
  weather.slow_answer = some(0.05);
  weather.poll_trouble = some(0.3);
  weather.poll_unknown = some(0.5);
  weather.flaps = some(0.5);
  weather.cleaned = some(0.1);
  weather.late_result = some(0.5);
  weather.odd_text = some(0.5);
  weather.odd_word = some(0.3);
  weather.never_ends = some(0.02);
  weather.webhook_lost = some(0.8);
  weather.webhook_twice = some(0.5);
  weather.webhook_early = some(0.6);
  weather.webhook_wrong = some(0.1);
  weather.outages_per_day = some(6);
  weather.transport_lies = options_.bugs.transport_lies;
  weather.transport_resends = options_.bugs.transport_resends;
  weather.sends_late = options_.bugs.sends_late;
  return weather;
}

void World::Start(Seat& seat) {
  if (several() && !database_->reachable(seat.number)) {
    return clock_.InWorld(Between(1s, 3s), [this, &seat] { Start(seat); });
  }
  Tell("start" + NameOf(seat));
  ++seat.starts;
  seat.ending = false;
  for (auto& [token, heard] :
       webhook_calls_) {  // what was answered is to be known again from here on
    if (heard.answered) heard = {clock_.Now(), statistics_.crashes, true};
  }
  ProcessOptions process_options = process_options_;
  if (several()) {
    Disturb(Duration(0));
    process_options.polled = [this, &seat](const jobs::Snapshot& job) {
      const MonoTime asked = seat.line.asked(std::string(job.pictory_job_id()));
      umpire_.OnPolled(seat.number, job, job.shard, asked);
    };
  }
  jobs::Store& store = several() ? static_cast<jobs::Store&>(*seat.store) : *store_;
  seat.process =
      std::make_unique<Process>(process_options, seat.clock, store, seat.line, gateway_random_);
  if (!callers_pay_) return;
  for (int purse = 0; purse < Caller::kPurses; ++purse) {
    clock_.InWorld(Between(1s, kKeysShown), [this, purse, &seat] {
      if (seat.process != nullptr) ShowKey(seat.process.get(), Caller::KeyOf(purse));
    });
  }
}

std::string World::ShowKey(Process* process, const std::string& key) {
  if (!callers_pay_) return jobs::kDefaultAccount;
  return process->ShowKey(options_.bugs.one_purse ? Caller::KeyOf(0) : key);
}

void World::Crash(Seat& seat, const char* why) {
  // In the calm nobody is killed, but a program whose store fails ends still.
  if (seat.process == nullptr || (calm_ && !store_fails_)) return;
  Tell(why + NameOf(seat));
  ++statistics_.crashes;
  for (auto& caller : callers_) caller->OnCrash(seat.process.get());
  EndProcess(seat);
  store_fails_ = false;
  if (several()) Disturb(Duration(0));
  const bool long_away = several() && Chance(0.2);
  clock_.InWorld(long_away ? Between(10s, 5min) : Between(100ms, 30s),
                 [this, &seat] { Start(seat); });
}

// SIGTERM: who waits is told, what was sent is followed, and what is owed is written down.
void World::EndInOrder(Seat& seat) {
  if (seat.process == nullptr || seat.ending || calm_) return;
  Tell("ends in order" + NameOf(seat));
  ++statistics_.ends;
  seat.ending = true;
  if (several()) Disturb(kFollowed);
  seat.process->Call([&seat] {
    seat.process->Leave();
    seat.process->submitter().AnswerUnconfirmed();
  });
  clock_.InWorld(kFollowed, [this, &seat, starts = seat.starts] {
    // Killed meanwhile, or about to be.
    if (seat.process == nullptr || starts != seat.starts || store_fails_ || calm_) return;
    if (several()) {
      if (seat.clock.stopped()) return;
      if (database_->reachable(seat.number)) seat.store->Close();
      return Crash(seat, "ended in order");
    }
    if (seat.process->submitter().running() > 0) Fail("a submit was not followed to its end");
    store_->EndEpoch(seat.process->owed().StillOwed(), [](const absl::Status&) {});
    Crash(seat, "ended in order");
  });
}

// A full disk: no commit succeeds, and the program ends.
void World::FailStore() {
  if (several() || seats_.front()->process == nullptr || calm_) return;
  store_fails_ = true;
  store_->FailCommits(
      [this] { clock_.InWorld(Between(1ms, 200ms), [this] { Crash("the store fails"); }); });
}

void World::MakeStoreBusy(Duration how_long) {
  if (several() || seats_.front()->process == nullptr || calm_ || !busy_day_) return;
  Tell("the store is busy");
  ++statistics_.busy;
  store_->BeBusy(how_long);
}

// Nobody speaks to anybody for more than a week: the gateway is off, or it is there and Pictory is
// not.
void World::KeepSilent() {
  Tell("silence");
  // A gateway that is off at this moment is started within the next minute.
  Seat& seat = *seats_.front();
  if (Chance(0.5) || seat.process == nullptr) return pictory_->BeginOutage(kSilence);
  for (auto& caller : callers_) caller->OnCrash(seat.process.get());
  EndProcess(seat);
  clock_.InWorld(kSilence - 1min, [this, &seat] { Start(seat); });
}

void World::PlanDay() {
  for (int i = 0; i < options_.requests; ++i) {
    callers_.push_back(std::make_unique<Caller>(*this, i));
    clock_.InWorld(Between(Duration(0), options_.length * 5 / 6),
                   [caller = callers_.back().get()] { caller->Begin(); });
  }
  // Some days the gateway is killed all the time, on some never.
  const int crashes = Chance(0.2) ? 0 : static_cast<int>(random_() % 60);
  for (int i = 0; i < crashes; ++i) {
    clock_.InWorld(Between(Duration(0), options_.length), [this] { Crash("killed"); });
  }
  // And where it hurts: in the middle of a submission.
  const int in_submits = Chance(0.5) ? static_cast<int>(random_() % 30) : 0;
  for (int i = 0; i < in_submits; ++i) {
    clock_.InWorld(Between(Duration(0), options_.length * 5 / 6), [this] {
      auto* caller = callers_[random_() % callers_.size()].get();
      caller->Begin();
      clock_.InWorld(Between(0us, 700ms), [this] { Crash("killed while submitting"); });
    });
  }
  const int in_writes = Chance(0.5) ? static_cast<int>(random_() % 60) : 0;
  for (int i = 0; i < in_writes; ++i) {
    clock_.InWorld(Between(Duration(0), options_.length), [this] { KillInTheNextWrite(); });
  }
  const int in_acceptances = Chance(0.5) ? static_cast<int>(random_() % 30) : 0;
  for (int i = 0; i < in_acceptances; ++i) {
    clock_.InWorld(Between(Duration(0), options_.length * 5 / 6), [this] {
      pictory_->OnNextAcceptance([this](Duration until_answer) {
        clock_.InWorld(until_answer + Between(0us, 3ms),
                       [this] { Crash("killed while accepting"); });
      });
    });
  }
  const int ends = Chance(0.5) ? static_cast<int>(random_() % 20) : 0;
  for (int i = 0; i < ends; ++i) {
    clock_.InWorld(Between(Duration(0), options_.length * 5 / 6), [this] {
      pictory_->OnNextAcceptance([this](Duration) {
        clock_.InWorld(Between(0us, 1s), [this] { EndInOrder(AnySeat()); });
      });
    });
  }
  if (Chance(0.1)) clock_.InWorld(Between(Duration(0), options_.length), [this] { FailStore(); });
  const int busy = busy_day_ ? static_cast<int>(random_() % 20) : 0;
  for (int i = 0; i < busy; ++i) {
    clock_.InWorld(Between(Duration(0), options_.length),
                   [this] { MakeStoreBusy(Between(100ms, 3min)); });
    clock_.InWorld(Between(Duration(0), options_.length), [this] {
      pictory_->OnNextAcceptance([this](Duration) { MakeStoreBusy(Between(100ms, 2min)); });
    });
  }
  const int outages = static_cast<int>(pictory_->weather().outages_per_day);
  for (int i = 0; i < outages; ++i) {
    clock_.InWorld(Between(Duration(0), options_.length), [this] {
      if (!calm_) pictory_->BeginOutage(Between(10s, 40min));
    });
  }
  for (int i = 0; i < 3; ++i) {
    clock_.InWorld(Between(Duration(0), options_.length), [this] {
      for (const auto& caller : callers_) {
        if (caller->depends_on_wall_clock()) return;
      }
      clock_.JumpWall(Chance(0.5) ? Duration(1h) : Duration(-1h), limits::kClockSlack);
    });
  }
  if (several()) PlanSharing();
  for (Duration at = 1h; at < options_.length; at += 1h) {
    clock_.InWorld(at, [this] { ResolveUnconfirmeds(4h); });
  }
}

void World::ResolveUnconfirmeds(Duration older_than) {
  for (auto& caller : callers_) {
    if (calm_ || Chance(0.3)) caller->ResolveUnconfirmed(older_than);
  }
}

void World::OnWebhookCall(const std::string& token, const std::string& pictory_job_id) {
  ++statistics_.webhook_calls;
  Process* const process = door();
  if (process == nullptr) return;
  if (pictory_->Find(pictory_job_id) != nullptr) {
    webhook_calls_.emplace(token, Heard{clock_.Now(), statistics_.crashes});
  }
  process->Call([this, process, token, pictory_job_id] {
    process->resolver().OnWebhookCall(token, {pictory_job_id},
                                      [this, token](const absl::Status& kept) {
                                        const auto found = webhook_calls_.find(token);
                                        if (kept.ok() && found != webhook_calls_.end())
                                          found->second.answered = true;
                                      });
  });
}

bool World::WasCalledBack(const std::string& token, Duration ago) const {
  const auto found = webhook_calls_.find(token);
  if (found == webhook_calls_.end()) return false;
  // The gateway that was called and could not keep what was said may not be the one that asks.
  if (several() && !found->second.answered) return false;
  return found->second.crashes == statistics_.crashes && clock_.Now() - found->second.when >= ago;
}

// Between what was asked of the store and what it made of it.
void World::KillInTheNextWrite() {
  Seat& seat = AnySeat();
  OnNextWrite(seat, [this, &seat] {
    clock_.InWorld(Between(0us, 4ms), [this, &seat] { Crash(seat, "killed while storing"); });
  });
}

void World::OnNextWrite(Seat& seat, std::function<void()> then) {
  several() ? seat.store->OnNextWrite(std::move(then)) : store_->OnNextWrite(std::move(then));
}

void World::CheckBudget() {
  if (several()) return CheckBudgetOfAll();
  const jobs::BudgetOptions& budget = process_options_.budget;
  const double most =
      budget.burst + 1 +
      budget.requests_per_second * std::chrono::duration<double>(kBudgetWindow).count();
  // A new process has a full bucket, whatever the one before has used.
  if (statistics_.crashes > 0 || callers_pay_) return;  // each key has its own
  const int seen = pictory_->RequestsIn(kBudgetWindow);
  if (seen > static_cast<int>(most))
    Fail(std::to_string(seen) + " requests in 10 s are over the budget");
}

std::optional<std::string> World::Run() {
  for (auto& seat : seats_) Start(*seat);
  PlanDay();
  const auto stop = [this] {
    if (several()) CheckHeld();
    CheckBudget();
    return failure_.has_value();
  };
  MonoTime evening = clock_.Now() + options_.length;
  clock_.Run(evening, stop);
  if (failure_.has_value()) return failure_;
  calm_ = true;
  pictory_->ClearUp();
  if (several()) EndTrouble();
  if (!several() && Chance(0.1)) {
    ++statistics_.silences;
    KeepSilent();
    clock_.Run(evening += kSilence, stop);
  }
  Seat& first = *seats_.front();
  if (!several() && first.process == nullptr)
    clock_.InWorld(1min, [this, &first] {
      if (first.process == nullptr) Start(first);
    });
  clock_.Run(evening + kQuiet, stop);
  for (int round = 0; round < 3 && !failure_.has_value(); ++round) {
    ResolveUnconfirmeds(Duration(0));
    clock_.Run(evening + kQuiet + (round + 1) * 2h, stop);
  }
  if (!failure_.has_value()) CheckEnd();
  statistics_.accepted = pictory_->jobs().size();
  return failure_;
}

void World::CheckEnd() {
  if (several()) CheckSpent();
  if (const std::string& job = pictory_->asked_by_a_stranger(); !job.empty()) return Fail(job);
  for (const Upstream& job : pictory_->jobs()) {
    if (pictory_->Accepted(job.name) > 1) {
      return Fail(job.name + " was accepted " + std::to_string(pictory_->Accepted(job.name)) +
                  " times");
    }
  }
  for (auto& caller : callers_) {
    caller->CheckEnd();
    if (failure_.has_value()) return;
  }
}

}  // namespace gateway::simulation
