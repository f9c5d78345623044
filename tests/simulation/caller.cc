#include "simulation/caller.h"

#include <utility>

#include "base/errors.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "simulation/world.h"

namespace gateway::simulation {
namespace {

using jobs::SnapshotPtr;
namespace v1 = jobs::v1;
using namespace std::chrono_literals;

constexpr Duration kCallTimeout = 60s;
constexpr Duration kPatienceWithoutRequestId = 8min;  // a retry without a key is matched for ten

}  // namespace

// One WatchJob stream.
class Caller::WatchCall final : public watch::StreamSink,
                                public std::enable_shared_from_this<WatchCall> {
 public:
  // `known`: it must not say less.
  WatchCall(Caller& caller, Process& process, std::int32_t after_revision, std::int32_t known)
      : caller_(caller), process_(process), clock_(process.clock()), known_(known) {
    watch::WatchOptions options;
    options.after_revision = after_revision;
    stream_ =
        std::make_shared<watch::WatchStream>(std::move(options), caller.world_.clock(), *this);
  }
  const std::shared_ptr<watch::WatchStream>& stream() { return stream_; }
  const Process* process() const { return &process_; }

  void Write(jobs::Frame frame) override {
    v1::WatchJobResponse response;
    if (!response.ParseFromString(*frame)) return caller_.Fail("a watch got a broken message");
    if (response.has_job()) {
      if (final_) caller_.Fail("a watch got a state after the final one");
      if (response.job().revision() < last_) caller_.Fail("a watch went back");
      last_ = response.job().revision();
      final_ = jobs::IsFinal(response.job().state());
      caller_.Hear(response.job(), "a watch", std::exchange(known_, 0));
    }
    World& world = caller_.world_;
    const Duration reading =
        world.Chance(0.05) ? world.Between(1s, 20min) : world.Between(100us, 50ms);
    clock_.In(reading, [watch = weak_from_this()] {
      if (auto self = watch.lock()) self->stream_->OnWriteDone(true);
    });
  }
  void Finish(absl::Status status) override {
    // Not inside the stream's own call.
    clock_.In(1us, [watch = weak_from_this(), status] {
      if (auto self = watch.lock()) self->caller_.OnWatchEnded(self.get(), self->final_, status);
    });
  }
  void TryCancel() override {}

 private:
  Caller& caller_;
  Process& process_;
  ProcessClock& clock_;
  std::shared_ptr<watch::WatchStream> stream_;
  std::int32_t known_;  // of the job, when the watch began
  std::int32_t last_ = 0;
  bool final_ = false;
};

Caller::Caller(World& world, int number)
    : world_(world),
      name_("r" + std::to_string(number)),
      tenant_(number % 5 == 0 ? "umbra" : "default"),
      pictory_key_(KeyOf(number)),
      // Several gateways want one with each submit.
      keyed_(number % 4 != 0 || world.several()),
      shape_(static_cast<Shape>(number / 4 % kShapes)),
      request_id_("id-" + std::to_string(number)) {}

Caller::~Caller() = default;

void Caller::Fail(const std::string& what) { world_.Fail(name_ + ": " + what); }

std::optional<jobs::JobRecord> Caller::Stored(const std::string& suffix) const {
  if (!suffix.empty()) return follower_ != nullptr ? follower_->Stored() : std::nullopt;
  std::optional<jobs::JobRecord> record;
  world_.disk().FindRequest(tenant_, request_id_, [&](const auto& found) { record = *found; });
  return record;
}

jobs::SubmitRequest Caller::MakeRequest(Process* process, const std::string& name) {
  auto message = std::make_shared<v1::TranscribeRequest>();
  message->set_file_url("https://media.example/" + name);
  jobs::SubmitRequest request;
  request.owner = {.tenant = tenant_, .account = world_.ShowKey(process, pictory_key_)};
  request.kind = v1::JOB_KIND_TRANSCRIPTION;
  request.request_id = request_id_;
  request.labels = {{"name", name}};
  request.fingerprint = world_.bugs().one_fingerprint ? name_ : name;
  request.deadline =
      world_.clock().Now() + (world_.Chance(0.1) ? world_.Between(1s, 5s) : kCallTimeout);
  if (!keyed_) {
    // The service mints one for every call; only its metadata may tell that it is a retry.
    request.request_id = "minted-" + name + "-" + std::to_string(++minted_);
    request.minted_request_id = true;
    if (world_.bugs().new_fingerprints) request.fingerprint += std::to_string(minted_);
    request.retry = Evidence();
  }
  request.request = std::move(message);
  return request;
}

jobs::RetryEvidence Caller::Evidence() const {
  const bool again = tries_ > 1;
  const std::string attempt = std::to_string(tries_);
  switch (shape_) {
    case Shape::kByHand:
      return {};
    case Shape::kCounted:
      return {.by_library = false, .by_mesh = again, .mesh_request_id = "x-" + name_};
    case Shape::kNotCounted:
      return {.by_library = false, .by_mesh = false, .mesh_request_id = "x-" + name_};
    case Shape::kByLibrary:
      return {
          .by_library = again, .by_mesh = false, .mesh_request_id = "x-" + name_ + "-" + attempt};
    case Shape::kLibraryAndMesh:  // two of a mesh for each of a library
      return {.by_library = tries_ > 2,
              .by_mesh = tries_ % 2 == 0,
              .mesh_request_id = "x-" + name_ + "-" + std::to_string((tries_ + 1) / 2)};
  }
  return {};
}

void Caller::Begin() {
  const bool again = std::exchange(begun_, true);
  if (again && !keyed_) return;  // without a key it would be another request
  trying_ = true;
  began_ = world_.clock().Now();
  // To several gateways, where there are.
  const int at_once = keyed_ && world_.Chance(world_.several() ? 0.3 : 0.05)
                          ? 2 + static_cast<int>(world_.Between(0ns, 4ns).count())
                          : 1;
  if (world_.Chance(0.2)) {
    for (const Duration latest : {Duration(1min), Duration(2h)}) {
      world_.clock().InWorld(world_.Between(100ms, latest), [this] { ReadByPictorysId(); });
    }
  }
  for (int i = 0; i < at_once; ++i) Call();
}

void Caller::TryLater(Duration delay) {
  const bool patient = keyed_ || world_.clock().Now() + delay - began_ < kPatienceWithoutRequestId;
  if (!patient) {
    trying_ = false;
    return;
  }
  world_.clock().InWorld(delay, [this] { Call(); });
}

void Caller::Call() {
  Process* process = world_.door();
  if (process == nullptr) return TryLater(world_.Between(500ms, 10s));
  ++tries_;
  jobs::SubmitRequest request = MakeRequest(process, name_);
  const std::uint64_t call = ++calls_;
  waiting_.emplace(call, process);
  const Duration patience = request.deadline - world_.clock().Now();
  if (world_.Chance(0.03)) {
    request.cancelled = std::make_shared<std::atomic<bool>>(false);
    world_.clock().InWorld(world_.Between(0ms, 500ms),
                           [gone = request.cancelled] { *gone = true; });
  }
  world_.clock().InWorld(patience, [this, call] {
    // The library gave up waiting. The same request_id finds out.
    if (waiting_.erase(call) > 0 && waiting_.empty()) TryLater(world_.Between(100ms, 5s));
  });
  process->Call([this, process, call, request = std::move(request)] {
    process->submitter().Submit(request, [this, call](const jobs::Submitter::Answer& answer,
                                                      const jobs::AnswerSource& source) {
      OnAnswer(call, answer, source);
    });
  });
}

void Caller::OnCrash(const Process* gone) {
  std::erase_if(watches_, [this, gone](const auto& watch) {
    if (watch->process() != gone) return false;
    world_.clock().InWorld(world_.Between(200ms, 20s), [this] { Watch(); });
    return true;
  });
  const auto lost =
      std::erase_if(waiting_, [gone](const auto& call) { return call.second == gone; });
  if (lost > 0 && waiting_.empty()) TryLater(world_.Between(100ms, 30s));
}

void Caller::OnAnswer(std::uint64_t call, const jobs::Submitter::Answer& answer,
                      const jobs::AnswerSource& source) {
  if (waiting_.erase(call) == 0) return;  // nobody hears it
  if (source.call != nullptr) source.call->Arrived();
  if (!answer.ok()) return OnRefusal(call, answer.status());
  // A proxy took the answer and lost it. Without a key the next call must come while that may be,
  // and a busy store may refuse it for longer.
  if (!keyed_ && job_id_.empty() && !world_.is_busy_day() && world_.Chance(0.1)) {
    ++world_.statistics().swallowed;
    if (waiting_.empty()) TryLater(world_.Between(10ms, 20s));
    return;
  }
  const bool first = job_id_.empty();
  Hear(jobs::ToProto(**answer), "a submit");
  trying_ = !waiting_.empty();
  if (!first) return;
  called_before_ = calls_;
  AfterAccepted();
}

void Caller::OnRefusal(std::uint64_t call, const absl::Status& status) {
  const std::string text = status.ToString(absl::StatusToStringMode::kWithNoExtraData);
  world_.Tell(name_ + ": a submit is refused: " + text);
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled: {
      const bool ending = errors::Reason(status) == "DRAINING";
      // Of calls that go to several gateways at once one may hear late that its attempt was not
      // paid, when another gateway has begun it again.
      const bool elsewhere = world_.several() && (call <= called_before_ ||
                                                  status.code() == absl::StatusCode::kUnavailable);
      const bool may_be = ending || world_.store_is_busy() || elsewhere;
      if (!job_id_.empty() && !may_be && status.code() != absl::StatusCode::kDeadlineExceeded &&
          status.code() != absl::StatusCode::kCancelled) {
        return Fail("had a job, and then was told: " + text);
      }
      if (!waiting_.empty()) return;
      const Duration asked = std::min<Duration>(errors::RetryDelay(status), 3h);
      return TryLater(std::max(asked, world_.Between(200ms, 20s)));
    }
    case absl::StatusCode::kInternal:
      if (!world_.store_fails() && !world_.store_is_busy())
        return Fail("INTERNAL although the store is fine: " + text);
      return TryLater(world_.Between(1s, 20s));
    default:
      break;
  }
  if (!job_id_.empty()) return Fail("had a job, and then was told: " + text);
  if (!world_.pictory().Refused(name_)) return Fail("refused, but not by Pictory: " + text);
  if (!refusal_.empty() && refusal_ != text) return Fail("was refused otherwise before: " + text);
  refusal_ = text;
  trying_ = false;
  if (keyed_ && world_.Chance(0.3)) {
    world_.clock().InWorld(world_.Between(1min, 3h), [this] { Call(); });
  }
}

