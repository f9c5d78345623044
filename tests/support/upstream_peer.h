// What is behind the one door to Pictory, for tests that set the stage there or look at it.
#pragma once

#include "jobs/upstream.h"

namespace gateway::jobs {

class UpstreamPeer {
 public:
  static Account& AccountOf(Upstream& upstream) { return upstream.account_; }
  static pictory::PictoryClient& ClientOf(Upstream& upstream) { return upstream.client_; }
  // From now on it never rests by itself, and asks nothing of its own.
  static void StayAwake(Upstream& upstream) {
    upstream.account_.SetSuspected(nullptr);
    upstream.client_.SetCredentialsRefused(nullptr);
  }
};

}  // namespace gateway::jobs
