#include "watch/stream_wheel.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/mutex.h"

namespace gateway::watch {
namespace {

constexpr std::size_t kSlots = 64;

using Streams = std::vector<std::weak_ptr<LiveStream>>;

}  // namespace

// The core is shared, because timers and slices may still hold it when the wheel goes; they then
// find it closed.
struct StreamWheel::Core : std::enable_shared_from_this<Core> {
  Core(const Clock& clock_in, Timers& timers_in, WorkThread& broadcaster_in)
      : clock(clock_in), timers(timers_in), broadcaster(broadcaster_in), origin(clock.Now()) {}

  const Clock& clock;
  Timers& timers;
  WorkThread& broadcaster;
  const MonoTime origin;

  mutable Mutex mutex;
  std::array<Streams, kSlots> slots GUARDED_BY(mutex);
  std::int64_t done GUARDED_BY(mutex) = 0;  // the last tick that was walked
  std::size_t count GUARDED_BY(mutex) = 0;
  Timers::Id timer GUARDED_BY(mutex) = Timers::kNone;
  Timers::Id end_timer GUARDED_BY(mutex) = Timers::kNone;
  bool closed GUARDED_BY(mutex) = false;
  std::function<absl::Status()> ending GUARDED_BY(mutex);

  void Place(std::weak_ptr<LiveStream> stream, MonoTime when) REQUIRES(mutex) {
    std::int64_t tick = (when - origin + limits::kStreamTick - Duration(1)) / limits::kStreamTick;
    tick = std::clamp<std::int64_t>(tick, done + 1, done + static_cast<std::int64_t>(kSlots) - 1);
    slots[static_cast<std::size_t>(tick) % kSlots].push_back(std::move(stream));
  }

  void Arm() REQUIRES(mutex) {
    if (closed || timer != Timers::kNone || count == 0) return;
    timer = timers.At(origin + (done + 1) * limits::kStreamTick,
                      [self = shared_from_this()] { self->OnTimer(); });
  }

  void Add(std::weak_ptr<LiveStream> stream, MonoTime first) {
    const MonoTime now = clock.Now();
    std::function<absl::Status()> ended;
    {
      MutexLock lock(mutex);
      if (closed) return;
      if (ending) {
        ended = ending;
      } else {
        // While the wheel was empty it stood still.
        if (count == 0) done = std::max(done, std::int64_t{(now - origin) / limits::kStreamTick});
        ++count;
        Place(stream, first);
        Arm();
      }
    }
    if (!ended) return;
    if (auto held = stream.lock()) held->End(ended());
  }

  void OnTimer() {
    const MonoTime now = clock.Now();
    auto due = std::make_shared<Streams>();
    {
      MutexLock lock(mutex);
      timer = Timers::kNone;
      if (closed) return;
      const std::int64_t until = (now - origin) / limits::kStreamTick;
      const std::int64_t last = std::min(until, done + static_cast<std::int64_t>(kSlots));
      for (std::int64_t tick = done + 1; tick <= last; ++tick) {
        Streams& slot = slots[static_cast<std::size_t>(tick) % kSlots];
        std::move(slot.begin(), slot.end(), std::back_inserter(*due));
        slot = Streams();
      }
      done = std::max(done, until);
      Arm();
    }
    if (due->empty()) return;
    broadcaster.Post([self = shared_from_this(), due, now, at = std::size_t{0}]() mutable {
      return self->Wake(*due, at, now);
    });
  }

  // Wakes the next few streams; returns whether some are left.
  bool Wake(Streams& due, std::size_t& at, MonoTime now) {
    const std::size_t end = std::min(due.size(), at + limits::kWatchersSliceMax);
    for (; at < end; ++at) {
      const std::shared_ptr<LiveStream> stream = due[at].lock();
      const std::optional<MonoTime> next = stream ? stream->OnTick(now) : std::nullopt;
      MutexLock lock(mutex);
      if (next.has_value() && !closed) {
        Place(std::move(due[at]), *next);
      } else if (count > 0) {  // closing set it to 0
        --count;
      }
    }
    return at < due.size();
  }

  void EndAll(std::function<absl::Status()> status, Duration spread) {
    auto streams = std::make_shared<Streams>();
    {
      MutexLock lock(mutex);
      if (closed || ending) return;
      ending = std::move(status);
      for (const Streams& slot : slots) streams->insert(streams->end(), slot.begin(), slot.end());
    }
    // Streams being woken at this moment are in no slot; the second round takes what is left.
    const auto steps = std::max<std::int64_t>(1, spread / Duration(limits::kStreamEndTick));
    const std::size_t each =
        (streams->size() + static_cast<std::size_t>(steps) - 1) / static_cast<std::size_t>(steps);
    EndSome(streams, 0, std::max<std::size_t>(1, each), /*again=*/true);
  }

  void EndSome(const std::shared_ptr<Streams>& streams, std::size_t from, std::size_t each,
               bool again) {
    if (from >= streams->size() && !again) return;
    const std::size_t end = std::min(streams->size(), from + each);
    broadcaster.Post([self = shared_from_this(), streams, from, end] {
      std::function<absl::Status()> status;
      {
        MutexLock lock(self->mutex);
        if (self->closed) return false;
        status = self->ending;
      }
      for (std::size_t i = from; i < end; ++i) {
        if (auto stream = (*streams)[i].lock()) stream->End(status());
      }
      return false;
    });
    MutexLock lock(mutex);
    if (closed) return;
    end_timer = timers.At(clock.Now() + limits::kStreamEndTick,
                          [self = shared_from_this(), streams, end, each, again] {
                            if (end < streams->size())
                              return self->EndSome(streams, end, each, again);
                            if (again) self->EndRest();
                          });
  }

  void EndRest() {
    auto streams = std::make_shared<Streams>();
    {
      MutexLock lock(mutex);
      if (closed) return;
      for (const Streams& slot : slots) streams->insert(streams->end(), slot.begin(), slot.end());
    }
    EndSome(streams, 0, std::max<std::size_t>(1, streams->size()), /*again=*/false);
  }

  void Close() {
    Timers::Id tick = Timers::kNone;
    Timers::Id end = Timers::kNone;
    {
      MutexLock lock(mutex);
      closed = true;
      std::swap(tick, timer);
      std::swap(end, end_timer);
      for (Streams& slot : slots) slot = Streams();
      count = 0;
    }
    if (tick != Timers::kNone) timers.Cancel(tick);
    if (end != Timers::kNone) timers.Cancel(end);
  }
};

StreamWheel::StreamWheel(const Clock& clock, Timers& timers, WorkThread& broadcaster)
    : core_(std::make_shared<Core>(clock, timers, broadcaster)) {}

StreamWheel::~StreamWheel() { core_->Close(); }

void StreamWheel::Add(std::weak_ptr<LiveStream> stream, MonoTime first) {
  core_->Add(std::move(stream), first);
}

void StreamWheel::EndAll(std::function<absl::Status()> status, Duration spread) {
  core_->EndAll(std::move(status), spread);
}

std::size_t StreamWheel::size() const {
  MutexLock lock(core_->mutex);
  return core_->count;
}

}  // namespace gateway::watch