void Caller::AfterAccepted() {
  SimClock& clock = world_.clock();
  const int watches =
      world_.Chance(0.7) ? 1 + static_cast<int>(world_.Between(0ns, 2ns).count()) : 0;
  watches_wanted_ = watches;
  for (int i = 0; i < watches; ++i) {
    clock.InWorld(world_.Chance(0.7) ? world_.Between(0ms, 1s) : world_.Between(1min, 2h),
                  [this] { Watch(); });
  }
  for (int i = 0; i < 2; ++i) clock.InWorld(world_.Between(1s, 5h), [this] { Read(); });
  if (!keyed_) return;
  if (world_.Chance(0.4)) {
    follower_ = std::make_unique<Follower>(world_, name_, tenant_, pictory_key_, AnyName());
    clock.InWorld(world_.Between(0ms, 3min), [this] { follower_->Call(); });
  }
  if (world_.Chance(0.3)) clock.InWorld(world_.Between(1s, 8h), [this] { Call(); });
  if (world_.Chance(0.1)) {
    clock.InWorld(world_.Between(1s, 2h), [this] { ReuseTheIdForSomethingElse(); });
  }
  if (world_.Chance(0.15)) {
    clock.InWorld(world_.Between(20min, 4h), [this] { Delete(); });
    clock.InWorld(world_.Between(4h, 8h), [this] { Call(); });
  }
}

