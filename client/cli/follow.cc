#include "follow.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "mailbox.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr std::chrono::milliseconds kTick{500};
constexpr std::chrono::seconds kConnectPatience{3};

// An Event is what the thread of a watch tells the thread that draws.
struct Event {
  std::size_t index = 0;
  std::optional<Job> job;
  std::string note;
  bool ended = false;
  bool news = true;  // false: nothing of the job is new but its estimate
};

void WatchOne(const Client& client, const FollowOptions& follow, std::size_t index,
              Followed& result, Mailbox<Event>& queue) {
  WatchOptions options;
  options.view = follow.view;
  options.timeout = follow.timeout;
  options.stop = follow.stop;
  options.connect_patience = kConnectPatience;
  bool connected = false;
  int failures = 0;
  options.on_reconnect = [&](const absl::Status& why, std::chrono::nanoseconds) {
    if (connected && ++failures == 1) {
      queue.Push({index, std::nullopt,
                  absl::StrCat("connection lost (", OneLine(std::string(why.message())),
                               "); trying again"),
                  false});
    }
  };
  options.on_heartbeat = [&](bool) { failures = 0; };
  options.on_estimate = [&](const JobEstimate& estimate) {
    if (!result.last) return;
    *result.last->mutable_estimate() = estimate;
    queue.Push({index, result.last, "", false, false});
  };
  Watch watch = client.WatchJob(result.job_id, options);
  while (std::optional<Job> job = watch.Next()) {
    connected = true;
    failures = 0;
    result.last = *job;
    queue.Push({index, std::move(job), "", false});
  }
  result.status = watch.status();
  queue.Push({index, std::nullopt, "", true});
}

}  // namespace

ExitCode ExitFor(const Followed& followed) {
  const bool unconfirmed = followed.last && followed.last->state() == v1::JOB_STATE_UNCONFIRMED;
  if (followed.status.ok())
    return followed.last ? ExitForState(followed.last->state()) : kSucceeded;
  if (absl::IsCancelled(followed.status)) return kDetached;
  if (unconfirmed) return kOutcomeUnknown;
  if (absl::IsDeadlineExceeded(followed.status)) return kStoppedWaiting;
  return ExitForStatus(followed.status);
}

std::vector<Followed> Follow(const Client& client, const std::vector<std::string>& job_ids,
                             const FollowOptions& options, Progress& progress,
                             const std::function<void(const Job&)>& each) {
  std::vector<Followed> results(job_ids.size());
  Mailbox<Event> queue;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < job_ids.size(); ++i) {
    results[i].job_id = job_ids[i];
    threads.emplace_back([&, i] { WatchOne(client, options, i, results[i], queue); });
  }
  for (std::size_t running = threads.size(); running > 0;) {
    const std::optional<Event> event = queue.Pop(kTick);
    const absl::Time now = absl::Now();
    if (!event) {
      progress.Tick(now);
      continue;
    }
    if (event->ended) --running;
    if (!event->note.empty()) progress.Note(event->note, now);
    if (event->job) {
      progress.Update(*event->job, now);
      if (event->news) each(*event->job);
    }
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

}  // namespace pictory_jobs::cli
