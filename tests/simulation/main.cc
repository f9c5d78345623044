// Runs simulated days, one a seed, and says what went wrong.
//
//   simulate [--gateways N | --gateways LEAST-MOST] [--seeds FIRST-LAST] [--requests N] [--hours N]
//            [--threads N] [--break NAME] [--tell]
//
// More gateways than one share a database; with LEAST-MOST each day has another number of them.
//
// Exit: 0 all held, 1 a check failed (the line says how to see it again), 2 usage.
#include <algorithm>
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
using gateway::simulation::FindSharedBreakage;
using gateway::simulation::Statistics;
using gateway::simulation::World;
using gateway::simulation::WorldOptions;

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
  std::uint64_t gateways_least = 1;
  std::uint64_t gateways_most = 1;
  int threads = 2;
  std::string broken;
  WorldOptions world;
};

int Usage(const std::string& why) {
  std::fprintf(
      stderr,
      "simulate: %s\nusage: simulate [--gateways N | --gateways LEAST-MOST] [--seeds FIRST-LAST] "
      "[--requests N] [--hours N] [--threads N] [--break NAME] [--tell]\nNAME is one of:%s\n",
      why.c_str(), gateway::simulation::BreakageNames().c_str());
  return 2;
}

// "3", or "2-4".
void ParseRange(const std::string& value, std::uint64_t& first, std::uint64_t& last) {
  const std::size_t dash = value.find('-');
  first = std::strtoull(value.c_str(), nullptr, 10);
  last = dash == std::string::npos ? first : std::strtoull(value.c_str() + dash + 1, nullptr, 10);
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
      ParseRange(value, options.first, options.last);
    } else if (flag == "--gateways") {
      ParseRange(value, options.gateways_least, options.gateways_most);
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
         options.gateways_least > 0 && options.gateways_most >= options.gateways_least &&
         options.gateways_most <= 16 && options.world.requests > 0 &&
         options.world.length > gateway::Duration(0);
}

// What runs this day again.
std::string Command(const Options& options, const WorldOptions& day) {
  std::string command = "tests/simulation/run";
  if (day.gateways > 1) command += " --gateways " + std::to_string(day.gateways);
  command += " --seeds " + std::to_string(day.seed);
  const WorldOptions usual;
  if (day.requests != usual.requests) command += " --requests " + std::to_string(day.requests);
  if (day.length != usual.length) {
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(day.length);
    command += " --hours " + std::to_string(hours.count());
  }
  if (!options.broken.empty()) command += " --break " + options.broken;
  return command;
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
  all.ends += one.ends;
  all.stops += one.stops;
  all.cuts += one.cuts;
  all.aways += one.aways;
  all.most_of_budget = std::max(all.most_of_budget, one.most_of_budget);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, options)) return Usage("not understood");
  if (!options.broken.empty()) {
    const auto* breakage = FindBreakage(options.broken);
    const auto* shared = FindSharedBreakage(options.broken);
    if (breakage == nullptr && shared == nullptr) return Usage("no breakage " + options.broken);
    if (breakage != nullptr) gateway::simulation::Apply(*breakage, options.world.bugs);
    if (shared != nullptr) gateway::simulation::Apply(*shared, options.world.bugs);
    if (shared != nullptr && options.gateways_least < 2) return Usage("it needs --gateways 2");
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
        world_options.gateways = static_cast<int>(
            options.gateways_least + seed % (options.gateways_most - options.gateways_least + 1));
        World world(world_options);
        const auto failure = world.Run();
        const std::lock_guard lock(mutex);
        ++days;
        Add(world.statistics(), all);
        if (!failure.has_value()) continue;
        failed = true;
        std::printf("FAILED seed %llu: %s\nsee it again: %s --tell\n",
                    static_cast<unsigned long long>(seed), failure->c_str(),
                    Command(options, world_options).c_str());
        if (world_options.tell) continue;
        std::fflush(stdout);
        world_options.tell = true;  // the same day once more, with its story
        World(world_options).Run();
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
  if (options.gateways_most > 1) {
    std::printf(
        "%llu-%llu gateways: %llu ended in order, %llu times one stopped, %llu times one cut off "
        "from the database, %llu times the database away or another; at most %.2f of the budget in "
        "ten seconds\n",
        n(options.gateways_least), n(options.gateways_most), n(all.ends), n(all.stops), n(all.cuts),
        n(all.aways), all.most_of_budget);
  }
  return failed ? 1 : 0;
}
