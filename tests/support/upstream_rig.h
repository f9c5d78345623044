// The doors to Pictory for tests: one account, with a transport that answers as a script says.
#pragma once

#include <memory>
#include <utility>

#include "jobs/upstreams.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/upstream_peer.h"

namespace gateway::jobs {

// A job that goes on.
inline constexpr char kRunning[] = R"({"success":true,"data":{"status":"in-progress"}})";

// Where Pictory lets a file be put.
inline constexpr char kUploadPlace[] =
    R"({"data":{"signedUrl":"https://b.s3.amazonaws.com/k","url":"https://d1.cloudfront.net/k"}})";

// It never rests by itself and asks nothing of its own, so that a test counts only what it has made
// happen.
inline std::unique_ptr<Upstreams> MakeUpstreams(
    BudgetOptions budget, test::FakeTransport& transport, test::FakeClock& clock,
    UpstreamsEvents events = {},
    pictory::ClientOptions client = {.api_key = Secret("pictai_k"), .user_agent = "t"},
    pictory::TranslateOptions translate = {}) {
  Upstreams::Accounts accounts;
  accounts[kDefaultAccount] = {
      .client = std::move(client), .budget = budget, .translate = std::move(translate)};
  auto upstreams =
      std::make_unique<Upstreams>(std::move(accounts), transport, clock, clock, std::move(events));
  UpstreamPeer::StayAwake(*upstreams->Of(kDefaultAccount));
  return upstreams;
}

}  // namespace gateway::jobs
