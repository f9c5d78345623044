#include "notify/event.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "base/utc_text.h"
#include "jobs/notification.h"
#include "jobs/snapshot.h"
#include "json/api_writer.h"
#include "json/writer.h"

namespace gateway::notify {

std::string EventType(jobs::JobState state) {
  return absl::StrCat("pictory.jobs.v1.job.", absl::AsciiStrToLower(jobs::StateName(state)));
}

std::string EventBody(const jobs::JobRecord& record) {
  const jobs::v1::Notification notification = jobs::NotificationOf(record);
  const jobs::JobState state = notification.job_state();
  std::string body;
  json::Writer out(body);
  const auto member = [&out](std::string_view key, const std::string& value) {
    out.Key(key);
    out.String(value);
  };
  out.StartObject();
  member("specversion", "1.0");
  member("id", jobs::NotificationId(record.job.job_id, state));
  member("source", "/pictory-gateway/tenants/" + PercentEncode(record.job.tenant));
  member("type", EventType(state));
  member("subject", record.job.job_id);
  member("time", UtcText(notification.event_time().seconds()) + "Z");
  member("datacontenttype", "application/json");
  out.Key("data");
  json::WriteApi(jobs::ToListProto(record.job), out);
  out.EndObject();
  return body;
}

}  // namespace gateway::notify
