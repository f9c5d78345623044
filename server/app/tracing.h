// Tracing makes spans of what happens, and brings them to the collector of --otlp-endpoint.
//
// Thread-safe. No call waits for the collector but Stop.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "app/span_exporter.h"
#include "app/spans.h"
#include "base/clock.h"
#include "base/random.h"
#include "http/curl_transport.h"

namespace gateway::app {

class Tracing {
 public:
  // `clock`, `timers` and `random` must outlive it. INVALID_ARGUMENT says what is wrong with the
  // endpoint.
  static absl::StatusOr<std::unique_ptr<Tracing>> Start(const std::string& endpoint,
                                                        const std::string& ca_file,
                                                        const Clock& clock, Timers& timers,
                                                        Random& random);
  // What Start would refuse. It asks nobody.
  static absl::Status Check(const std::string& endpoint, const std::string& ca_file);
  ~Tracing() { Stop(); }
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

  void CallEnded(const rpc::CallEnd& end);
  void SubmitReplied(const jobs::JobRecord& record, std::string_view outcome);
  void JobChanged(const jobs::JobRecord& record) { phases_.OnChange(record); }

  // Brings what is left to the collector, for a moment at most. Nothing is brought later.
  void Stop();

  // See SpanExporter::counts.
  std::map<std::string, double> counts() const { return exporter_.counts(); }

 private:
  Tracing(std::unique_ptr<http::CurlTransport> collector, const Clock& clock, Timers& timers,
          Random& random);

  const Clock& clock_;
  Random& random_;
  const std::unique_ptr<http::CurlTransport> collector_;
  SpanExporter exporter_;
  PhaseSpans phases_;
};

}  // namespace gateway::app
