// The least a server of many streams can do: one serialised message, sent to each stream in a loop.
//
// A line on standard input is one broadcast; `sent NS` tells when it began. Each stream gets one
// message when it opens.
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "bench/reference.grpc.pb.h"
#include "programs/clocks.h"
#include "programs/flags.h"
#include "reference/serve.h"

namespace {

using pictory::bench::v1::Answer;
using pictory::bench::v1::Reference;

class WatchService final : public Reference::WithRawCallbackMethod_Watch<Reference::Service> {
 public:
  explicit WatchService(std::size_t bytes) {
    Answer answer;
    answer.set_payload(std::string(bytes, 'x'));
    const std::string wire = answer.SerializeAsString();
    const grpc::Slice slice(wire);
    message_ = grpc::ByteBuffer(&slice, 1);
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch(grpc::CallbackServerContext*,
                                                    const grpc::ByteBuffer*) override {
    auto* stream = new Stream(*this);
    {
      const std::lock_guard lock(mutex_);
      streams_.push_back(stream);
    }
    Send(stream);
    return stream;
  }

  void Broadcast() {
    while (outstanding_.load() > 0) std::this_thread::yield();  // of the broadcast before
    std::printf("sent %lld\n", static_cast<long long>(bench::Now()));
    std::fflush(stdout);
    const std::lock_guard lock(mutex_);
    for (Stream* stream : streams_) Send(stream);
  }

 private:
  // Streams end with the server: nobody leaves a bench early.
  class Stream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
   public:
    explicit Stream(WatchService& service) : service_(service) {}
    void OnWriteDone(bool) override { service_.outstanding_.fetch_sub(1); }
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { service_.Forget(this); }

   private:
    WatchService& service_;
  };

  void Send(Stream* stream) {
    outstanding_.fetch_add(1);
    stream->StartWrite(&message_);
  }

  void Forget(Stream* stream) {
    const std::lock_guard lock(mutex_);
    std::erase(streams_, stream);
    delete stream;
  }

  grpc::ByteBuffer message_;
  std::atomic<int> outstanding_{0};
  std::mutex mutex_;
  std::vector<Stream*> streams_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv, {{"bytes", "300"}});
  WatchService service(static_cast<std::size_t>(flags.Number("bytes")));
  return bench::Serve(service, [&](const std::string&) { service.Broadcast(); });
}