void Caller::ReuseTheIdForSomethingElse() {
  Process* process = world_.process();
  if (process == nullptr) return;
  process->submitter().Submit(MakeRequest(process, name_ + "-other"),
                              [this](const auto& answer, const auto&) {
                                if (answer.ok())
                                  Fail("its request_id was taken for another request");
                              });
}

void Caller::Read() {
  Process* process = world_.process();
  if (process == nullptr || job_id_.empty()) return;
  const std::int32_t least = world_.HasHeard(process, heard_at_) ? revision_ : 0;
  const bool knows = world_.HasHeard(process, deleted_at_);
  process->hub().Load(
      tenant_, job_id_,
      [this, process, known = least, knows](const absl::StatusOr<SnapshotPtr>& found) {
        if (found.ok()) {
          process->owed().Named((*found)->key());
          if (deleted_ && knows) Fail("its job is there although it was deleted");
          return Hear(jobs::ToProto(**found), "a read", known);
        }
        if (absl::IsNotFound(found.status()) && !deleting_) Fail("its job is lost");
      });
}

// As somebody does who has seen the job in Pictory's own list. One that the gateway does not know
// to be this caller's is adopted, and has to be found again as the caller's once that is known.
void Caller::ReadByPictorysId() {
  Process* process = world_.process();
  const Upstream* mine = world_.pictory().FindByName(name_);
  if (process == nullptr || mine == nullptr) return;
  const bool known = !job_id_.empty() && state_ != v1::JOB_STATE_UNCONFIRMED &&
                     state_ != v1::JOB_STATE_OUTCOME_UNKNOWN && world_.HasHeard(process, heard_at_);
  process->adopter().Load({.tenant = tenant_, .account = world_.ShowKey(process, pictory_key_)},
                          mine->id, [this, known](const absl::StatusOr<SnapshotPtr>& found) {
                            if (!found.ok()) return;
                            ++world_.statistics().by_pictory_id;
                            if (known && (*found)->job_id() != job_id_)
                              Fail("its Pictory id is another job's, although it was told of it");
                          });
}

