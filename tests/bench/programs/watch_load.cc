// Many streams, held open. Prints `open NS` once each has had its first message, with the time that
// took. Then each line on standard input begins a round: `armed` is printed, and once every stream
// has had one more message, `round FIRST LAST BYTES`: when the first and the last stream got theirs
// (CLOCK_MONOTONIC, ns), and its size. After a line of quantiles, `0.5 0.99 1`, it is `reached
// NS…`: when so many had theirs. The end of standard input ends the program.
//
// --request has the request of all streams or, with --request-bytes N, one of N bytes for each
// equal share of them. A line `updates N` then waits for N messages that say `stamp NS` to have
// reached all streams of a share, and prints `updates P50 P99 MAX`: ns from the stamp to the last
// of them.
//
// `counts` prints `counts OPEN FINISHED BROKEN LEAST`: streams that go on, that ended because their
// job did, that ended otherwise, and the fewest messages that one of them had since the last
// `counts`. `delays` prints `delays N P50 P99 MAX`: of all messages with a stamp since the last
// `delays`, ns from it to their arrival. With --deaf 1 no stream reads more than its first message.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <limits>
#include <map>
#include <mutex>
#include <sstream>
#include <string_view>
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
    return changed.wait_for(lock, kPatience, [&] { return failed || missing <= at_most; }) &&
           !failed;
  }

 private:
  void Wake() {
    const std::lock_guard lock(mutex);
    changed.notify_all();
  }
};

// When a message was made, by its own account; 0 if it does not say.
std::int64_t StampOf(const std::string& message) {
  constexpr std::string_view kStamp = "stamp ";
  const std::size_t at = message.find(kStamp);
  return at == std::string::npos ? 0 : std::atoll(message.c_str() + at + kStamp.size());
}

// How long messages take to reach all streams of a share.
class Updates {
 public:
  explicit Updates(long share) : share_(share) {}

  // Nothing that was made before counts.
  void Arm(std::size_t wanted) {
    const std::lock_guard lock(mutex_);
    wanted_ = wanted;
    armed_at_ = bench::Now();
    delays_.clear();
  }

  void Note(std::int64_t stamp) {
    const std::lock_guard lock(mutex_);
    if (wanted_ == 0 || stamp < armed_at_ || ++seen_[stamp] < share_) return;
    seen_.erase(stamp);
    delays_.push_back(bench::Now() - stamp);
    if (delays_.size() == wanted_) all_.notify_all();
  }

  // Sorted; fewer than wanted if they did not come.
  std::vector<std::int64_t> Await() {
    std::unique_lock lock(mutex_);
    all_.wait_for(lock, kPatience, [this] { return delays_.size() >= wanted_; });
    std::sort(delays_.begin(), delays_.end());
    return delays_;
  }

 private:
  const long share_;
  std::mutex mutex_;
  std::condition_variable all_;
  std::size_t wanted_ = 0;
  std::int64_t armed_at_ = 0;
  std::map<std::int64_t, long> seen_;  // by how many streams, of what not all have
  std::vector<std::int64_t> delays_;
};

// What the streams have seen, whatever round it is.
class Tally {
 public:
  void NoteDelay(std::int64_t delay) {
    const std::lock_guard lock(mutex_);
    delays_.push_back(delay);
  }
  void NoteEnd(bool finished) { ++(finished ? finished_ : broken_); }

  void TellCounts(std::size_t streams, long least) const {
    const long finished = finished_, broken = broken_;
    std::printf("counts %ld %ld %ld %ld\n", static_cast<long>(streams) - finished - broken,
                finished, broken, least);
    std::fflush(stdout);
  }
  void TellDelays() {
    std::vector<std::int64_t> delays;
    {
      const std::lock_guard lock(mutex_);
      delays.swap(delays_);
    }
    std::sort(delays.begin(), delays.end());
    const auto at = [&](std::size_t percent) {
      return delays.empty() ? 0LL
                            : static_cast<long long>(delays[(delays.size() - 1) * percent / 100]);
    };
    std::printf("delays %zu %lld %lld %lld\n", delays.size(), at(50), at(99), at(100));
    std::fflush(stdout);
  }

 private:
  std::atomic<long> finished_{0}, broken_{0};
  std::mutex mutex_;
  std::vector<std::int64_t> delays_;
};

