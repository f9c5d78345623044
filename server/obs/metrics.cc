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

const prometheus::Histogram::BucketBoundaries& Seconds() {
  static const prometheus::Histogram::BucketBoundaries bounds = {
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
  return bounds;
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
                   "Submits without a request_id that were taken for an earlier one, by rule")),
      polls_(Counters(*registry_, "pictory_gateway_polls_total", "Polls by what they said")),
      callbacks_(Counters(*registry_, "pictory_gateway_callbacks_total",
                          "Calls to the webhook by what they were")),
      tokens_(Counters(*registry_, "pictory_gateway_token_fetches_total",
                       "Requests for an access token by outcome")),
      calls_(Counters(*registry_, "pictory_gateway_calls_total", "gRPC calls by method and code")),
      call_seconds_(prometheus::BuildHistogram()
                        .Name("pictory_gateway_call_seconds")
                        .Help("Time of unary calls")
                        .Register(*registry_)),
      finished_(Counters(*registry_, "pictory_gateway_jobs_finished_total",
                         "Jobs that have ended, by kind, state and error code")) {}

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

void Metrics::CountCall(std::string_view method, std::string_view code) {
  prometheus::Counter* counter = nullptr;
  {
    MutexLock lock(mutex_);
    auto calls = calls_by_method_.find(method);
    if (calls == calls_by_method_.end()) calls = calls_by_method_.emplace(method, Calls{}).first;
    auto& by_code = calls->second.by_code;
    auto known = by_code.find(code);
    if (known == by_code.end()) {
      known = by_code.emplace(code, nullptr).first;
      known->second = &calls_.Add({{"method", calls->first}, {"code", known->first}});
    }
    counter = known->second;
  }
  counter->Increment();
}

void Metrics::TimeCall(std::string_view method, double seconds) {
  prometheus::Histogram* histogram = nullptr;
  {
    MutexLock lock(mutex_);
    auto calls = calls_by_method_.find(method);
    if (calls == calls_by_method_.end()) calls = calls_by_method_.emplace(method, Calls{}).first;
    prometheus::Histogram*& known = calls->second.seconds;
    if (known == nullptr) known = &call_seconds_.Add({{"method", calls->first}}, Seconds());
    histogram = known;
  }
  histogram->Observe(seconds);
}

void Metrics::CountFinished(const std::string& kind, const std::string& state, std::string code) {
  if (!code.empty()) {
    MutexLock lock(mutex_);
    const bool usual = code.size() <= 40 && std::all_of(code.begin(), code.end(), [](char c) {
                         return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
                       });
    if (usual && error_codes_.size() < limits::kErrorCodesMax) error_codes_.insert(code);
    if (!usual || !error_codes_.contains(code)) code = "other";
  }
  finished_.Add({{"kind", kind}, {"state", state}, {"code", code}}).Increment();
}

void Metrics::AddGauge(const std::string& name, const std::string& help,
                       std::function<double()> value) {
  auto& gauge = prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add({});
  sampled_.push_back({gauge, std::move(value)});
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
