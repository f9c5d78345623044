#include "simulation/follower.h"

#include <utility>

#include "base/errors.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "simulation/world.h"

namespace gateway::simulation {
namespace {

namespace v1 = jobs::v1;
using namespace std::chrono_literals;

}  // namespace

Follower::Follower(World& world, const std::string& of, std::string tenant, std::string pictory_key,
                   std::string transcription)
    : world_(world),
      name_(of + "-summary"),
      tenant_(std::move(tenant)),
      pictory_key_(std::move(pictory_key)),
      transcription_(std::move(transcription)) {}

void Follower::Fail(const std::string& what) { world_.Fail(name_ + ": " + what); }

jobs::SubmitRequest Follower::MakeRequest(Process* process) const {
  auto message = std::make_shared<v1::SummarizeRequest>();
  message->set_transcription_job_id(transcription_);
  message->set_highlight_duration_seconds(60);
  message->set_extra_json(R"({"note":"https://media.example/)" + name_ + R"("})");
  jobs::SubmitRequest request;
  request.owner = {.tenant = tenant_, .account = world_.ShowKey(process, pictory_key_)};
  request.kind = v1::JOB_KIND_SUMMARY;
  request.request_id = "id-" + name_;
  request.fingerprint = name_;
  request.deadline = world_.clock().Now() + 60s;
  request.request = std::move(message);
  request.waits = true;
  return request;
}

void Follower::Call() {
  if (!job_id_.empty() || refused_) return;
  // Whatever becomes of this call, the next one finds out.
  world_.clock().InWorld(world_.Between(1s, 2min), [this] { Call(); });
  if (Process* process = world_.door()) {
    process->Call([this, process, request = MakeRequest(process)] {
      process->submitter().Submit(request,
                                  [this](const auto& answer, const auto&) { OnAnswer(answer); });
    });
  }
}

void Follower::OnAnswer(const jobs::Submitter::Answer& answer) {
  if (answer.ok()) {
    const bool first = job_id_.empty();
    Hear(jobs::ToProto(**answer), "a submit");
    if (!first) return;
    if (state_ == v1::JOB_STATE_WAITING) ++world_.statistics().waited;
    for (int i = 0; i < 3; ++i) {
      world_.clock().InWorld(world_.Between(1s, 2h), [this] { Read(); });
    }
    world_.clock().InWorld(world_.Between(1s, 10min), [this] { AskAgainWithoutKey(); });
    if (world_.Chance(0.3)) {
      world_.clock().InWorld(world_.Between(1ms, 15min), [this] { Cancel(); });
    }
    return;
  }
  switch (answer.status().code()) {
    case absl::StatusCode::kNotFound:            // the transcription was deleted
    case absl::StatusCode::kFailedPrecondition:  // it has ended badly
    case absl::StatusCode::kInvalidArgument:     // Pictory refuses it
      if (!job_id_.empty()) Fail("had a job, and then was told: " + answer.status().ToString());
      refused_ = true;
      return;
    default:
      return;
  }
}

void Follower::Read() {
  Process* process = world_.process();
  if (process == nullptr) return;
  process->hub().Load(tenant_, job_id_, [this](const absl::StatusOr<jobs::SnapshotPtr>& found) {
    if (found.ok()) return Hear(jobs::ToProto(**found), "a read");
    if (absl::IsNotFound(found.status()) && !deleting_) Fail("its job is lost");
  });
}

void Follower::AskAgainWithoutKey() {
  Process* process = world_.process();
  if (process == nullptr || world_.several()) return;
  const jobs::SnapshotPtr now = process->hub().Find(tenant_, job_id_);
  if (now == nullptr || now->state != v1::JOB_STATE_WAITING) return;
  jobs::SubmitRequest request = MakeRequest(process);
  request.request_id = "minted-" + name_;
  request.minted_request_id = true;
  process->submitter().Submit(std::move(request), [this](const auto& answer, const auto&) {
    if (answer.ok() && (*answer)->job_id() != job_id_) Fail("an equal submit is another job");
  });
}

void Follower::OnTranscribed() {
  if (world_.Chance(0.3)) world_.clock().InWorld(world_.Between(0ms, 20ms), [this] { Cancel(); });
  if (world_.Chance(0.05)) {
    world_.clock().InWorld(world_.Between(0ms, 500ms),
                           [this] { world_.MakeStoreBusy(world_.Between(10ms, 1min)); });
  }
}

void Follower::Cancel() {
  Process* process = world_.process();
  if (process == nullptr || deleting_) return;
  const jobs::SnapshotPtr now = process->hub().Find(tenant_, job_id_);
  if (now == nullptr || now->state != v1::JOB_STATE_WAITING) return;
  world_.ShowKey(process, pictory_key_);
  deleting_ = true;
  process->deleter().Delete(tenant_, job_id_, [this](const absl::StatusOr<v1::Job>& job) {
    if (!job.ok() || job->state() != v1::JOB_STATE_CANCELLED) return;
    cancelled_ = true;
    ++world_.statistics().cancelled;
    Hear(*job, "a cancel");
  });
}

void Follower::Hear(const v1::Job& job, const char* where) {
  world_.Tell(name_ + ": " + where + " says " + jobs::StateName(job.state()) + " " +
              std::to_string(job.revision()));
  const std::string from = std::string(where) + " says ";
  if (!job_id_.empty() && job.job_id() != job_id_) return Fail(from + "another job than before");
  job_id_ = job.job_id();
  if (job.state() == v1::JOB_STATE_CLEANED && deleting_) return;
  if (job.revision() < revision_) return;
  if (job.revision() == revision_ && job.state() != state_) {
    return Fail(from + "another state for the same revision");
  }
  if (jobs::Rank(job.state()) < jobs::Rank(state_) ||
      (jobs::IsFinal(state_) && job.state() != state_)) {
    return Fail(from + jobs::StateName(job.state()) + " after " + jobs::StateName(state_));
  }
  state_ = job.state();
  revision_ = job.revision();
}

std::optional<jobs::JobRecord> Follower::Stored() const {
  std::optional<jobs::JobRecord> record;
  world_.disk().FindRequest(tenant_, "id-" + name_, [&](const auto& found) { record = *found; });
  return record;
}

void Follower::ResolveUnconfirmed() {
  Process* process = world_.process();
  const std::optional<jobs::JobRecord> record = Stored();
  if (process == nullptr || !record.has_value()) return;
  if (record->job.state != v1::JOB_STATE_UNCONFIRMED) return;
  world_.ShowKey(process, pictory_key_);
  v1::ResolveJobRequest request;
  request.set_job_id(record->job.job_id);
  if (const Upstream* mine = world_.pictory().FindByName(name_)) {
    request.set_adopt_pictory_job_id(mine->id);
  } else if (world_.calm()) {
    request.set_abandon(true);  // nothing of it is on its way any more
  } else {
    return;
  }
  process->resolver().Resolve(tenant_, request, [this](const auto& resolved) {
    if (resolved.ok()) return;
    world_.clock().InWorld(world_.Between(20s, 5min), [this] { ResolveUnconfirmed(); });
  });
}

void Follower::CheckEnd() {
  const int paid = world_.pictory().Accepted(name_);
  const std::optional<jobs::JobRecord> record = Stored();
  if (cancelled_ && paid > 0) return Fail("was cancelled, and paid for");
  if (!record.has_value()) {
    if (paid > 0 || !job_id_.empty()) Fail("its job is lost");
    return;
  }
  if (!jobs::IsVisible(*record)) {
    if ((paid > 0 || !job_id_.empty()) && !deleting_) {
      Fail("its job has vanished: last seen as " + jobs::StateName(state_) + ", submission " +
           std::to_string(static_cast<int>(record->submission)) + ", paid " + std::to_string(paid));
    }
    return;
  }
  Hear(jobs::ToProto(*jobs::MakeSnapshot(record->job)), "the store");
  std::optional<jobs::JobRecord> other;
  world_.disk().Find(tenant_, transcription_, [&](const auto& found) { other = *found; });
  const bool may_wait = other.has_value() && !jobs::IsFinal(other->job.state);
  const jobs::Job& job = record->job;
  const bool limited = world_.limited() && job.message.find("SPENDING_LIMIT") != job.message.npos;
  if (job.state == v1::JOB_STATE_WAITING && !may_wait && !limited)
    return Fail("waits for nothing: " + job.message);
  const bool sent = !job.pictory_job_id.empty();
  if (sent != (paid > 0)) {
    return Fail("is " + jobs::StateName(job.state) + ", and was paid " + std::to_string(paid) +
                " times");
  }
  // What Pictory says of an adopted job may not show that it is a transcription.
  const bool unusable = job.error_code == "JOB_NOT_USABLE" && other.has_value() &&
                        other->job.job_id != transcription_;
  // It was UNCONFIRMED by then, and its gateway said after that that it had not sent it.
  const bool late = world_.WasUnconfirmed(*record);
  if (job.state == v1::JOB_STATE_FAILED && !sent && !unusable && !late && other.has_value() &&
      other->job.state == v1::JOB_STATE_SUCCEEDED && !world_.pictory().Refused(name_)) {
    Fail("FAILED without a reason: " + job.error_code + ": " + job.error_message);
  }
}

}  // namespace gateway::simulation
