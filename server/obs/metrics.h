// Metrics holds what the program counts, in Prometheus' terms.
//
// There is one object, which the gateway owns; every member may be used from any thread. Label
// values come from fixed sets, or are as few as a named limit says: no job ids, nothing that a
// caller can choose.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/mutex.h"

namespace gateway::obs {

class Metrics {
 public:
  Metrics();

  // kind: preview … summary; outcome: accepted, refused, not_sent, unknown,
  // token_refused (nothing was started; a second POST may follow).
  void CountSubmit(const std::string& kind, const std::string& outcome);
  // A submit that an earlier one's job answers, so that nothing was paid twice. rule:
  // jobs::RuleName, or request_id.
  void CountRepeated(const std::string& rule);
  // outcome: running, succeeded, failed … unavailable.
  void CountPoll(std::string_view outcome);
  // result: known, in_doubt (about an unconfirmed job), unknown (about no unfinished job), forged,
  // repeated.
  void CountWebhookCall(const std::string& result);
  // outcome: ok, failed.
  void CountTokenFetch(const std::string& outcome);
  // A call to the API, by the names that gRPC's own libraries give (gRFC A66). `method` is the name
  // in its service, `Health.Check` of the health service's; its label is the whole name.
  void BeginCall(std::string_view method);
  struct Ended {
    std::string_view code;  // the gRPC code's name
    double seconds = 0;
    std::size_t received_bytes = 0;  // of all its messages
    std::size_t sent_bytes = 0;
  };
  void EndCall(std::string_view method, const Ended& ended);
  // A request to Pictory. purpose: http::Request::purpose; outcome: 2xx … not_sent. It took so long
  // from when it was handed in.
  void CountUpstreamCall(std::string_view purpose, std::string_view outcome, double seconds);
  // state: SUCCEEDED … OUTCOME_UNKNOWN; code: of a failed job. Pictory chooses those, so only the
  // first limits::kErrorCodesMax that look like one become labels, and all others "other".
  // It took so long from its submit. EXPIRED and CLEANED are counted as lost, too.
  void CountFinished(const std::string& kind, const std::string& state, std::string code,
                     double seconds);

  void CountContradiction() { contradictions_.Increment(); }

  // A gauge whose value is asked for when metrics are read.
  void AddGauge(const std::string& name, const std::string& help, std::function<double()> value);
  // A gauge that is always 1; its labels say what is to be known.
  void AddInfo(const std::string& name, const std::string& help,
               const std::map<std::string, std::string>& labels);
  // As AddGauge, for a value that only grows; its name ends in _total.
  void AddCounter(const std::string& name, const std::string& help, std::function<double()> value);

  // Gauges and counters that differ in the value of one label, such as the tenant. The values that
  // come first, limits::kTenantLabelsMax of them, become labels, and all others together "other".
  using ByLabel = std::map<std::string, double>;
  void AddGauges(const std::string& name, const std::string& help, const std::string& label,
                 std::function<ByLabel()> values);
  void AddCounters(const std::string& name, const std::string& help, const std::string& label,
                   std::function<ByLabel()> values);

  // The exposition text.
  std::string Render();

 private:
  using Histograms = prometheus::Family<prometheus::Histogram>;
  using ByOutcome = std::map<std::string, prometheus::Histogram*, std::less<>>;
  struct EndedCalls {
    prometheus::Histogram* seconds = nullptr;
    prometheus::Histogram* received_bytes = nullptr;
    prometheus::Histogram* sent_bytes = nullptr;
  };
  struct Calls {
    std::string label;
    prometheus::Counter* started = nullptr;
    std::map<std::string, EndedCalls, std::less<>> by_code{};
  };

  Calls& CallsOf(std::string_view method) REQUIRES(mutex_);

  struct Sampled {
    prometheus::Gauge& gauge;
    std::function<double()> value;
  };
  struct SampledCounter {
    prometheus::Counter& counter;
    std::function<double()> value;
  };
  template <class Meter>
  struct SampledByLabel {
    prometheus::Family<Meter>& family;
    std::string label;
    std::function<ByLabel()> values;
    std::map<std::string, Meter*> meters{};

    // The values by those labels that there are meters of, which may be made here.
    ByLabel Bounded();
  };

  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Counter& contradictions_;
  prometheus::Family<prometheus::Counter>& submits_;
  prometheus::Family<prometheus::Counter>& repeated_;
  prometheus::Family<prometheus::Counter>& polls_;
  prometheus::Family<prometheus::Counter>& callbacks_;
  prometheus::Family<prometheus::Counter>& tokens_;
  prometheus::Family<prometheus::Counter>& calls_started_;
  Histograms& call_seconds_;
  Histograms& call_received_bytes_;
  Histograms& call_sent_bytes_;
  Histograms& upstream_seconds_;
  prometheus::Family<prometheus::Counter>& finished_;
  Histograms& job_seconds_;
  // By state. They are there before any is counted, or the first one would not look like growth.
  const std::map<std::string, prometheus::Counter&> lost_by_state_;
  std::vector<Sampled> sampled_;
  std::vector<SampledCounter> sampled_counters_;
  std::vector<SampledByLabel<prometheus::Gauge>> sampled_gauges_by_label_;
  std::vector<SampledByLabel<prometheus::Counter>> sampled_counters_by_label_;
  std::set<std::string> error_codes_ GUARDED_BY(mutex_);
  Mutex render_mutex_;  // two readers at once must not add the same growth twice

  Mutex mutex_;
  std::map<std::string, Calls, std::less<>> calls_by_method_ GUARDED_BY(mutex_);
  std::map<std::string, prometheus::Counter*, std::less<>> polls_by_outcome_ GUARDED_BY(mutex_);
  std::map<std::string, ByOutcome, std::less<>> upstream_by_purpose_ GUARDED_BY(mutex_);
};

}  // namespace gateway::obs