// One of the names that its job has: its own, Pictory's, or that of the job which was adopted for
// it before the gateway knew that they are one.
std::string Caller::AnyName() {
  const Upstream* mine = world_.pictory().FindByName(name_);
  Process* process = world_.process();
  if (process == nullptr || mine == nullptr || world_.Chance(0.7)) return job_id_;
  const SnapshotPtr there = process->hub().Find(tenant_, mine->id);
  return there != nullptr && world_.Chance(0.7) ? std::string(there->job_id()) : mine->id;
}

void Caller::Watch() {
  Process* process = world_.process();
  if (deleting_) {
    --watches_wanted_;
    return;
  }
  if (process == nullptr || job_id_.empty()) {
    return world_.clock().InWorld(world_.Between(200ms, 5s), [this] { Watch(); });
  }
  ++world_.statistics().watches;
  const std::int32_t after = world_.Chance(0.5) ? revision_ : 0;
  const std::int32_t known = world_.HasHeard(process, heard_at_) ? revision_ : after;
  auto watch = std::make_shared<WatchCall>(*this, *process, after, known);
  watches_.push_back(watch);
  jobs::Hub& hub = process->hub();
  hub.Load(
      tenant_, job_id_,
      [this, process, &hub, stream = watch->stream()](const absl::StatusOr<SnapshotPtr>& found) {
        if (!found.ok()) return stream->End(found.status());
        process->owed().Named((*found)->key());
        auto subscribed = hub.Subscribe(tenant_, std::string((*found)->job_id()), stream);
        if (subscribed.present == nullptr) subscribed.present = *found;
        stream->Begin(std::move(subscribed));
      },
      world_.several() ? after : 0);
}

void Caller::OnWatchEnded(WatchCall* watch, bool saw_final, const absl::Status& status) {
  std::erase_if(watches_, [watch](const auto& other) { return other.get() == watch; });
  if (absl::IsNotFound(status) && deleting_) {
    --watches_wanted_;
    return;
  }
  // A watch that resumes after the final revision has nothing more to hear.
  if (status.ok() && (saw_final || jobs::IsFinal(state_))) {
    --watches_wanted_;
    return;
  }
  if (status.ok()) return Fail("a watch ended OK without a final state");
  if (absl::IsNotFound(status)) return Fail("its job is lost to a watch");
  world_.clock().InWorld(world_.Between(200ms, 5s), [this] { Watch(); });
}

