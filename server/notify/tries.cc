#include "notify/tries.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "jobs/proto_time.h"
#include "pictory/http_reply.h"

namespace gateway::notify {

namespace v1 = jobs::v1;

Try TryOf(const http::Response& response, WallTime now) {
  using Outcome = http::Response::Outcome;
  // The status counts, however the body of the answer ends: nobody reads that.
  if (response.status >= 200 && response.status < 300) return {.delivered = true};
  if (response.status != 0) {
    return {.hopeless = response.status == 410,
            .problem = absl::StrCat("The receiver answered with status ", response.status),
            .wait = pictory::RetryAfter(response, now)};
  }
  if (response.inside) {
    return {.problem = "The URL leads to an address inside, where nothing is sent"};
  }
  if (response.timed_out) return {.problem = "The receiver did not answer in time"};
  return {.problem = response.outcome == Outcome::kNotSent
                         ? "The receiver could not be reached"
                         : "The connection ended before the receiver had answered"};
}

Duration PauseAfter(int tries, double random) {
  Duration pause = limits::kNotifyRetryFirst;
  for (int i = 1; i < tries && pause < limits::kNotifyRetryMax; ++i) pause *= 4;
  pause = std::min<Duration>(pause, limits::kNotifyRetryMax);
  return std::chrono::duration_cast<Duration>(pause *
                                              (1 + limits::kNotifyRetryJitter * (2 * random - 1)));
}

void Note(const Try& tried, WallTime now, double random, v1::Notification& notification) {
  notification.set_tries(notification.tries() + 1);
  if (!notification.has_first_try_time()) {
    *notification.mutable_first_try_time() = jobs::ToTimestamp(now);
  }
  notification.clear_next_try_time();
  notification.set_problem(tried.problem);
  if (tried.delivered) {
    notification.set_state(v1::NOTIFICATION_STATE_DELIVERED);
    return;
  }
  const WallTime last =
      jobs::ToWallTime(notification.first_try_time()) + limits::kNotifyGiveUpAfter;
  if (tried.hopeless || now >= last) {
    notification.set_state(v1::NOTIFICATION_STATE_GIVEN_UP);
    return;
  }
  const Duration pause = std::max(PauseAfter(notification.tries(), random), tried.wait);
  *notification.mutable_next_try_time() =
      jobs::ToTimestamp(now + std::chrono::ceil<WallTime::duration>(pause));
}

}  // namespace gateway::notify
