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
      metrics.EndCall("Method" + std::to_string((i + turn) % 20), {.code = "OK"});
      metrics.CountSubmit("kind" + std::to_string((i + turn) % 20), "accepted");
    }
    return metrics.Render();
  };
  const std::string first = render(0);
  EXPECT_LT(first.find("Jobs/Method1\""), first.find("Jobs/Method2\""));
  for (int turn = 1; turn < 20; ++turn) ASSERT_EQ(render(turn), first);
}

TEST(Metrics, CallsHaveTheNamesOfGrpcsOwnLibraries) {
  Metrics metrics;
  metrics.BeginCall("GetJob");
  metrics.BeginCall("GetJob");
  metrics.EndCall("GetJob",
                  {.code = "NOT_FOUND", .seconds = 0.1, .received_bytes = 40, .sent_bytes = 5000});
  metrics.EndCall("Health.Check", {.code = "CANCELLED"});
  const std::string text = metrics.Render();
  const std::string method = "grpc_method=\"pictory.jobs.v1.PictoryJobs/GetJob\"";
  const std::string ended = "{" + method + ",grpc_status=\"NOT_FOUND\"}";
  EXPECT_TRUE(Has(text, "grpc_server_call_started_total{" + method + "} 2\n")) << text;
  EXPECT_TRUE(Has(text, "grpc_server_call_duration_seconds_count" + ended + " 1\n"));
  EXPECT_TRUE(Has(text, "grpc_server_call_duration_seconds_sum" + ended + " 0.1\n"));
  const std::string bytes = "total_compressed_message_size_bytes_sum";
  EXPECT_TRUE(Has(text, "grpc_server_call_rcvd_" + bytes + ended + " 40\n"));
  EXPECT_TRUE(Has(text, "grpc_server_call_sent_" + bytes + ended + " 5000\n"));
  EXPECT_TRUE(Has(text, "{grpc_method=\"grpc.health.v1.Health/Check\",grpc_status"));
}

TEST(Metrics, RequestsToPictoryAreCountedAndTimed) {
  Metrics metrics;
  metrics.CountUpstreamCall("poll", "429", 2);
  metrics.CountUpstreamCall("poll", "429", 1);
  const std::string labels = "{outcome=\"429\",purpose=\"poll\"}";
  const std::string text = metrics.Render();
  EXPECT_TRUE(Has(text, "pictory_gateway_upstream_call_seconds_count" + labels + " 2\n")) << text;
  EXPECT_TRUE(Has(text, "pictory_gateway_upstream_call_seconds_sum" + labels + " 3\n"));
}

TEST(Metrics, AJobIsTimedFromItsSubmit) {
  Metrics metrics;
  metrics.CountFinished("RENDER", "SUCCEEDED", "", 90);
  const std::string text = metrics.Render();
  const std::string labels = "{kind=\"RENDER\",state=\"SUCCEEDED\"";
  EXPECT_TRUE(Has(text, "pictory_gateway_job_seconds_sum" + labels + "} 90\n")) << text;
  EXPECT_TRUE(Has(text, "pictory_gateway_job_seconds_bucket" + labels + ",le=\"60\"} 0\n"));
  EXPECT_TRUE(Has(text, "pictory_gateway_job_seconds_bucket" + labels + ",le=\"120\"} 1\n"));
}

TEST(Metrics, WhatMayHaveBeenPaidForInVainIsCountedFromZero) {
  Metrics metrics;
  EXPECT_TRUE(Has(metrics.Render(), "pictory_gateway_jobs_lost_total{state=\"EXPIRED\"} 0\n"));
  metrics.CountFinished("RENDER", "EXPIRED", "UPSTREAM_MISSING", 90);
  metrics.CountFinished("RENDER", "CLEANED", "", 90);
  metrics.CountFinished("SUMMARY", "CLEANED", "", 90);
  metrics.CountFinished("RENDER", "FAILED", "X", 90);
  const std::string text = metrics.Render();
  EXPECT_TRUE(Has(text, "pictory_gateway_jobs_lost_total{state=\"EXPIRED\"} 1\n")) << text;
  EXPECT_TRUE(Has(text, "pictory_gateway_jobs_lost_total{state=\"CLEANED\"} 2\n"));
  EXPECT_FALSE(Has(text, "pictory_gateway_jobs_lost_total{state=\"FAILED\"}"));
}

TEST(Metrics, AnInfoIsOneAndItsLabels) {
  Metrics metrics;
  metrics.AddInfo("build_info", "Which", {{"version", "1.2.3"}});
  EXPECT_TRUE(Has(metrics.Render(), "\nbuild_info{version=\"1.2.3\"} 1\n"));
}

TEST(Metrics, ErrorCodesOfPictoryAreALimitedNumberOfLabels) {
  Metrics metrics;
  metrics.CountFinished("render", "SUCCEEDED", "", 1);
  metrics.CountFinished("render", "FAILED", "a \"text\"", 1);
  for (int i = 0; i < 1000; ++i)
    metrics.CountFinished("render", "FAILED", "CODE_" + std::to_string(i), 1);
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
