// Bare polling: so many GETs of one URL in flight all the time, over kept connections, none of the
// answers looked at. With --ca-file over TLS, and by HTTP/2 where it is offered. Prints one line of
// JSON.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "programs/clocks.h"
#include "programs/flags.h"
#include "reference/curl_loop.h"

namespace {

struct Tally {
  std::atomic<long> answered{0};
  std::atomic<long> failed{0};
};

void Ask(bench::CurlLoop& loop, Tally& tally) {
  loop.Start("", [&](long status, const std::string&) {
    (status == 200 ? tally.answered : tally.failed).fetch_add(1, std::memory_order_relaxed);
    Ask(loop, tally);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv,
                           {{"url", ""}, {"ca-file", ""}, {"in-flight", "16"}, {"seconds", "1"}});
  Tally tally;
  bench::CurlLoop loop({.url = flags.Text("url"), .ca_file = flags.Text("ca-file")});
  for (long i = 0; i < flags.Number("in-flight"); ++i) Ask(loop, tally);
  const auto window = std::chrono::duration<double>(flags.Real("seconds"));
  std::this_thread::sleep_for(window / 4);  // until the connections stand
  const long before = tally.answered;
  const std::int64_t cpu = bench::OwnCpu();
  const std::int64_t began = bench::Now();
  std::this_thread::sleep_for(window);
  const double seconds = static_cast<double>(bench::Now() - began) / 1e9;
  const double calls = static_cast<double>(std::max<long>(1, tally.answered - before));
  std::printf("{\"per_second\":%.1f,\"cpu_us\":%.3f,\"failed\":%ld}\n", calls / seconds,
              static_cast<double>(bench::OwnCpu() - cpu) / 1e3 / calls, tally.failed.load());
  return 0;
}
