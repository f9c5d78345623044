// Many streams, held open. Prints `open NS` once each has had its first message, with the time that
// took. Then each line on standard input begins a round: `armed` is printed, and once every stream has
// had one more message, `round FIRST LAST BYTES`: when the first and the last stream got theirs
// (CLOCK_MONOTONIC, ns), and its size. With --quantile 0.99 LAST is when so many of them had theirs. The
// end of standard input ends the program.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <utility>

#include "programs/client.h"
#include "programs/clocks.h"
#include "programs/flags.h"

namespace {

// Calls that begin at once would have to wait for their headers in one long queue.
constexpr long kOpenAtOnce = 500;
constexpr std::chrono::seconds kPatience{60};

// A message that all streams wait for.
struct Round {
  std::size_t min_bytes = 0;  // what is shorter is a heartbeat
  std::atomic<long> number{0};
  std::atomic<long> missing{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::condition_variable changed;

  void Arm(long streams) {
    missing = streams;
    ++number;
  }
  void Note() {
    if (--missing % kOpenAtOnce == 0) Wake();
  }
  void Fail() {
    failed = true;
    Wake();
  }
  bool AwaitMissing(long at_most) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kPatience, [&] { return failed || missing <= at_most; }) && !failed;
  }

 private:
  void Wake() {
    const std::lock_guard lock(mutex);
    changed.notify_all();
  }
};

class Stream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Stream(Round& round, grpc::GenericStub& stub, const std::string& method,
         const grpc::ByteBuffer& request)
      : round_(round) {
    stub.PrepareBidiStreamingCall(&context_, method, {}, this);
    StartWriteLast(&request, grpc::WriteOptions());
    StartRead(&message_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    const long round = round_.number;
    if (message_.Length() >= round_.min_bytes && std::exchange(seen_, round) != round) {
      at_ = bench::Now();
      bytes_ = message_.Length();
      round_.Note();
    }
    StartRead(&message_);
  }
  void OnDone(const grpc::Status& status) override {
    if (status.ok()) return;  // the job has ended
    std::fprintf(stderr, "a stream ended: %d %s\n", status.error_code(),
                 status.error_message().c_str());
    round_.Fail();
  }

  // Of the message of the last round; once it is over.
  std::int64_t at() const { return at_; }
  std::size_t bytes() const { return bytes_; }

 private:
  Round& round_;
  grpc::ClientContext context_;
  grpc::ByteBuffer message_;
  long seen_ = 0;
  std::int64_t at_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv, {{"target", ""}, {"method", ""}, {"request", ""},
                                        {"watches", "1000"}, {"connections", "16"},
                                        {"update-bytes", "32"}, {"quantile", "1"}});
  const long watches = flags.Number("watches");
  const auto stubs = bench::Connect(flags.Text("target"), flags.Number("connections"));
  const grpc::ByteBuffer request = bench::ReadRequest(flags.Text("request"));
  Round round;
  round.min_bytes = static_cast<std::size_t>(flags.Number("update-bytes"));
  std::vector<std::unique_ptr<Stream>> streams;
  const std::int64_t began = bench::Now();
  round.Arm(watches);
  for (long i = 0; i < watches; ++i) {
    streams.push_back(std::make_unique<Stream>(round, *stubs[static_cast<std::size_t>(i) % stubs.size()],
                                               flags.Text("method"), request));
    const long open = i + 1;
    if (open % kOpenAtOnce == 0 && !round.AwaitMissing(watches - open)) std::_Exit(1);
  }
  if (!round.AwaitMissing(0)) std::_Exit(1);
  std::printf("open %lld\n", static_cast<long long>(bench::Now() - began));
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    round.Arm(watches);
    std::printf("armed\n");
    std::fflush(stdout);
    if (!round.AwaitMissing(0)) std::_Exit(1);
    std::sort(streams.begin(), streams.end(),
              [](const auto& a, const auto& b) { return a->at() < b->at(); });
    const auto& last = streams[static_cast<std::size_t>(
        flags.Real("quantile") * static_cast<double>(streams.size() - 1))];
    std::printf("round %lld %lld %zu\n", static_cast<long long>(streams.front()->at()),
                static_cast<long long>(last->at()), last->bytes());
    std::fflush(stdout);
  }
  std::_Exit(0);  // ending ten thousand streams in order takes longer than any figure
}
