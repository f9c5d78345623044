// `pictory webhooks`: what receivers were not told.
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "describe.h"
#include "json_text.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kNotificationsPage = 500;

std::string NotificationText(const Notification& notification) {
  std::string text = absl::StrCat("job ", OneLine(notification.job_id()), "\n");
  Row(text, "tells", StateWord(notification.job_state()));
  switch (notification.state()) {
    case v1::NOTIFICATION_STATE_PENDING:
      Row(text, "state", "is tried");
      break;
    case v1::NOTIFICATION_STATE_GIVEN_UP:
      Row(text, "state", "given up");
      break;
    default:
      break;
  }
  if (notification.tries() > 0) Row(text, "tries", absl::StrCat(notification.tries()));
  Row(text, "url", OneLine(notification.url()));
  Row(text, "problem", OneLine(notification.problem()));
  Row(text, "id", OneLine(notification.notification_id()));
  return text;
}

void ShowNotification(const Session& session, const Notification& notification) {
  session.out.Answer(session.out.json() ? ToJsonLine(notification) + "\n"
                                        : NotificationText(notification));
}

// Hands over each notification in this state.
template <class Take>
absl::Status ForEachNotification(const Session& session, v1::NotificationState state,
                                 const Take& take) {
  ListNotificationsRequest request;
  request.set_state(state);
  request.set_page_size(kNotificationsPage);
  do {
    const absl::StatusOr<ListNotificationsResponse> page =
        session.client.Notifications(request, session.Call());
    if (!page.ok()) return page.status();
    for (const Notification& each : page->notifications()) take(each);
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

ExitCode ListNotifications(const Session& session) {
  const bool pending = session.args.pending;
  int shown = 0;
  const absl::Status listed = ForEachNotification(
      session, pending ? v1::NOTIFICATION_STATE_PENDING : v1::NOTIFICATION_STATE_GIVEN_UP,
      [&](const Notification& each) {
        ShowNotification(session, each);
        ++shown;
      });
  if (!listed.ok()) return session.Failed(listed);
  if (shown == 0) session.out.Note(pending ? "None is being tried.\n" : "None was given up.\n");
  return kSucceeded;
}

// Each is replayed in the order given; one that cannot be keeps no other from it.
ExitCode ReplayNotifications(const Session& session) {
  std::vector<std::string> jobs = session.args.jobs;
  if (session.args.all) {
    const absl::Status listed =
        ForEachNotification(session, v1::NOTIFICATION_STATE_GIVEN_UP,
                            [&](const Notification& each) { jobs.push_back(each.job_id()); });
    if (!listed.ok()) return session.Failed(listed);
  }
  ExitCode code = kSucceeded;
  for (const std::string& job : jobs) {
    const absl::StatusOr<Notification> replayed =
        session.client.ReplayNotification(job, session.Call());
    if (replayed.ok()) {
      ShowNotification(session, *replayed);
    } else {
      code = session.Failed(replayed.status(), job);
    }
  }
  if (jobs.empty()) session.out.Note("None was given up.\n");
  return code;
}

}  // namespace

ExitCode RunWebhooks(const Session& session) {
  return session.args.action == "list" ? ListNotifications(session) : ReplayNotifications(session);
}

}  // namespace pictory_jobs::cli