void Caller::Delete() {
  Process* process = world_.process();
  if (process == nullptr || !jobs::IsFinal(state_)) return;
  world_.ShowKey(process, pictory_key_);
  deleting_ = true;
  process->deleter().Delete(tenant_, job_id_, [this](const absl::StatusOr<v1::Job>& job) {
    if (job.ok()) {
      deleted_ = true;
      deleted_at_ = world_.clock().Now();
      return Hear(*job, "a delete");
    }
    if (absl::IsFailedPrecondition(job.status())) Fail("a finished job could not be deleted");
  });
}

void Caller::Hear(const v1::Job& job, const char* where, std::int32_t revision) {
  world_.Tell(name_ + ": " + where + " says " + jobs::StateName(job.state()) + " " +
              std::to_string(job.revision()));
  const std::string from = std::string(where) + " says ";
  if (!deleting_) {
    const auto label = job.labels().find("name");
    if (label == job.labels().end() || label->second != name_)
      return Fail(from + "a job of somebody else");
  }
  if (!job_id_.empty() && job.job_id() != job_id_) return Fail(from + "another job than before");
  job_id_ = job.job_id();
  if (job.revision() < revision && !deleting_)
    return Fail(from + "an older state than was seen before");
  if (job.revision() < revision_) return;  // a slower channel; the newest is what counts
  if (job.revision() == revision_ && job.state() != state_) {
    return Fail(from + "another state for the same revision");
  }
  if (jobs::Rank(job.state()) < jobs::Rank(state_)) {
    return Fail(from + jobs::StateName(job.state()) + " after " + jobs::StateName(state_));
  }
  const bool was_final = jobs::IsFinal(state_);
  if (was_final && job.state() != state_ && !deleting_)
    return Fail(from + "another end than before");
  if (job.has_progress_percent() && job.progress_percent() < progress_) {
    return Fail(from + "less progress than before");
  }
  if (job.has_progress_percent()) progress_ = job.progress_percent();
  if (job.state() == v1::JOB_STATE_UNCONFIRMED && state_ != job.state()) {
    unconfirmed_since_ = world_.clock().Now();
    ++world_.statistics().unconfirmed;
  }
  if (follower_ != nullptr && job.state() == v1::JOB_STATE_SUCCEEDED && state_ != job.state()) {
    follower_->OnTranscribed();
  }
  if (job.revision() > revision_) heard_at_ = world_.clock().Now();
  state_ = job.state();
  revision_ = job.revision();
}

void Caller::LookInTheList() {
  jobs::ListQuery query;
  query.labels = {{"name", name_}};
  query.limit = 1;
  world_.disk().List(tenant_, query, [this](const auto& found) {
    if (found.ok() && !found->empty())
      Hear(jobs::ToProto(*jobs::MakeSnapshot(found->front().job)), "the list");
  });
}

void Caller::ResolveUnconfirmed(Duration older_than) {
  if (follower_ != nullptr) follower_->ResolveUnconfirmed();
  if (job_id_.empty() && begun_ && !keyed_ && !trying_) LookInTheList();
  if (world_.several() && !job_id_.empty() && !jobs::IsFinal(state_)) Read();
  Process* process = world_.process();
  if (process == nullptr || state_ != v1::JOB_STATE_UNCONFIRMED) return;
  if (world_.clock().Now() - unconfirmed_since_ < older_than) return;
  world_.ShowKey(process, pictory_key_);
  v1::ResolveJobRequest request;
  request.set_job_id(job_id_);
  jobs::Resolver& resolver = process->resolver();
  resolver.Resolve(tenant_, request, [this, request, &resolver](const auto& listed) mutable {
    if (!listed.ok()) {  // no budget for the question at present
      world_.Tell(name_ + ": has no candidates: " + std::string(listed.status().message()));
      return world_.clock().InWorld(world_.Between(20s, 5min),
                                    [this] { ResolveUnconfirmed(Duration(0)); });
    }
    const Upstream* mine = world_.pictory().FindByName(name_);
    if (mine != nullptr) {
      // By the gateway's own word: this caller may not have looked for hours.
      if (listed->job().state() == v1::JOB_STATE_UNCONFIRMED &&
          world_.WasCalledBack(mine->token, 3h)) {
        return Fail("is UNCONFIRMED although Pictory called its webhook");
      }
      bool found = false;
      for (const auto& candidate : listed->candidates())
        found = found || candidate.pictory_job_id() == mine->id;
      if (!found && listed->job().state() == v1::JOB_STATE_UNCONFIRMED) {
        return Fail("the candidates lack the job that Pictory made");
      }
      request.set_adopt_pictory_job_id(mine->id);
    } else {
      request.set_abandon(true);
    }
    Decide(request);
  });
}

