#include "app/metered_transport.h"

#include <chrono>
#include <utility>

namespace gateway::app {

std::string_view OutcomeOf(const http::Response& response) {
  using Outcome = http::Response::Outcome;
  if (response.outcome == Outcome::kNotSent) return "not_sent";
  if (response.outcome == Outcome::kUnknown) return response.timed_out ? "timeout" : "no_answer";
  switch (response.status) {
    case 401:
      return "401";
    case 403:
      return "403";
    case 404:
      return "404";
    case 429:
      return "429";
    default:
      break;
  }
  switch (response.status / 100) {
    case 2:
      return "2xx";
    case 3:
      return "3xx";
    case 4:
      return "4xx";
    case 5:
      return "5xx";
    default:
      return "other";
  }
}

void MeteredTransport::Start(http::Request request, Done done) {
  const char* const purpose = request.purpose;
  transport_.Start(std::move(request), [this, purpose, begun = clock_.Now(),
                                        done = std::move(done)](http::Response response) {
    const std::chrono::duration<double> took = clock_.Now() - begun;
    metrics_.CountUpstreamCall(purpose, OutcomeOf(response), took.count());
    done(std::move(response));
  });
}

}  // namespace gateway::app
