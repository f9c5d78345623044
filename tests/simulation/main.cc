// Runs simulated days, one a seed, and says what went wrong.
//
//   simulate [--seeds FIRST-LAST] [--requests N] [--hours N] [--threads N] [--break NAME] [--tell]
//
// Exit: 0 all held, 1 a check failed (the line says how to see it again), 2 usage.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "simulation/breakages.h"
#include "simulation/world.h"

namespace {

using gateway::simulation::FindBreakage;
using gateway::simulation::Statistics;
using gateway::simulation::World;
using gateway::simulation::WorldOptions;

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
  int threads = 2;
  std::string broken;
  WorldOptions world;
};

int Usage(const std::string& why) {
  std::fprintf(
      stderr,
      "simulate: %s\nusage: simulate [--seeds FIRST-LAST] [--requests N] [--hours N] [--threads N] "
      "[--break NAME] [--tell]\nNAME is one of:%s\n",
      why.c_str(), gateway::simulation::BreakageNames().c_str());
  return 2;
}

bool Parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--tell") {
      options.world.tell = true;
      continue;
    }
    if (i + 1 >= argc) return false;
    const std::string value = argv[++i];
    if (flag == "--seeds") {
      const std::size_t dash = value.find('-');
      options.first = std::strtoull(value.c_str(), nullptr, 10);
      options.last = dash == std::string::npos
                         ? options.first
                         : std::strtoull(value.c_str() + dash + 1, nullptr, 10);
    } else if (flag == "--requests") {
      options.world.requests = std::atoi(value.c_str());
    } else if (flag == "--hours") {
      options.world.length = std::chrono::hours(std::atoi(value.c_str()));
    } else if (flag == "--threads") {
      options.threads = std::atoi(value.c_str());
    } else if (flag == "--break") {
      options.broken = value;
    } else {
      return false;
    }
  }
  return options.first > 0 && options.last >= options.first && options.threads > 0 &&
         options.world.requests > 0 && options.world.length > gateway::Duration(0);
}

void Add(const Statistics& one, Statistics& all) {
  all.accepted += one.accepted;
  all.crashes += one.crashes;
  all.silences += one.silences;
  all.busy += one.busy;
  all.unconfirmed += one.unconfirmed;
  all.watches += one.watches;
  all.webhook_calls += one.webhook_calls;
  all.waited += one.waited;
  all.cancelled += one.cancelled;
  all.swallowed += one.swallowed;
  all.by_pictory_id += one.by_pictory_id;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, options)) return Usage("not understood");
  if (!options.broken.empty()) {
    const auto* breakage = FindBreakage(options.broken);
    if (breakage == nullptr) return Usage("no breakage " + options.broken);
    gateway::simulation::Apply(*breakage, options.world.bugs);
  }
  const auto began = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> next{options.first};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::uint64_t days = 0;
  Statistics all;
  std::vector<std::thread> threads;
  for (int i = 0; i < options.threads; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t seed = next++; seed <= options.last && !failed; seed = next++) {
        WorldOptions world_options = options.world;
        world_options.seed = seed;
        World world(world_options);
        const auto failure = world.Run();
        const std::lock_guard lock(mutex);
        ++days;
        Add(world.statistics(), all);
        if (!failure.has_value()) continue;
        failed = true;
        std::printf(
            "FAILED seed %llu: %s\nsee it again: tests/simulation/run --seeds %llu%s%s --tell\n",
            static_cast<unsigned long long>(seed), failure->c_str(),
            static_cast<unsigned long long>(seed), options.broken.empty() ? "" : " --break ",
            options.broken.c_str());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "%llu days of %lld h in %.1f s: %llu jobs paid, %llu unconfirmed for a time, %llu crashes, "
      "%llu "
      "silent weeks, %llu times a busy store, %llu watches, %llu webhook calls, %llu answers "
      "swallowed, "
      "%llu reads by Pictory's id, %llu that waited, %llu of them cancelled\n",
      n(days),
      static_cast<long long>(
          std::chrono::duration_cast<std::chrono::hours>(options.world.length).count()),
      seconds, n(all.accepted), n(all.unconfirmed), n(all.crashes), n(all.silences), n(all.busy),
      n(all.watches), n(all.webhook_calls), n(all.swallowed), n(all.by_pictory_id), n(all.waited),
      n(all.cancelled));
  return failed ? 1 : 0;
}
