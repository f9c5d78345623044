#include "app/tracing.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace gateway::app {
namespace {

absl::StatusOr<std::unique_ptr<http::CurlTransport>> CollectorAt(const std::string& endpoint,
                                                                 const std::string& ca_file) {
  http::CurlTransportOptions options;
  options.base_url = endpoint;
  options.ca_file = ca_file;
  options.allow_plain_http = true;  // to loopback hosts only
  options.paid_in_flight = options.read_in_flight = 1;
  auto collector = http::CurlTransport::Create(std::move(options));
  if (!collector.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--otlp-endpoint: ", collector.status().message()));
  }
  return collector;
}

}  // namespace

absl::Status Tracing::Check(const std::string& endpoint, const std::string& ca_file) {
  return CollectorAt(endpoint, ca_file).status();
}

absl::StatusOr<std::unique_ptr<Tracing>> Tracing::Start(const std::string& endpoint,
                                                        const std::string& ca_file,
                                                        const Clock& clock, Timers& timers,
                                                        Random& random) {
  auto collector = CollectorAt(endpoint, ca_file);
  if (!collector.ok()) return collector.status();
  return std::unique_ptr<Tracing>(new Tracing(*std::move(collector), clock, timers, random));
}

Tracing::Tracing(std::unique_ptr<http::CurlTransport> collector, const Clock& clock, Timers& timers,
                 Random& random)
    : clock_(clock),
      random_(random),
      collector_(std::move(collector)),
      exporter_(*collector_, clock, timers),
      phases_(random, [this](obs::Span span) { exporter_.Add(std::move(span)); }) {}

void Tracing::CallEnded(const rpc::CallEnd& end) {
  if (std::optional<obs::Span> span = SpanOfCall(end, clock_.WallNow())) {
    exporter_.Add(*std::move(span));
  }
}

void Tracing::SubmitReplied(const jobs::JobRecord& record, std::string_view outcome) {
  if (auto span = SpanOfSubmission(record, outcome, clock_.WallNow(), random_)) {
    exporter_.Add(*std::move(span));
  }
}

void Tracing::Stop() {
  exporter_.Stop();
  collector_->Stop();
}

}  // namespace gateway::app
