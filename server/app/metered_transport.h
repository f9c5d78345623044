// A MeteredTransport counts and times the requests to Pictory that another transport carries.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "http/transport.h"
#include "obs/metrics.h"

namespace gateway::app {

class MeteredTransport final : public http::HttpTransport {
 public:
  // All of them must outlive it.
  MeteredTransport(http::HttpTransport& transport, const Clock& clock, obs::Metrics& metrics)
      : transport_(transport), clock_(clock), metrics_(metrics) {}

  void Start(http::Request request, Done done) override;

 private:
  http::HttpTransport& transport_;
  const Clock& clock_;
  obs::Metrics& metrics_;
};

// What became of a request, in few words: a class of HTTP statuses (`2xx`), one that means more
// than its class (`401`, `403`, `404`, `429`), `not_sent`, `timeout` or `no_answer`. Pure.
std::string_view OutcomeOf(const http::Response& response);

}  // namespace gateway::app
