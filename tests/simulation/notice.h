// Whether simulated days go wrong, as they must, once a safeguard is taken out or a promise broken.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "simulation/world.h"

namespace gateway::simulation {

// Runs the days of the seeds from 1 on until one fails, at most `days` of them, and expects that
// one does. `day_of` gives the options of a seed's day.
void ExpectNoticed(const auto& breakage, std::uint64_t days, const auto& day_of) {
  std::uint64_t seed = 1;
  std::optional<std::string> failure;
  for (; seed <= days && !failure.has_value(); ++seed) {
    World world(day_of(seed));
    failure = world.Run();
  }
  EXPECT_TRUE(failure.has_value())
      << breakage.what << ", and nothing noticed in " << days << " days";
  std::printf("%-22s %3llu days  %s\n", std::string(breakage.name).c_str(),
              static_cast<unsigned long long>(seed - 1), failure.value_or("").c_str());
}

// For INSTANTIATE_TEST_SUITE_P.
std::string TestName(const auto& breakage) {
  std::string name(breakage.param.name);
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

}  // namespace gateway::simulation
