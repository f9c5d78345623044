#include "jobs/notification.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/stable_bytes.h"
#include "jobs/proto_time.h"

namespace gateway::jobs {

v1::Notification NotificationOf(const JobRecord& record) {
  v1::Notification notification;
  // This program made the bytes. If the store gave back something else, nobody is told.
  if (!notification.ParseFromString(record.notify_wire)) notification.Clear();
  return notification;
}

void SetNotification(const v1::Notification& notification, JobRecord& record) {
  record.notify_wire = StableBytes(notification);
}

bool PlanNotification(JobRecord& record, bool has_room) {
  v1::Notification before = NotificationOf(record);
  if (before.job_state() == record.job.state) return false;
  v1::Notification planned;
  planned.set_url(std::move(*before.mutable_url()));
  planned.set_job_state(record.job.state);
  *planned.mutable_event_time() = ToTimestamp(record.job.update_time);
  planned.set_state(has_room ? v1::NOTIFICATION_STATE_PENDING : v1::NOTIFICATION_STATE_GIVEN_UP);
  if (!has_room) planned.set_problem("Too many notifications of the tenant waited already");
  SetNotification(planned, record);
  return true;
}

v1::NotificationState NotifyingOf(const JobRecord& record) {
  if (record.notify_wire.empty() || !IsVisible(record)) return v1::NOTIFICATION_STATE_UNSPECIFIED;
  const v1::NotificationState state = NotificationOf(record).state();
  const bool told =
      state == v1::NOTIFICATION_STATE_PENDING || state == v1::NOTIFICATION_STATE_GIVEN_UP;
  return told ? state : v1::NOTIFICATION_STATE_UNSPECIFIED;
}

std::string NotificationId(const std::string& job_id, JobState state) {
  return absl::StrCat("msg_", job_id, "_", absl::AsciiStrToLower(StateName(state)));
}

v1::Notification ShownNotification(const JobRecord& record) {
  v1::Notification shown = NotificationOf(record);
  shown.set_job_id(record.job.job_id);
  shown.set_notification_id(NotificationId(record.job.job_id, shown.job_state()));
  shown.set_url(shown.url().substr(0, shown.url().find_first_of("?#")));
  return shown;
}

}  // namespace gateway::jobs
