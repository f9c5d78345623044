#include "contract/guarded_transport.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace gateway::contract {
namespace {

constexpr std::string_view kToken = "/v1/oauth2/token";
constexpr std::array<std::string_view, 3> kFreePosts = {kToken, "/v1/media/generateurl",
                                                        "/v1/media/generateUrl"};

}  // namespace

bool IsFree(const http::Request& request) {
  if (request.lane != http::Lane::kRead) return false;
  if (request.method == "GET") return true;
  return request.method == "POST" &&
         std::find(kFreePosts.begin(), kFreePosts.end(), request.path) != kFreePosts.end();
}

void GuardedTransport::Allow() {
  MutexLock lock(mutex_);
  allowed_ = true;
}

void GuardedTransport::Disallow() {
  MutexLock lock(mutex_);
  allowed_ = false;
}

bool GuardedTransport::LetsThrough(const http::Request& request) {
  if (IsFree(request)) return true;
  MutexLock lock(mutex_);
  return std::exchange(allowed_, false);
}

void GuardedTransport::Start(http::Request request, Done done) {
  if (!LetsThrough(request)) {
    http::Response refused;
    refused.error = "it could cost something, and nothing may be spent";
    return done(std::move(refused));
  }
  const bool token = request.path == kToken;
  transport_.Start(std::move(request), [this, token, done = std::move(done)](http::Response reply) {
    {
      MutexLock lock(mutex_);
      (token ? last_token_ : last_) = reply;
    }
    done(std::move(reply));
  });
}

void GuardedTransport::Forget() {
  MutexLock lock(mutex_);
  last_ = {};
  last_.error = "nothing was sent";
}

http::Response GuardedTransport::last() const {
  MutexLock lock(mutex_);
  return last_;
}

http::Response GuardedTransport::last_token() const {
  MutexLock lock(mutex_);
  return last_token_;
}

}  // namespace gateway::contract
