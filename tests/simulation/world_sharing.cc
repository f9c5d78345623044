// The part of World that only several gateways have: what happens to them and to the database that
// they share, and the budget that they share.
#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "simulation/world.h"

namespace gateway::simulation {
namespace {

using namespace std::chrono_literals;

constexpr Duration kSharedBudgetWindow = 10s;
// After a gateway has come or gone, all others have heard of it within this time: its lease, and a
// few renewals whose answers are lost.
constexpr Duration kHeard = limits::kStoreLease + 9 * limits::kStoreLeaseRenewal;
// What the feed has told of is read from the database within this time.
constexpr Duration kRead = 10s;
// A day, less what the wall clock may have jumped by.
constexpr Duration kSpentWindow = 20h;

}  // namespace

std::string World::NameOf(const Seat& seat) const {
  return several() ? " (gateway " + std::to_string(seat.number) + ")" : "";
}

void World::Share() {
  const auto some = [this](double most) {
    return Chance(0.5) ? most * static_cast<double>(random_() % 1000) / 1000 : 0.0;
  };
  way_.answer_lost = some(0.05);
  way_.slow_read = some(0.05);
  way_.feed_delay = Chance(0.7) ? Duration(250ms) : Between(1s, 10s);
  if (Chance(0.2)) {
    process_options_.spending.per_day = static_cast<int>(5 + random_() % 20);
  }
  database_ = std::make_unique<SimDatabase>(clock_, random_, options_.bugs.database, umpire_);
  for (auto& seat : seats_) {
    seat->store =
        std::make_unique<SimSharedStore>(*database_, seat->number, seat->clock, random_, way_);
  }
  pictory_->OnPaid([this](int gateway, const std::string& name) { CheckPaid(gateway, name); });
}

void World::PlanSharing() {
  const auto sometimes = [this](double chance, int most, const std::function<void()>& what) {
    const int times = Chance(chance) ? static_cast<int>(random_() % most) : 0;
    for (int i = 0; i < times; ++i) clock_.InWorld(Between(Duration(0), options_.length), what);
  };
  const auto how_long = [this] {
    return Chance(0.5) ? Between(5s, 25s) : Chance(0.7) ? Between(25s, 2min) : Between(1min, 10min);
  };
  sometimes(0.7, 40, [this, how_long] { Stop(AnySeat(), how_long()); });
  // In the middle of what is about to be stored or sent.
  sometimes(0.7, 60, [this, how_long] {
    Seat& seat = AnySeat();
    OnNextWrite(seat, [this, &seat, how_long] {
      clock_.InWorld(Between(0us, 20ms), [this, &seat, how_long] { Stop(seat, how_long()); });
    });
  });
  sometimes(0.5, 20, [this, how_long] { Cut(AnySeat(), how_long()); });
  sometimes(0.5, 10, [this] { LoseDatabase(); });
  sometimes(0.3, 10, [this] {  // just after something was told as stored
    OnNextWrite(AnySeat(),
                [this] { clock_.InWorld(Between(0us, 50ms), [this] { LoseDatabase(); }); });
  });
  sometimes(0.5, 10, [this] { EndInOrder(AnySeat()); });
  sometimes(0.3, 10, [this] { database_->ForgetFeed(); });
}

void World::Stop(Seat& seat, Duration how_long) {
  if (seat.process == nullptr || seat.clock.stopped() || calm_) return;
  Tell("stopped" + NameOf(seat));
  ++statistics_.stops;
  Disturb(how_long);
  seat.clock.Stop();
  if (Chance(0.2)) clock_.InWorld(how_long / 2, [this] { database_->ForgetFeed(); });
  clock_.InWorld(how_long, [this, &seat, starts = seat.starts] {
    if (starts != seat.starts || !seat.clock.stopped()) return;
    Tell("goes on" + NameOf(seat));
    Disturb(Duration(0));
    seat.clock.GoOn();
  });
}

void World::Cut(Seat& seat, Duration how_long) {
  if (calm_) return;
  Tell("is cut off from the database" + NameOf(seat));
  ++statistics_.cuts;
  Disturb(how_long);
  database_->Cut(seat.number, how_long);
}

void World::LoseDatabase() {
  if (calm_) return;
  ++statistics_.aways;
  const Duration how_long = Chance(0.8) ? Between(100ms, 40s) : Between(40s, 5min);
  Disturb(how_long);
  if (Chance(0.5)) {
    Tell("the database is away");
    return database_->BeAway(how_long);
  }
  Tell("the standby takes over");
  database_->FailOver(how_long);
}

void World::EndTrouble() {
  database_->ClearUp();
  way_.answer_lost = way_.slow_read = 0;
  for (auto& seat : seats_) {
    seat->clock.GoOn();
    if (!seat->ending || seat->process == nullptr) continue;
    for (auto& caller : callers_) caller->OnCrash(seat->process.get());
    EndProcess(*seat);
    Start(*seat);
  }
  Disturb(Duration(0));
}

bool World::HasHeard(const Process* process, MonoTime until) const {
  if (!several()) return true;
  const auto seat = std::find_if(seats_.begin(), seats_.end(), [process](const auto& one) {
    return one->process.get() == process;
  });
  if (seat == seats_.end()) return false;
  const MonoTime heard = (*seat)->store->heard_until();
  return heard != MonoTime::min() && until < heard - kRead;
}

void World::Disturb(Duration how_long) {
  disturbed_until_ = std::max(disturbed_until_, clock_.Now() + how_long + kHeard);
}

// Once all is quiet somebody looks after every job, and nothing but trouble changes that.
void World::CheckHeld() {
  if (held_checked_ == disturbed_until_ || clock_.Now() < disturbed_until_) return;
  held_checked_ = disturbed_until_;
  const bool anybody = std::any_of(seats_.begin(), seats_.end(),
                                   [](const auto& seat) { return seat->process != nullptr; });
  if (anybody && !database_->AllHeld()) Fail("a shard is nobody's, although all is quiet");
}

// Each gateway has its part of the budget. While one comes or goes, the parts may be of different
// numbers of gateways.
void World::CheckBudgetOfAll() {
  if (std::exchange(requests_, pictory_->requests()) == pictory_->requests()) return;
  const jobs::BudgetOptions& budget = process_options_.budget;
  const int seen = pictory_->RequestsIn(kSharedBudgetWindow);
  const double most =
      budget.burst + static_cast<double>(seats_.size()) +
      budget.requests_per_second * std::chrono::duration<double>(kSharedBudgetWindow).count();
  statistics_.most_of_budget = std::max(statistics_.most_of_budget, seen / most);
  if (clock_.Now() < disturbed_until_) return;
  double parts = 0;
  for (const auto& seat : seats_) {
    if (seat->process != nullptr) parts += seat->process->part();
  }
  if (parts > budget.requests_per_second * 1.001) {
    return Fail("the gateways' parts of the budget are " +
                std::to_string(parts / budget.requests_per_second) + " of it");
  }
  if (clock_.Now() < disturbed_until_ + kSharedBudgetWindow || seen <= most) return;
  Fail(std::to_string(seen) + " requests in 10 s are over the budget of all gateways");
}

void World::CheckSpent() {
  const int most = process_options_.spending.per_day;
  if (most == 0) return;
  const std::vector<Upstream>& paid = pictory_->jobs();
  for (std::size_t first = 0, last = 0; last < paid.size(); ++last) {
    while (paid[last].accepted - paid[first].accepted > kSpentWindow) ++first;
    const std::size_t count = last - first + 1;
    if (count <= static_cast<std::size_t>(most)) continue;
    return Fail(std::to_string(count) + " jobs were paid in a day, with a limit of " +
                std::to_string(most));
  }
}

// Each caller's request is known by its name.
void World::CheckPaid(int gateway, const std::string& name) {
  const std::size_t end = name.find('-');
  const auto number = static_cast<std::size_t>(std::atoi(name.substr(1, end - 1).c_str()));
  const std::string other = end == std::string::npos ? "" : name.substr(end);
  Tell(name + ": is sent by gateway " + std::to_string(gateway));
  umpire_.OnPaid(name, callers_[number]->Stored(other), database_->epoch_of(gateway));
}

}  // namespace gateway::simulation
