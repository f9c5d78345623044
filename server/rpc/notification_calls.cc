#include "rpc/notification_calls.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "jobs/notification.h"
#include "rpc/pressure.h"

namespace gateway::rpc {
namespace {

// A token names the state and the last job of the page before.
std::string TokenBehind(v1::NotificationState state, const std::string& job_id) {
  return absl::WebSafeBase64Escape(absl::StrCat(static_cast<int>(state), "/", job_id));
}

absl::StatusOr<std::string> ReadBehind(v1::NotificationState state, const std::string& token) {
  if (token.empty()) return token;
  const std::string prefix = absl::StrCat(static_cast<int>(state), "/");
  std::string text;
  if (absl::WebSafeBase64Unescape(token, &text) && text.starts_with(prefix) &&
      IsCallerId(text.substr(prefix.size()))) {
    return text.substr(prefix.size());
  }
  return errors::Invalid("page_token",
                         "is no token of a list with this state; use next_page_token as it was "
                         "given");
}

absl::StatusOr<jobs::ListQuery> QueryOf(const v1::ListNotificationsRequest& request) {
  jobs::ListQuery query;
  query.notification = request.state() == v1::NOTIFICATION_STATE_UNSPECIFIED
                           ? v1::NOTIFICATION_STATE_GIVEN_UP
                           : request.state();
  if (query.notification != v1::NOTIFICATION_STATE_GIVEN_UP &&
      query.notification != v1::NOTIFICATION_STATE_PENDING) {
    return errors::Invalid("state", "must be PENDING or GIVEN_UP: others are not listed");
  }
  if (request.page_size() < 0) return errors::Invalid("page_size", "must not be negative");
  query.limit = request.page_size() == 0 ? limits::kListPageDefault
                                         : std::min(request.page_size(), limits::kListPageMax);
  ++query.limit;  // one more shows whether there is a next page
  query.without_results = true;
  absl::StatusOr<std::string> behind = ReadBehind(query.notification, request.page_token());
  if (!behind.ok()) return behind.status();
  query.before_job_id = *std::move(behind);
  return query;
}

}  // namespace

void ListNotifications(const Caller& caller, std::shared_ptr<v1::ListNotificationsRequest> request,
                       const Reply& reply, const Domain& domain) {
  absl::StatusOr<jobs::ListQuery> query = QueryOf(*request);
  if (!query.ok()) return reply(query.status());
  if (absl::Status shed = UnderPressure(domain, Shed::kReads); !shed.ok()) {
    return reply(std::move(shed));
  }
  const auto page = static_cast<std::size_t>(query->limit - 1);
  const v1::NotificationState state = query->notification;
  domain.store.List(caller.tenant, *std::move(query),
                    [reply, page, state](absl::StatusOr<std::vector<jobs::JobRecord>> found) {
                      if (!found.ok()) return reply(found.status());
                      v1::ListNotificationsResponse response;
                      const bool more = found->size() > page;
                      if (more) found->resize(page);
                      for (const jobs::JobRecord& record : *found) {
                        *response.add_notifications() = jobs::ShownNotification(record);
                      }
                      if (more) {
                        response.set_next_page_token(TokenBehind(state, found->back().job.job_id));
                      }
                      reply(response);
                    });
}

void ReplayNotification(const Caller& caller,
                        std::shared_ptr<v1::ReplayNotificationRequest> request, const Reply& reply,
                        const Domain& domain) {
  if (absl::Status named = CheckJobName(request->job_id()); !named.ok()) {
    return reply(std::move(named));
  }
  domain.backend.Replay(caller.tenant, request->job_id(),
                        [reply](absl::StatusOr<v1::Notification> notification) {
                          if (!notification.ok()) return reply(notification.status());
                          v1::ReplayNotificationResponse response;
                          *response.mutable_notification() = *std::move(notification);
                          reply(response);
                        });
}

}  // namespace gateway::rpc
