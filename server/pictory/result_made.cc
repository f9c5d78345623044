#include "pictory/result_made.h"

#include <algorithm>
#include <array>

#include "json/check.h"
#include "pictory/job_result.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using json::Type;

// Whether a member of `data` goes with any status, or comes with a transcript and is none.
bool IsCompany(std::string_view key) {
  constexpr std::array<std::string_view, 18> kCompany = {
      "status",        "success",       "jobId",          "job_id",
      "progress",      "renderState",   "renderProgress", "renderProgressMessage",
      "aiCreditsUsed", "mediaInfo",     "error",          "error_code",
      "errorCode",     "error_message", "errorMessage",   "code",
      "message",       "webhookInput"};
  return std::find(kCompany.begin(), kCompany.end(), key) != kCompany.end();
}

bool HoldsAnything(const json::Member& member) {
  if (member.type == Type::kNull || member.value == "\"\"") return false;
  if (member.key == "transcript" && member.type == Type::kArray) return true;  // of nobody, perhaps
  if (member.type != Type::kObject && member.type != Type::kArray) return true;
  return std::any_of(member.value.begin() + 1, member.value.end() - 1,
                     [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
}

bool HasAnything(const Envelope& envelope) {
  if (envelope.data_type != Type::kObject) {
    return envelope.data_type != Type::kAbsent && envelope.data_type != Type::kNull;
  }
  json::Outline outline;
  if (!json::Check(envelope.data, JobReplyLimits(envelope.data.size()), &outline).ok()) return true;
  return std::any_of(
      outline.members.begin(), outline.members.end(),
      [](const json::Member& member) { return !IsCompany(member.key) && HoldsAnything(member); });
}

}  // namespace

ResultMade MadeWhenCompleted(const Envelope& envelope, const KindFacts& kind, const v1::Job& job) {
  if (kind.ended(envelope)) return ResultMade::kUsable;
  if (kind.usable_too != nullptr && kind.usable_too(envelope, job)) return ResultMade::kUsable;
  if (kind.nothing_else_counts) return ResultMade::kNothing;
  return HasAnything(envelope) ? ResultMade::kSomething : ResultMade::kNothing;
}

}  // namespace gateway::pictory
