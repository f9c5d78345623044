#include "app/metered_transport.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/fake_clock.h"

namespace gateway::app {
namespace {

using http::Response;

TEST(MeteredTransport, EveryOutcomeHasItsWord) {
  const auto word = [](int status) {
    return OutcomeOf({.outcome = Response::Outcome::kComplete, .status = status});
  };
  EXPECT_EQ(word(200), "2xx");
  EXPECT_EQ(word(302), "3xx");
  EXPECT_EQ(word(400), "4xx");
  EXPECT_EQ(word(401), "401");
  EXPECT_EQ(word(403), "403");
  EXPECT_EQ(word(404), "404");
  EXPECT_EQ(word(429), "429");
  EXPECT_EQ(word(503), "5xx");
  EXPECT_EQ(word(999), "other");
  EXPECT_EQ(OutcomeOf({.outcome = Response::Outcome::kNotSent}), "not_sent");
  EXPECT_EQ(OutcomeOf({.outcome = Response::Outcome::kUnknown}), "no_answer");
  EXPECT_EQ(OutcomeOf({.outcome = Response::Outcome::kUnknown, .timed_out = true}), "timeout");
}

// Keeps each request until the test answers it.
class HeldTransport final : public http::HttpTransport {
 public:
  void Start(http::Request request, Done done) override {
    requests.push_back(std::move(request));
    answers.push_back(std::move(done));
  }
  std::vector<http::Request> requests;
  std::vector<Done> answers;
};

TEST(MeteredTransport, PassesARequestOnAndTimesItsAnswer) {
  test::FakeClock clock;
  obs::Metrics metrics;
  HeldTransport held;
  MeteredTransport metered(held, clock, metrics);
  int status = 0;
  metered.Start({.purpose = "poll", .path = "/v1/jobs/a"},
                [&status](const Response& response) { status = response.status; });
  ASSERT_EQ(held.requests.size(), 1);
  EXPECT_EQ(held.requests[0].path, "/v1/jobs/a");
  clock.Advance(std::chrono::seconds(3));
  held.answers[0]({.outcome = Response::Outcome::kComplete, .status = 429});
  EXPECT_EQ(status, 429);
  EXPECT_NE(metrics.Render().find("pictory_gateway_upstream_call_seconds_sum{outcome=\"429\","
                                  "purpose=\"poll\"} 3\n"),
            std::string::npos);
}

}  // namespace
}  // namespace gateway::app
