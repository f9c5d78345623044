#include "obs/metrics.h"
#include "base/limits.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <utility>

namespace gateway::obs {
namespace {

prometheus::Family<prometheus::Counter>& Counters(prometheus::Registry& registry, const char* name,
                                                  const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Histogram>& HistogramsOf(prometheus::Registry& registry,
                                                        const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

using Bounds = prometheus::Histogram::BucketBoundaries;

// Both are those of gRFC A66.
const Bounds& CallSeconds() {
  static const Bounds bounds = {
      0,     0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004,
      0.005, 0.006,   0.008,   0.01,   0.013,  0.016,  0.02,   0.025, 0.03,  0.04,  0.05,
      0.065, 0.08,    0.1,     0.13,   0.16,   0.2,    0.25,   0.3,   0.4,   0.5,   0.65,
      0.8,   1,       2,       5,      10,     20,     50,     100};
  return bounds;
}

const Bounds& MessageBytes() {
  static const Bounds bounds = {0,        1024,      2048,       4096,      16384,
                                65536,    262144,    1048576,    4194304,   16777216,
                                67108864, 268435456, 1073741824, 4294967296};
  return bounds;
}

const Bounds& UpstreamSeconds() {
  static const Bounds bounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
  return bounds;
}

// From a moment to the seven days after which a job is given up.
const Bounds& JobSeconds() {
  static const Bounds bounds = {1,    5,    15,   30,   60,    120,   300,   600,
                                1200, 1800, 3600, 7200, 21600, 86400, 604800};
  return bounds;
}

std::map<std::string, prometheus::Counter&> LostByState(prometheus::Registry& registry) {
  auto& lost = Counters(registry, "pictory_gateway_jobs_lost_total",
                        "Jobs that may have been paid for and ended without a result, by state");
  std::map<std::string, prometheus::Counter&> by_state;
  for (const char* state : {"EXPIRED", "CLEANED"}) {
    by_state.emplace(state, lost.Add({{"state", state}}));
  }
  return by_state;
}

// The whole name of a method, as gRPC's own libraries label it.
std::string WholeName(std::string_view method) {
  constexpr std::string_view kHealth = "Health.";
  const std::string name(method);
  if (method.starts_with(kHealth)) return "grpc.health.v1.Health/" + name.substr(kHealth.size());
  if (method == "ServerReflectionInfo") return "grpc.reflection.v1.ServerReflection/" + name;
  return "pictory.jobs.v1.PictoryJobs/" + name;
}

}  // namespace

Metrics::Metrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      contradictions_(Counters(*registry_, "pictory_gateway_contradictions_total",
                               "Final jobs that Pictory later told another end of")
                          .Add({})),
      submits_(Counters(*registry_, "pictory_gateway_submits_total",
                        "Paid requests by kind and outcome")),
      repeated_(
          Counters(*registry_, "pictory_gateway_repeated_submits_total",
                   "Submits that the job of an earlier one answers, so that it is paid once, by "
                   "rule")),
      polls_(Counters(*registry_, "pictory_gateway_polls_total", "Polls by what they said")),
      callbacks_(Counters(*registry_, "pictory_gateway_callbacks_total",
                          "Calls to the webhook by what they were")),
      tokens_(Counters(*registry_, "pictory_gateway_token_fetches_total",
                       "Requests for an access token by outcome")),
      calls_started_(
          Counters(*registry_, "grpc_server_call_started_total", "Calls that have begun")),
      call_seconds_(HistogramsOf(*registry_, "grpc_server_call_duration_seconds",
                                 "Time from a call's begin to its end; a stream's is its life")),
      call_received_bytes_(HistogramsOf(*registry_,
                                        "grpc_server_call_rcvd_total_compressed_message_size_bytes",
                                        "Bytes of the messages that a call has received")),
      call_sent_bytes_(HistogramsOf(*registry_,
                                    "grpc_server_call_sent_total_compressed_message_size_bytes",
                                    "Bytes of the messages that a call has sent")),
      upstream_seconds_(
          HistogramsOf(*registry_, "pictory_gateway_upstream_call_seconds",
                       "Requests to Pictory by purpose and outcome, and the time from "
                       "when each was handed in to its answer")),
      finished_(Counters(*registry_, "pictory_gateway_jobs_finished_total",
                         "Jobs that have ended, by kind, state and error code")),
      job_seconds_(HistogramsOf(*registry_, "pictory_gateway_job_seconds",
                                "Time from a job's submit to its end, by kind and state")),
      lost_by_state_(LostByState(*registry_)) {}

void Metrics::CountSubmit(const std::string& kind, const std::string& outcome) {
  submits_.Add({{"kind", kind}, {"outcome", outcome}}).Increment();
}

void Metrics::CountRepeated(const std::string& rule) {
  repeated_.Add({{"rule", rule}}).Increment();
}

void Metrics::CountWebhookCall(const std::string& result) {
  callbacks_.Add({{"result", result}}).Increment();
}

void Metrics::CountTokenFetch(const std::string& outcome) {
  tokens_.Add({{"outcome", outcome}}).Increment();
}

// A family makes a new meter each time it is asked for one, and drops it if there is one already:
// that costs as much as all else we do for a cheap call. So what is counted often is remembered,
// here and below.
void Metrics::CountPoll(std::string_view outcome) {
  prometheus::Counter* counter = nullptr;
  {
    MutexLock lock(mutex_);
    auto known = polls_by_outcome_.find(outcome);
    if (known == polls_by_outcome_.end()) {
      known = polls_by_outcome_.emplace(outcome, nullptr).first;
      known->second = &polls_.Add({{"outcome", known->first}});
    }
    counter = known->second;
  }
  counter->Increment();
}

Metrics::Calls& Metrics::CallsOf(std::string_view method) {
  auto calls = calls_by_method_.find(method);
  if (calls == calls_by_method_.end()) {
    calls = calls_by_method_.emplace(method, Calls{.label = WholeName(method)}).first;
    calls->second.started = &calls_started_.Add({{"grpc_method", calls->second.label}});
  }
  return calls->second;
}

void Metrics::BeginCall(std::string_view method) {
  prometheus::Counter* started = nullptr;
  {
    MutexLock lock(mutex_);
    started = CallsOf(method).started;
  }
  started->Increment();
}

void Metrics::EndCall(std::string_view method, const Ended& ended) {
  EndedCalls meters;
  {
    MutexLock lock(mutex_);
    Calls& calls = CallsOf(method);
    auto known = calls.by_code.find(ended.code);
    if (known == calls.by_code.end()) {
      known = calls.by_code.emplace(ended.code, EndedCalls{}).first;
      const prometheus::Labels labels = {{"grpc_method", calls.label},
                                         {"grpc_status", known->first}};
      known->second = {.seconds = &call_seconds_.Add(labels, CallSeconds()),
                       .received_bytes = &call_received_bytes_.Add(labels, MessageBytes()),
                       .sent_bytes = &call_sent_bytes_.Add(labels, MessageBytes())};
    }
    meters = known->second;
  }
  meters.seconds->Observe(ended.seconds);
  meters.received_bytes->Observe(static_cast<double>(ended.received_bytes));
  meters.sent_bytes->Observe(static_cast<double>(ended.sent_bytes));
}

void Metrics::CountUpstreamCall(std::string_view purpose, std::string_view outcome,
                                double seconds) {
  prometheus::Histogram* histogram = nullptr;
  {
    MutexLock lock(mutex_);
    auto known = upstream_by_purpose_.find(purpose);
    if (known == upstream_by_purpose_.end()) {
      known = upstream_by_purpose_.emplace(purpose, ByOutcome{}).first;
    }
    auto timed = known->second.find(outcome);
    if (timed == known->second.end()) {
      timed = known->second.emplace(outcome, nullptr).first;
      timed->second = &upstream_seconds_.Add({{"purpose", known->first}, {"outcome", timed->first}},
                                             UpstreamSeconds());
    }
    histogram = timed->second;
  }
  histogram->Observe(seconds);
}

void Metrics::CountFinished(const std::string& kind, const std::string& state, std::string code,
                            double seconds) {
  if (!code.empty()) {
    MutexLock lock(mutex_);
    const bool usual = code.size() <= 40 && std::all_of(code.begin(), code.end(), [](char c) {
                         return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
                       });
    if (usual && error_codes_.size() < limits::kErrorCodesMax) error_codes_.insert(code);
    if (!usual || !error_codes_.contains(code)) code = "other";
  }
  finished_.Add({{"kind", kind}, {"state", state}, {"code", code}}).Increment();
  job_seconds_.Add({{"kind", kind}, {"state", state}}, JobSeconds()).Observe(seconds);
  const auto lost = lost_by_state_.find(state);
  if (lost != lost_by_state_.end()) lost->second.Increment();
}

void Metrics::AddGauge(const std::string& name, const std::string& help,
                       std::function<double()> value) {
  auto& gauge = prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add({});
  sampled_.push_back({gauge, std::move(value)});
}

void Metrics::AddInfo(const std::string& name, const std::string& help,
                      const std::map<std::string, std::string>& labels) {
  prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add(labels).Set(1);
}

void Metrics::AddCounter(const std::string& name, const std::string& help,
                         std::function<double()> value) {
  auto& counter = prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add({});
  sampled_counters_.push_back({counter, std::move(value)});
}

void Metrics::AddGauges(const std::string& name, const std::string& help, const std::string& label,
                        std::function<ByLabel()> values) {
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(*registry_);
  sampled_gauges_by_label_.push_back({family, label, std::move(values)});
}

void Metrics::AddCounters(const std::string& name, const std::string& help,
                          const std::string& label, std::function<ByLabel()> values) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(*registry_);
  sampled_counters_by_label_.push_back({family, label, std::move(values)});
}

template <class Meter>
Metrics::ByLabel Metrics::SampledByLabel<Meter>::Bounded() {
  ByLabel bounded;
  for (const auto& [known, meter] : meters) bounded[known] = 0;  // what is told no more is 0
  for (const auto& [own, value] : values()) {
    const bool shown = meters.contains(own) || meters.size() < limits::kTenantLabelsMax;
    const std::string shown_as = shown ? own : "other";
    if (!meters.contains(shown_as)) meters[shown_as] = &family.Add({{label, shown_as}});
    bounded[shown_as] += value;
  }
  return bounded;
}

std::string Metrics::Render() {
  MutexLock lock(render_mutex_);
  for (const Sampled& sampled : sampled_) sampled.gauge.Set(sampled.value());
  for (const SampledCounter& sampled : sampled_counters_) {
    sampled.counter.Increment(sampled.value() - sampled.counter.Value());  // a loss is ignored
  }
  for (auto& sampled : sampled_gauges_by_label_) {
    for (const auto& [own, value] : sampled.Bounded()) sampled.meters[own]->Set(value);
  }
  for (auto& sampled : sampled_counters_by_label_) {
    for (const auto& [own, value] : sampled.Bounded()) {
      prometheus::Counter& counter = *sampled.meters[own];
      counter.Increment(value - counter.Value());  // a loss is ignored
    }
  }
  // The library gives the values of a family in the order of a hash.
  std::vector<prometheus::MetricFamily> families = registry_->Collect();
  for (prometheus::MetricFamily& family : families) {
    std::sort(family.metric.begin(), family.metric.end(),
              [](const prometheus::ClientMetric& a, const prometheus::ClientMetric& b) {
                return a.label < b.label;
              });
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace gateway::obs
