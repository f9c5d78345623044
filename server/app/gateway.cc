#include "app/gateway.h"

#include <algorithm>
#include <future>
#include <utility>

#include "app/gateway_parts.h"
#include "base/limits.h"
#include "base/own_file.h"
#include "obs/log.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

}  // namespace

void Gateway::Parts::Drain(const std::function<void(Duration)>& wait) {
  if (std::exchange(drained, true)) return;
  if (admin != nullptr) admin->SetReady(false);
  if (beat != nullptr) beat->Stop();
  if (self_watch != nullptr) self_watch->Stop();
  if (core != nullptr) core->Leave();
  if (server != nullptr) {
    server->SetServing(false);
    if (config.drain_delay > Duration::zero()) wait(config.drain_delay);
    // A caller who still waits for Pictory's answer then is told that the job is UNCONFIRMED,
    // instead of being cut off.
    const Duration told_before =
        std::min<Duration>(limits::kToldBeforeCut, config.drain_timeout / 2);
    timers->At(clock.Now() + config.drain_timeout - told_before,
               [this] { core->submitter.AnswerUnconfirmed(); });
    if (face != nullptr) face->Drain();
    server->Drain(config.drain_timeout);
    if (face != nullptr) face->Finish(limits::kFaceLastAnswersMax);
  }
  // Until now a webhook call could still resolve an unconfirmed job. From here on it would be lost
  // without a word; a refused connection is at least a failure that Pictory or an ingress may
  // answer with a retry.
  if (webhooks != nullptr) webhooks->Stop();
  pressure_watch.reset();
  if (follower != nullptr) follower->Stop();
  if (core != nullptr) core->Stop();
  if (stop_file != nullptr) stop_file->Stop();
  if (watches != nullptr) watches->StopAll();
  if (core != nullptr) {
    // A paid request that was sent is followed to its outcome: that is bounded by its own timeout.
    std::promise<void> idle;
    core->submitter.Drain([&idle] { idle.set_value(); });
    idle.get_future().wait();
  }
  if (core != nullptr) NoteOwed();
  if (notifications != nullptr) notifications->Stop();
  // Only now, when nothing that was paid for waits behind it: its disk may be slow.
  if (archive != nullptr && !archive->Stop()) {
    held_up = true;
    Log(Level::kWarn, "archive_held_up",
        {{"note",
          "the archive's disk does not answer; the gateway ends without it, and goes on "
          "with its files at the next start"}});
  }
  if (tracing != nullptr) tracing->Stop();
  if (timers != nullptr) timers->Stop();
  if (refusals != nullptr) refusals->TellLeftOut();
  admin.reset();  // its metrics ask what ends now
  // The transport answers what is still under way. The object stays until nothing is left that
  // could still start a request: a thread of the store may be about to.
  doors.Stop();
  doors.CloseReader();
  if (kept.store != nullptr) kept.store->Close();
  if (broadcaster != nullptr) broadcaster->Close();
}

// Notes which answers are still owed. All others have arrived, so the next process need not owe
// them.
void Gateway::Parts::NoteOwed() {
  std::promise<void> noted;
  kept.store->EndEpoch(core->owed.StillOwed(),
                       [&noted](const absl::Status&) { noted.set_value(); });
  noted.get_future().wait();
}

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(const Config& config,
                                                        std::function<void()> failed,
                                                        std::function<void()> unreachable) {
  auto parts = std::make_unique<Parts>(config);
  Parts& p = *parts;
  p.unreachable = std::move(unreachable);
  std::unique_ptr<Gateway> gateway(new Gateway(std::move(parts)));
  if (absl::Status own = CheckOwnDirectory(config.state_dir.string()); !own.ok()) return own;
  if (absl::Status status = p.Open(std::move(failed)); !status.ok()) return status;
  if (absl::Status status = p.doors.Read(config.tenants.directory->tenants()); !status.ok()) {
    return status;
  }
  if (absl::Status status = p.OpenUpstream(); !status.ok()) return status;
  if (absl::Status status = p.OpenArchive(); !status.ok()) return status;
  if (absl::Status status = p.StartTracing(); !status.ok()) return status;
  if (absl::Status status = p.BuildDomain(); !status.ok()) return status;
  if (absl::Status status = p.TakeUpJobs(); !status.ok()) return status;
  if (absl::Status status = p.Serve(); !status.ok()) return status;
  return gateway;
}

Gateway::Gateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Gateway::~Gateway() {
  Drain([](Duration) {});
}

void Gateway::ReadSecrets() { parts_->ReadSecrets(); }

void Gateway::BeatWithin(Duration interval, std::function<void()> beat) {
  if (interval <= Duration::zero()) return;
  Parts& p = *parts_;
  p.beat = std::make_unique<LoopBeat>(
      interval / limits::kBeatsPerWatchdog, p.clock, *p.timers,
      [&p](std::function<void()> work) { p.broadcaster->Post(std::move(work)); },
      [&p] { return p.self_watch->NotLive().empty(); }, std::move(beat));
}

void Gateway::Drain(const std::function<void(Duration)>& wait) { parts_->Drain(wait); }

bool Gateway::held_up() const { return parts_->held_up; }

int Gateway::open_calls() const { return parts_->server->open_calls(); }

int Gateway::open_watches() const { return parts_->server->open_watches(); }

const std::vector<std::string>& Gateway::grpc_addresses() const { return parts_->addresses; }

const std::vector<std::string>& Gateway::http_addresses() const { return parts_->http_addresses; }

std::string Gateway::admin_address() const {
  return parts_->admin == nullptr ? "" : parts_->admin->authority();
}

std::string Gateway::webhook_address() const {
  return parts_->webhooks == nullptr ? "" : parts_->webhooks->authority();
}

std::string Gateway::sandbox_url() const {
  return parts_->sandbox == nullptr ? "" : parts_->sandbox->base_url();
}

}  // namespace gateway::app
