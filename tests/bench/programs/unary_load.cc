// A closed loop of unary calls: each caller sends its next call when the last one is answered.
// Prints one line of JSON; times and CPU are those of the window after the warm-up. With
// --request-bytes N the file has many requests of N bytes each, which have their turns.
//
// With --calls N makes so many calls one after the other instead, and with --save the bytes of the
// last answer go to that file. With --prompted 1 makes one for each line on standard input, until
// its end; `sent NS` tells when.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>

#include "programs/client.h"
#include "programs/clocks.h"
#include "programs/flags.h"

namespace {

constexpr std::chrono::seconds kDeadline{20};

enum class Phase { kWarm, kMeasure, kStop };

// Of all callers; counts are those of the window.
struct Load {
  std::string method;
  std::vector<grpc::ByteBuffer> requests;
  std::atomic<std::size_t> next{0};  // request
  std::atomic<Phase> phase{Phase::kWarm};
  std::atomic<long> calls{0};
  std::atomic<long> total{0};
  std::atomic<long> failed{0};

  std::mutex mutex;
  std::condition_variable stopped;
  long running = 0;
  std::string first_failure;
};

class Caller {
 public:
  Caller(Load& load, grpc::GenericStub& stub) : load_(load), stub_(stub) {}

  void Call() {
    context_.emplace();
    bench::Prepare(*context_, load_.method, kDeadline);
    began_ = bench::Now();
    const std::size_t next = load_.next.fetch_add(1, std::memory_order_relaxed);
    stub_.UnaryCall(&*context_, load_.method, {}, &load_.requests[next % load_.requests.size()],
                    &answer_, [this](const grpc::Status& status) { Answered(status); });
  }

  std::vector<std::int64_t> latencies;  // of the window, ns

 private:
  void Answered(const grpc::Status& status) {
    const Phase phase = load_.phase.load(std::memory_order_relaxed);
    load_.total.fetch_add(1, std::memory_order_relaxed);
    if (!status.ok()) {
      load_.failed.fetch_add(1);
      const std::lock_guard lock(load_.mutex);
      if (load_.first_failure.empty()) load_.first_failure = status.error_message();
    } else if (phase == Phase::kMeasure) {
      load_.calls.fetch_add(1, std::memory_order_relaxed);
      latencies.push_back(bench::Now() - began_);
    }
    if (phase != Phase::kStop) return Call();
    const std::lock_guard lock(load_.mutex);
    if (--load_.running == 0) load_.stopped.notify_all();
  }

  Load& load_;
  grpc::GenericStub& stub_;
  std::optional<grpc::ClientContext> context_;
  grpc::ByteBuffer answer_;
  std::int64_t began_ = 0;
};

double Quantile(const std::vector<std::int64_t>& sorted, double at) {
  if (sorted.empty()) return 0;
  const auto index = static_cast<std::size_t>(at * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[index]) / 1e3;
}

int RunLoop(Load& load, const bench::Flags& flags,
            const std::vector<std::unique_ptr<grpc::GenericStub>>& stubs) {
  std::vector<std::unique_ptr<Caller>> callers;
  for (long i = 0; i < flags.Number("callers"); ++i) {
    callers.push_back(
        std::make_unique<Caller>(load, *stubs[static_cast<std::size_t>(i) % stubs.size()]));
  }
  load.running = static_cast<long>(callers.size());
  for (auto& caller : callers) caller->Call();

  const auto server = static_cast<pid_t>(flags.Number("server-pid"));
  std::this_thread::sleep_for(std::chrono::duration<double>(flags.Real("warm")));
  const std::int64_t server_cpu = bench::CpuOf(server);
  const std::int64_t own_cpu = bench::OwnCpu();
  const std::int64_t began = bench::Now();
  load.phase = Phase::kMeasure;
  std::this_thread::sleep_for(std::chrono::duration<double>(flags.Real("seconds")));
  load.phase = Phase::kStop;
  const double calls = static_cast<double>(std::max<long>(1, load.calls));
  const double seconds = static_cast<double>(bench::Now() - began) / 1e9;
  const double server_us = static_cast<double>(bench::CpuOf(server) - server_cpu) / 1e3;
  const double own_us = static_cast<double>(bench::OwnCpu() - own_cpu) / 1e3;
  {
    std::unique_lock lock(load.mutex);
    load.stopped.wait(lock, [&] { return load.running == 0; });
  }
  std::vector<std::int64_t> latencies;
  for (const auto& caller : callers) {
    latencies.insert(latencies.end(), caller->latencies.begin(), caller->latencies.end());
  }
  std::sort(latencies.begin(), latencies.end());
  std::printf(
      "{\"per_second\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"cpu_us\":%.3f,"
      "\"client_cpu_us\":%.3f,\"total\":%ld,\"failed\":%ld}\n",
      calls / seconds, Quantile(latencies, 0.5), Quantile(latencies, 0.99), server_us / calls,
      own_us / calls, load.total.load(), load.failed.load());
  if (!load.first_failure.empty()) std::fprintf(stderr, "%s\n", load.first_failure.c_str());
  return 0;
}

grpc::Status CallOnce(const Load& load, grpc::GenericStub& stub, grpc::ByteBuffer& answer) {
  grpc::ClientContext context;
  bench::Prepare(context, load.method, kDeadline);
  grpc::Status status;
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  stub.UnaryCall(&context, load.method, {}, &load.requests.front(), &answer,
                 [&](grpc::Status ended) {
                   const std::lock_guard lock(mutex);
                   status = std::move(ended);
                   done = true;
                   changed.notify_all();
                 });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done; });
  return status;
}

int Failed(const grpc::Status& status) {
  std::fprintf(stderr, "%s\n", status.error_message().c_str());
  return 1;
}

int CallSome(const Load& load, const bench::Flags& flags, grpc::GenericStub& stub) {
  grpc::ByteBuffer answer;
  for (long i = 0; i < flags.Number("calls"); ++i) {
    if (const grpc::Status status = CallOnce(load, stub, answer); !status.ok())
      return Failed(status);
  }
  const std::string bytes = bench::BytesOf(answer);
  if (!flags.Text("save").empty()) std::ofstream(flags.Text("save"), std::ios::binary) << bytes;
  std::printf("{\"answer_bytes\":%zu}\n", bytes.size());
  return 0;
}

int CallWhenPrompted(const Load& load, grpc::GenericStub& stub) {
  grpc::ByteBuffer answer;
  for (std::string line; std::getline(std::cin, line);) {
    std::printf("sent %lld\n", static_cast<long long>(bench::Now()));
    std::fflush(stdout);
    if (const grpc::Status status = CallOnce(load, stub, answer); !status.ok())
      return Failed(status);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv,
                           {{"target", ""},
                            {"method", ""},
                            {"request", ""},
                            {"callers", "64"},
                            {"channels", "4"},
                            {"warm", "0.3"},
                            {"seconds", "1"},
                            {"server-pid", "0"},
                            {"calls", "0"},
                            {"save", ""},
                            {"prompted", "0"},
                            {"request-bytes", "0"}});
  Load load;
  load.method = flags.Text("method");
  load.requests = bench::Split(bench::ReadRequest(flags.Text("request")),
                               static_cast<std::size_t>(flags.Number("request-bytes")));
  const bool prompted = flags.Number("prompted") != 0;
  const bool loop = !prompted && flags.Number("calls") == 0;
  const auto stubs = bench::Connect(flags.Text("target"), loop ? flags.Number("channels") : 1);
  if (prompted) return CallWhenPrompted(load, *stubs.front());
  return loop ? RunLoop(load, flags, stubs) : CallSome(load, flags, *stubs.front());
}
