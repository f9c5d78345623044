#include "rpc/refusal_log.h"
#include "base/limits.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/clean_text.h"
#include "base/error_detail.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"

namespace gateway::rpc {
namespace {

namespace details = ::pictory::jobs::internal::v1;

// The reason that stands for none: the error is not the gateway's own.
constexpr char kNoReason[] = "NONE";
constexpr char kOther[] = "other";

template <class Message>
Message Detail(const absl::Status& status, const char* type) {
  Message message;
  ReadDetail(status, std::string("type.googleapis.com/google.rpc.") + type, message);
  return message;
}

std::string Value(const details::ErrorInfo& info, const char* key) {
  const auto found = info.metadata().find(key);
  return found == info.metadata().end() ? ""
                                        : CleanText(found->second, limits::kRefusalNameMaxBytes);
}

std::string Fields(const absl::Status& status) {
  const auto bad = Detail<details::BadRequest>(status, "BadRequest");
  std::string names;
  for (int i = 0; i < std::min(bad.field_violations_size(), limits::kRefusalFieldsMax); ++i) {
    if (i > 0) names += ", ";
    names += CleanText(bad.field_violations(i).field(), limits::kRefusalNameMaxBytes);
  }
  const int more = bad.field_violations_size() - limits::kRefusalFieldsMax;
  return more > 0 ? names + " and " + std::to_string(more) + " more" : names;
}

std::string RequestId(const CallEnd& end, const details::ErrorInfo& info) {
  return end.request_id.empty() ? Value(info, "request_id")
                                : CleanText(end.request_id, limits::kRefusalNameMaxBytes);
}

std::string JobId(const absl::Status& status, const details::ErrorInfo& info) {
  const std::string named = Value(info, "job_id");
  if (!named.empty()) return named;
  const auto resource = Detail<details::ResourceInfo>(status, "ResourceInfo");
  return CleanText(resource.resource_name(), limits::kRefusalNameMaxBytes);
}

bool IsPictorys(std::string_view reason) { return reason.substr(0, 9) == "UPSTREAM_"; }

// Messages about a request quote it, and those about Pictory quote that; both are left out.
std::string ShownMessage(const absl::Status& status, std::string_view reason) {
  const bool ours = status.code() != absl::StatusCode::kInvalidArgument && !IsPictorys(reason);
  return ours ? CleanText({status.message().data(), status.message().size()},
                          limits::kRefusalTextMaxBytes)
              : "";
}

}  // namespace

bool IsRefusal(const CallEnd& end, std::string_view reason) {
  switch (end.status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
      return false;
    case absl::StatusCode::kNotFound:
      return IsPictorys(reason);
    default:
      return !(end.served && (reason == "DRAINING" || reason == "STREAM_IDLE"));
  }
}

void RefusalLog::Tell(const CallEnd& end) {
  if (end.status.ok()) return;
  const auto info = Detail<details::ErrorInfo>(end.status, "ErrorInfo");
  const std::string reason =
      info.reason().empty() ? kNoReason : CleanText(info.reason(), limits::kRefusalNameMaxBytes);
  if (!IsRefusal(end, reason) || !Admit(reason)) return;

  const std::string peer = CleanText(end.peer, limits::kRefusalNameMaxBytes);
  const std::string code = absl::StatusCodeToString(end.status.code());
  const std::pair<std::string_view, std::string> known[] = {
      {"trace_id", end.trace == nullptr ? "" : end.trace->trace_id},
      {"request_id", RequestId(end, info)},
      {"job_id", JobId(end.status, info)},
      {"http_status", Value(info, "http_status")},
      {"pictory_code", Value(info, "pictory_error_code")},
      {"fields", Fields(end.status)},
      {"message", ShownMessage(end.status, reason)}};
  std::vector<obs::Field> line = {
      {"method", end.method}, {"peer", peer}, {"code", code}, {"reason", reason}};
  for (const auto& [key, value] : known) {
    if (!value.empty()) line.emplace_back(key, value);
  }
  write_("call_refused", line);
}

// The first line that is left out sees to it that their number is told when the window is over.
bool RefusalLog::Admit(const std::string& reason) {
  const MonoTime now = clock_.Now();
  std::string counted_as;
  MonoTime over;
  {
    MutexLock lock(mutex_);
    const bool known = lines_.contains(reason);
    counted_as = known || lines_.size() < limits::kRefusalReasonsMax ? reason : kOther;
    const auto [it, fresh] = lines_.try_emplace(counted_as);
    Lines& lines = it->second;
    if (fresh || now - lines.begun >= limits::kRefusalWindow) {
      lines.begun = now;
      lines.written = 0;
    }
    if (lines.written < limits::kRefusalLinesMax) {
      ++lines.written;
      return true;
    }
    if (lines.left_out++ > 0) return false;
    over = lines.begun + limits::kRefusalWindow;
  }
  timers_.At(over, [this, counted_as] { TellLeftOut(counted_as); });
  return false;
}

void RefusalLog::TellLeftOut(const std::string& reason) {
  std::uint64_t left_out = 0;
  {
    MutexLock lock(mutex_);
    left_out = std::exchange(lines_[reason].left_out, 0);
  }
  if (left_out == 0) return;
  const obs::Field line[] = {{"reason", reason}, {"calls", left_out}};
  write_("refusals_left_out", line);
}

void RefusalLog::TellLeftOut() {
  std::vector<std::string> reasons;
  {
    MutexLock lock(mutex_);
    for (const auto& [reason, lines] : lines_) reasons.push_back(reason);
  }
  for (const std::string& reason : reasons) TellLeftOut(reason);
}

}  // namespace gateway::rpc
