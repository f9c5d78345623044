// Pictory's client over real HTTP, without a gateway around it: for calls that no gRPC method makes
// yet, and for replies whose handling takes longer than a test may. Blocks; one thread.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "gtest/gtest.h"
#include "http/curl_transport.h"
#include "pictory/client.h"

namespace gateway::test {

class DirectClient {
 public:
  explicit DirectClient(const std::string& base_url) {
    http::CurlTransportOptions options;
    options.base_url = base_url;
    options.allow_plain_http = true;
    auto transport = http::CurlTransport::Create(std::move(options));
    EXPECT_TRUE(transport.ok()) << transport.status();
    transport_ = *std::move(transport);
    pictory::ClientOptions identity;
    identity.api_key = Secret("pictai_k");
    client_ = std::make_unique<pictory::PictoryClient>(std::move(identity), *transport_, clock_);
  }

  // What a call answers: Ask<JobReply>([&](auto& client, auto done) { client.GetJob(…, done); }).
  template <class Reply, class Call>
  Reply Ask(const Call& call) {
    auto answered = std::make_shared<std::promise<Reply>>();
    call(*client_, [answered](Reply reply) { answered->set_value(std::move(reply)); });
    return answered->get_future().get();
  }

  pictory::JobReply GetJob(const std::string& id, ::pictory::jobs::v1::JobKind kind) {
    return Ask<pictory::JobReply>(
        [&](pictory::PictoryClient& client, auto done) { client.GetJob(id, kind, 0, done); });
  }

 private:
  SystemClock clock_;
  std::unique_ptr<http::CurlTransport> transport_;
  std::unique_ptr<pictory::PictoryClient> client_;
};

}  // namespace gateway::test