class Stream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Stream(Round& round, Tally& tally, Updates* updates, bool deaf, grpc::GenericStub& stub,
         const std::string& method, const grpc::ByteBuffer& request)
      : round_(round), tally_(tally), updates_(updates), deaf_(deaf) {
    bench::ShowKey(context_);
    stub.PrepareBidiStreamingCall(&context_, method, {}, this);
    StartWriteLast(&request, grpc::WriteOptions());
    StartRead(&message_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    ++messages_;
    const long round = round_.number;
    if (message_.Length() >= round_.min_bytes && std::exchange(seen_, round) != round) {
      at_ = bench::Now();
      bytes_ = message_.Length();
      round_.Note();
    }
    if (updates_ != nullptr) {
      if (const std::int64_t stamp = StampOf(bench::BytesOf(message_)); stamp > 0) {
        updates_->Note(stamp);
        tally_.NoteDelay(bench::Now() - stamp);
      }
    }
    if (!deaf_) StartRead(&message_);
  }
  void OnDone(const grpc::Status& status) override {
    tally_.NoteEnd(status.ok());
    if (status.ok()) return;  // the job has ended
    std::fprintf(stderr, "a stream ended: %d %s\n", status.error_code(),
                 status.error_message().c_str());
    round_.Fail();
  }

  // Of the message of the last round; once it is over.
  std::int64_t at() const { return at_; }
  std::size_t bytes() const { return bytes_; }
  // Since the last time it was asked.
  long TakeMessages() { return messages_.exchange(0); }

 private:
  Round& round_;
  Tally& tally_;
  Updates* const updates_;  // null: nobody asks
  const bool deaf_;
  grpc::ClientContext context_;
  grpc::ByteBuffer message_;
  std::atomic<long> messages_{0};
  long seen_ = 0;
  std::int64_t at_ = 0;
  std::size_t bytes_ = 0;
};

bool AwaitUpdates(Updates& updates, std::size_t wanted) {
  updates.Arm(wanted);
  std::printf("armed\n");
  std::fflush(stdout);
  const std::vector<std::int64_t> delays = updates.Await();
  if (wanted == 0 || delays.size() < wanted) {
    std::fprintf(stderr, "only %zu of %zu updates reached all\n", delays.size(), wanted);
    return false;
  }
  std::printf("updates %lld %lld %lld\n", static_cast<long long>(delays[(wanted - 1) / 2]),
              static_cast<long long>(delays[(wanted - 1) * 99 / 100]),
              static_cast<long long>(delays.back()));
  std::fflush(stdout);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv,
                           {{"target", ""},
                            {"method", ""},
                            {"request", ""},
                            {"watches", "1000"},
                            {"connections", "16"},
                            {"update-bytes", "32"},
                            {"request-bytes", "0"},
                            {"deaf", "0"}});
  const long watches = flags.Number("watches");
  const bool deaf = flags.Number("deaf") != 0;
  const auto stubs = bench::Connect(flags.Text("target"), flags.Number("connections"), deaf);
  const auto each = static_cast<std::size_t>(flags.Number("request-bytes"));
  const std::vector<grpc::ByteBuffer> requests =
      bench::Split(bench::ReadRequest(flags.Text("request")), each);
  const long share = watches / static_cast<long>(requests.size());
  Updates updates(share);
  Tally tally;
  Round round;
  round.min_bytes = static_cast<std::size_t>(flags.Number("update-bytes"));
  std::vector<std::unique_ptr<Stream>> streams;
  const std::int64_t began = bench::Now();
  round.Arm(watches);
  for (long i = 0; i < watches; ++i) {
    streams.push_back(std::make_unique<Stream>(
        round, tally, each > 0 ? &updates : nullptr, deaf,
        *stubs[static_cast<std::size_t>(i) % stubs.size()], flags.Text("method"),
        requests[static_cast<std::size_t>(i / share) % requests.size()]));
    const long open = i + 1;
    if (open % kOpenAtOnce == 0 && !round.AwaitMissing(watches - open)) std::_Exit(1);
  }
  if (!round.AwaitMissing(0)) std::_Exit(1);
  std::printf("open %lld\n", static_cast<long long>(bench::Now() - began));
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    if (line.rfind("updates ", 0) == 0) {
      if (!AwaitUpdates(updates, std::strtoul(line.c_str() + 8, nullptr, 10))) std::_Exit(1);
      continue;
    }
    if (line == "counts") {
      long least = std::numeric_limits<long>::max();
      for (const auto& stream : streams) least = std::min(least, stream->TakeMessages());
      tally.TellCounts(streams.size(), least);
      continue;
    }
    if (line == "delays") {
      tally.TellDelays();
      continue;
    }
    round.Arm(watches);
    std::printf("armed\n");
    std::fflush(stdout);
    if (!round.AwaitMissing(0)) std::_Exit(1);
    std::sort(streams.begin(), streams.end(),
              [](const auto& a, const auto& b) { return a->at() < b->at(); });
    const auto at = [&](double quantile) -> const Stream& {
      return *streams[static_cast<std::size_t>(quantile * static_cast<double>(streams.size() - 1))];
    };
    if (line.empty()) {
      std::printf("round %lld %lld %zu\n", static_cast<long long>(at(0).at()),
                  static_cast<long long>(at(1).at()), at(1).bytes());
    } else {
      std::printf("reached");
      std::istringstream quantiles(line);
      for (double quantile = 0; quantiles >> quantile;) {
        std::printf(" %lld", static_cast<long long>(at(quantile).at()));
      }
      std::printf("\n");
    }
    std::fflush(stdout);
  }
  std::_Exit(0);  // ending ten thousand streams in order takes longer than any figure
}
