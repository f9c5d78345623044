#include "obs/metrics.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace gateway::obs {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Metrics, WhatOnlyGrowsIsACounter) {
  Metrics metrics;
  double value = 3;
  metrics.AddCounter("things_total", "Things", [&] { return value; });
  EXPECT_TRUE(Has(metrics.Render(), "# TYPE things_total counter\nthings_total 3\n"));
  value = 5;
  EXPECT_TRUE(Has(metrics.Render(), "\nthings_total 5\n"));
}

// Two scrapes can be compared line by line.
TEST(Metrics, TheTextHasOneOrder) {
  const auto render = [](int turn) {
    Metrics metrics;
    for (int i = 0; i < 20; ++i) {
      metrics.CountCall("Method" + std::to_string((i + turn) % 20), "OK");
      metrics.CountSubmit("kind" + std::to_string((i + turn) % 20), "accepted");
    }
    return metrics.Render();
  };
  const std::string first = render(0);
  EXPECT_LT(first.find("method=\"Method1\""), first.find("method=\"Method2\""));
  for (int turn = 1; turn < 20; ++turn) ASSERT_EQ(render(turn), first);
}

TEST(Metrics, ACountedCallIsTimedOnlyIfItIsSaid) {
  Metrics metrics;
  metrics.CountCall("WatchJob", "OK");
  metrics.CountCall("GetJob", "OK");
  metrics.TimeCall("GetJob", 0.1);
  const std::string text = metrics.Render();
  EXPECT_TRUE(Has(text, "calls_total{code=\"OK\",method=\"WatchJob\"} 1"));
  EXPECT_TRUE(Has(text, "call_seconds_count{method=\"GetJob\"} 1"));
  EXPECT_FALSE(Has(text, "call_seconds_count{method=\"WatchJob\"}"));
}

TEST(Metrics, ErrorCodesOfPictoryAreALimitedNumberOfLabels) {
  Metrics metrics;
  metrics.CountFinished("render", "SUCCEEDED", "");
  metrics.CountFinished("render", "FAILED", "a \"text\"");
  for (int i = 0; i < 1000; ++i)
    metrics.CountFinished("render", "FAILED", "CODE_" + std::to_string(i));
  const std::string text = metrics.Render();
  EXPECT_TRUE(Has(text, "jobs_finished_total{code=\"\",kind=\"render\",state=\"SUCCEEDED\"} 1"));
  EXPECT_TRUE(Has(text, "jobs_finished_total{code=\"CODE_0\",kind=\"render\",state=\"FAILED\"} 1"));
  EXPECT_TRUE(
      Has(text, "jobs_finished_total{code=\"other\",kind=\"render\",state=\"FAILED\"} 969"));
}

TEST(Metrics, ValuesByTenantAreALimitedNumberOfLabels) {
  Metrics metrics;
  Metrics::ByLabel values{{"acme", 3}};
  metrics.AddGauges("credits", "Credits", "tenant", [&] { return values; });
  metrics.AddCounters("shed_total", "Shed", "what", [&] { return Metrics::ByLabel{{"polls", 2}}; });
  EXPECT_TRUE(Has(metrics.Render(), "\ncredits{tenant=\"acme\"} 3\n"));
  EXPECT_TRUE(Has(metrics.Render(), "\nshed_total{what=\"polls\"} 2\n")) << "it does not grow";
  values.clear();
  for (int i = 0; i < 500; ++i) values["t" + std::to_string(1000 + i)] = 2;
  const std::string text = metrics.Render();
  EXPECT_TRUE(Has(text, "\ncredits{tenant=\"acme\"} 0\n")) << "it has none any more";
  EXPECT_TRUE(Has(text, "\ncredits{tenant=\"t1000\"} 2\n"));
  const std::size_t others = 500 - (limits::kTenantLabelsMax - 1);
  EXPECT_TRUE(Has(text, "\ncredits{tenant=\"other\"} " + std::to_string(2 * others) + "\n"));
  EXPECT_FALSE(Has(text, "tenant=\"t1400\""));
}

}  // namespace
}  // namespace gateway::obs