void Caller::Decide(const v1::ResolveJobRequest& decision) {
  Process* process = world_.process();
  if (process == nullptr) return;
  process->resolver().Resolve(tenant_, decision, [this, decision](const auto& resolved) {
    if (resolved.ok()) return Hear(resolved->job(), "a decision");
    world_.Tell(name_ + ": a decision is refused: " + std::string(resolved.status().message()));
    // One of several gateways has a small part of the budget, and the list has taken of it.
    world_.clock().InWorld(world_.Between(20s, 5min), [this, decision] {
      if (state_ == v1::JOB_STATE_UNCONFIRMED) Decide(decision);
    });
  });
}

void Caller::CheckEnd() {
  if (follower_ != nullptr) follower_->CheckEnd();
  if (world_.pictory().Accepted(name_ + "-other") > 0)
    return Fail("two requests under one request_id were paid");
  const Upstream* mine = world_.pictory().FindByName(name_);
  if (mine == nullptr && job_id_.empty()) return;
  std::optional<jobs::JobRecord> record;
  if (mine != nullptr) {
    world_.disk().Find(tenant_, mine->id, [&](const auto& found) { record = *found; });
  }
  if (!record.has_value() && !job_id_.empty()) {
    world_.disk().Find(tenant_, job_id_, [&](const auto& found) { record = *found; });
  }
  if (deleting_ && !record.has_value()) return;
  if (!record.has_value())
    return Fail(mine != nullptr ? "was paid for, and its job is lost" : "its job is lost");
  if (!job_id_.empty() && record->job.job_id != job_id_)
    return Fail("was paid for under another job than it was told");
  if (mine == nullptr) {
    if (record->job.state == v1::JOB_STATE_OUTCOME_UNKNOWN) return;
    // Told to be UNCONFIRMED when the gateway ended, or by another, and refused after that.
    if (record->job.state == v1::JOB_STATE_FAILED && record->job.pictory_job_id.empty()) return;
    return Fail("has a job in state " + jobs::StateName(record->job.state) +
                " that Pictory never made");
  }
  if (mine->key != world_.PayingKey(pictory_key_)) {
    return Fail("was paid for with " + mine->key + " and has shown " + pictory_key_);
  }
  if (record->job.pictory_job_id != mine->id) {
    return Fail("its job is not known to be Pictory's " + mine->id + ": it is " +
                jobs::StateName(record->job.state) + ", and it was last seen as " +
                jobs::StateName(state_));
  }
  jobs::JobState expected = v1::JOB_STATE_SUCCEEDED;
  if (mine->end == Upstream::End::kFails) expected = v1::JOB_STATE_FAILED;
  if (mine->end == Upstream::End::kCleaned) expected = v1::JOB_STATE_CLEANED;
  if (mine->end == Upstream::End::kNever) {
    if (jobs::IsFinal(record->job.state)) Fail("ended although Pictory works on it still");
    return;
  }
  if (record->job.state != expected) {
    return Fail("ended as " + jobs::StateName(record->job.state) + ", at Pictory it is " +
                jobs::StateName(expected));
  }
  if (watches_wanted_ > 0) Fail("a watch never saw the end");
}

}  // namespace gateway::simulation
