// The least a server of many streams can do: one serialised message, sent to each stream in a loop.
//
// An empty line on standard input is one broadcast; `sent NS` tells when it began. A line with a
// name goes to the streams that asked with it, without a word. Each stream gets one message when it
// opens. Messages begin with `stamp NS`, as far as they are long enough: when their loop began.
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bench/reference.grpc.pb.h"
#include "programs/client.h"
#include "programs/clocks.h"
#include "programs/flags.h"
#include "reference/serve.h"

namespace {

using pictory::bench::v1::Answer;
using pictory::bench::v1::Ask;
using pictory::bench::v1::Reference;

class WatchService final : public Reference::WithRawCallbackMethod_Watch<Reference::Service> {
 public:
  explicit WatchService(std::size_t bytes) : bytes_(bytes) { Stamp(); }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch(grpc::CallbackServerContext*,
                                                    const grpc::ByteBuffer* request) override {
    Ask ask;
    ask.ParseFromString(bench::BytesOf(*request));
    Stream* stream = nullptr;
    {
      const std::lock_guard lock(mutex_);
      std::vector<Stream*>& named = streams_[ask.payload()];
      stream = named.emplace_back(new Stream(*this, named));
    }
    Send(stream);
    return stream;
  }

  void Broadcast(const std::string& name) {
    while (outstanding_.load() > 0) std::this_thread::yield();  // of the broadcast before
    const std::int64_t now = Stamp();
    if (name.empty()) {
      std::printf("sent %lld\n", static_cast<long long>(now));
      std::fflush(stdout);
    }
    const std::lock_guard lock(mutex_);
    for (const auto& [called, named] : streams_) {
      if (!name.empty() && name != called) continue;
      for (Stream* stream : named) Send(stream);
    }
  }

 private:
  // Streams end with the server: nobody leaves a bench early.
  class Stream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
   public:
    Stream(WatchService& service, std::vector<Stream*>& named) : service_(service), named_(named) {}
    void OnWriteDone(bool) override { service_.outstanding_.fetch_sub(1); }
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { service_.Forget(this, named_); }

   private:
    WatchService& service_;
    std::vector<Stream*>& named_;
  };

  // Makes the next message. Not while streams open or one is being sent.
  std::int64_t Stamp() {
    const std::int64_t now = bench::Now();
    std::string payload = "stamp " + std::to_string(now) + " ";
    payload.resize(bytes_, 'x');
    Answer answer;
    answer.set_payload(std::move(payload));
    const std::string wire = answer.SerializeAsString();
    const grpc::Slice slice(wire);
    message_ = grpc::ByteBuffer(&slice, 1);
    return now;
  }

  void Send(Stream* stream) {
    outstanding_.fetch_add(1);
    stream->StartWrite(&message_);
  }

  void Forget(Stream* stream, std::vector<Stream*>& named) {
    const std::lock_guard lock(mutex_);
    std::erase(named, stream);
    delete stream;
  }

  const std::size_t bytes_;
  grpc::ByteBuffer message_;
  std::atomic<int> outstanding_{0};
  std::mutex mutex_;
  std::map<std::string, std::vector<Stream*>> streams_;  // by what they asked with
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv, {{"bytes", "300"}});
  WatchService service(static_cast<std::size_t>(flags.Number("bytes")));
  return bench::Serve(service, [&](const std::string& name) { service.Broadcast(name); });
}
