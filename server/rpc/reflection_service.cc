#include "rpc/reflection_service.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "rpc/metadata.h"
#include "rpc/peer.h"
#include "rpc/status.h"
#include "rpc/wire.h"

namespace gateway::rpc {
namespace {

constexpr std::string_view kReflectionMethod = "ServerReflectionInfo";

// The library does not say of a stream's message whether it is compressed; this is of one that
// cannot be parsed. gzip and deflate begin like that.
bool LooksCompressed(const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  if (!bytes.Dump(&slices).ok() || slices.empty() || slices[0].size() < 2) return false;
  const std::uint8_t first = slices[0].begin()[0];
  const std::uint8_t second = slices[0].begin()[1];
  return (first == 0x1f && second == 0x8b) || (first == 0x78 && (first * 256 + second) % 31 == 0);
}

// A ReflectionStream takes a question, answers, and takes the next: one operation is outstanding at
// any time. The end of an operation finishes the call, or the intake does while a question does not
// come. The server's drain cancels the call, which ends the operation.
class ReflectionStream final : public ReflectionReactor,
                               public watch::LiveStream,
                               public Intake::Arrival,
                               public std::enable_shared_from_this<ReflectionStream> {
 public:
  ReflectionStream(grpc::CallbackServerContext* context, Admission::Ticket ticket,
                   const ReflectionAnswers& answers, Intake& intake, const Domain& domain)
      : context_(context),
        ticket_(std::move(ticket)),
        answers_(answers),
        intake_(intake),
        domain_(domain) {}

  void Begin() {
    self_ = shared_from_this();
    Ask();
  }

  void OnReadDone(bool ok) override {
    if (!intake_.End(*this)) return;
    if (!ok) return FinishOnce(grpc::Status::OK);
    if (question_.Length() > limits::kSmallRequestMaxBytes) {
      return Refuse(
          ToGrpc(errors::RequestTooLarge(question_.Length(), limits::kSmallRequestMaxBytes)));
    }
    const auto request = Parse<grpc::reflection::v1::ServerReflectionRequest>(question_);
    if (!request.ok()) {
      return Refuse(
          ToGrpc(LooksCompressed(question_) ? errors::RequestCompressed() : request.status()));
    }
    asked_ = true;
    answer_ = ToBuffer(answers_.Answer(**request, sent_));
    StartWrite(&answer_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return FinishOnce(grpc::Status::CANCELLED);
    answer_.Clear();
    Ask();
  }
  void Refuse(const grpc::Status& status) override {
    domain_.Ended({.method = kReflectionMethod,
                   .status = FromGrpc(status),
                   .peer = context_->peer(),
                   .served = asked_});
    FinishOnce(status);
  }
  grpc::Status Late(Duration limit) const override {
    return ToGrpc(asked_ ? errors::StreamIdle(limit) : errors::RequestLate(limit));
  }
  std::string Peer() const override { return PeerAddress(context_->peer()); }
  void OnDone() override {
    // The ticket goes now, because what ends the streams may hold this one a little longer than the
    // server lives.
    ticket_.reset();
    self_.reset();
  }

  std::optional<MonoTime> OnTick(MonoTime now) override {
    MutexLock lock(mutex_);
    if (finished_) return std::nullopt;
    return now + limits::kHeartbeatInterval;
  }
  void End(absl::Status) override {
    {
      MutexLock lock(mutex_);
      if (finished_ || cancelling_) return;
      cancelling_ = true;  // keeps the call alive while it is used here
    }
    context_->TryCancel();
    std::optional<grpc::Status> status;
    {
      MutexLock lock(mutex_);
      cancelling_ = false;
      status = std::exchange(wanted_, std::nullopt);
      if (status.has_value()) finished_ = true;
    }
    if (status.has_value()) Finish(*status);
  }

 private:
  void Ask() {
    question_.Clear();
    intake_.Begin(shared_from_this());
    StartRead(&question_);
  }
  void FinishOnce(const grpc::Status& status) {
    {
      MutexLock lock(mutex_);
      if (cancelling_) {
        wanted_ = status;
        return;
      }
      finished_ = true;
    }
    Finish(status);
  }

  grpc::CallbackServerContext* const context_;
  std::optional<Admission::Ticket> ticket_;
  const ReflectionAnswers& answers_;
  Intake& intake_;
  const Domain& domain_;
  std::shared_ptr<ReflectionStream> self_;
  grpc::ByteBuffer question_;
  grpc::ByteBuffer answer_;
  std::set<std::string> sent_;
  bool asked_ = false;  // written while no question is awaited
  Mutex mutex_;
  bool cancelling_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> wanted_ GUARDED_BY(mutex_);
};

class RefusedReflection final : public ReflectionReactor {
 public:
  RefusedReflection(const grpc::CallbackServerContext& context, const grpc::Status& status,
                    const Domain& domain) {
    domain.Ended({.method = kReflectionMethod, .status = FromGrpc(status), .peer = context.peer()});
    Finish(status);
  }
  void OnDone() override { delete this; }
};

}  // namespace

ReflectionReactor* OpenReflection(grpc::CallbackServerContext* context,
                                  const ReflectionAnswers& answers, Intake& intake,
                                  Admission& admission, const Domain& domain) {
  if (const absl::Status metadata = CheckMetadata(*context); !metadata.ok()) {
    return new RefusedReflection(*context, ToGrpc(metadata), domain);
  }
  const std::string peer = context->peer();
  Admission::Ticket ticket = admission.Enter(Admission::Kind::kReflection, {.peer = peer});
  if (!ticket) return new RefusedReflection(*context, ticket.refusal(), domain);
  auto stream =
      std::make_shared<ReflectionStream>(context, std::move(ticket), answers, intake, domain);
  stream->Begin();
  domain.wheel.Add(stream, domain.clock.Now() + limits::kHeartbeatInterval);
  return stream.get();  // held by itself until OnDone
}

}  // namespace gateway::rpc
