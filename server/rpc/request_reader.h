// A RequestReader parses requests: small ones at once, large ones on a thread of its own, one after
// the other, where the rest of the work on them is done too. The library has few threads, and
// callers who ask for little must not wait for those who send much.
//
// What the requests take is held at the intake as long as anybody has them: first their bytes, then
// what was made of them. So both the memory and the queue are bounded. A RequestReader is
// thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "base/limits.h"
#include "base/work_thread.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/support/byte_buffer.h"
#include "rpc/admission.h"
#include "rpc/intake.h"
#include "rpc/wire.h"

namespace gateway::rpc {

class RequestReader {
 public:
  // The arguments must outlive the reader.
  RequestReader(Intake& intake, const Admission& admission)
      : intake_(intake), admission_(admission) {}

  // Calls `use(absl::StatusOr<std::shared_ptr<Request>>)`, here or later on the reader's thread;
  // not at all if the caller is gone by then. Frees the bytes. The request becomes a message of the
  // type of `prototype`, which lasts as long as the process.
  template <class Request, class Use>
  void Read(const grpc::ByteBuffer& bytes, std::shared_ptr<std::atomic<bool>> cancelled, Use use,
            const Request& prototype) {
    const std::size_t size = bytes.Valid() ? bytes.Length() : 0;
    if (size <= limits::kSmallRequestMaxBytes) {
      absl::StatusOr<std::shared_ptr<Request>> request = Make(bytes, nullptr, prototype);
      Free(bytes);
      return use(std::move(request));
    }
    Held held = intake_.Hold(size);
    auto own = std::make_shared<const grpc::ByteBuffer>(bytes);
    Free(bytes);
    if (held == nullptr) return use(intake_.HoldRefusal());
    thread_.Post([this, own = std::move(own), held = std::move(held),
                  cancelled = std::move(cancelled), use = std::move(use), &prototype]() mutable {
      if (cancelled->load()) return;
      if (admission_.draining()) return use(admission_.DrainStatus());
      absl::StatusOr<std::shared_ptr<Request>> request = Make(*own, std::move(held), prototype);
      own.reset();
      use(std::move(request));
    });
  }

 private:
  using Held = std::shared_ptr<void>;

  template <class Request>
  struct Kept {
    Held bytes;
    Held more;
    std::unique_ptr<Request> message;
  };

  template <class Request>
  absl::StatusOr<std::shared_ptr<Request>> Make(const grpc::ByteBuffer& bytes, Held held,
                                                const Request& prototype) {
    const google::protobuf::Descriptor& type = *prototype.GetDescriptor();
    auto kept = std::make_shared<Kept<Request>>();
    kept->bytes = std::move(held);
    absl::StatusOr<Held> more = HoldMessage(bytes, kept->bytes != nullptr, type);
    if (!more.ok()) return more.status();
    kept->more = *std::move(more);
    kept->message.reset(prototype.New());
    if (!Parse(bytes, *kept->message)) return errors::Unparsable(type.full_name());
    return std::shared_ptr<Request>(kept, kept->message.get());
  }

  // Holds what a message takes beyond its bytes, which are held already or few; null if that is
  // little.
  absl::StatusOr<Held> HoldMessage(const grpc::ByteBuffer& bytes, bool bytes_held,
                                   const google::protobuf::Descriptor& type);

  Intake& intake_;
  const Admission& admission_;
  WorkThread thread_{"large-requests"};
};

}  // namespace gateway::rpc
