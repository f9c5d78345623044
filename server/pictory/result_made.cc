#include "pictory/result_made.h"

#include <algorithm>
#include <array>

#include "json/check.h"
#include "pictory/job_result.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using json::Type;

bool HasText(const Envelope& envelope, ResultKey key) {
  return envelope.Result(key).type == Type::kString && envelope.HasResult(key);
}

bool HasPreview(const Envelope& envelope) {
  return envelope.HasResult(ResultKey::kRenderParams) || HasText(envelope, ResultKey::kPreview) ||
         HasText(envelope, ResultKey::kPreviewUrl);
}

bool HasVideo(const Envelope& envelope) { return HasText(envelope, ResultKey::kVideoUrl); }

bool HasTranscript(const Envelope& envelope) {
  return envelope.HasResult(ResultKey::kTranscript) || HasText(envelope, ResultKey::kTxt) ||
         // Nobody spoke: the list is empty, and its company shows that it was made.
         (envelope.Result(ResultKey::kTranscript).type == Type::kArray &&
          (envelope.Result(ResultKey::kTxt).present() ||
           envelope.Result(ResultKey::kSrt).present() ||
           envelope.Result(ResultKey::kVtt).present() ||
           envelope.HasResult(ResultKey::kMediaInfo)));
}

// Empty ones too: somebody has written that nothing was said.
bool HasWrittenText(const Envelope& envelope) {
  constexpr std::array<ResultKey, 3> kTexts = {ResultKey::kTxt, ResultKey::kSrt, ResultKey::kVtt};
  return std::any_of(kTexts.begin(), kTexts.end(), [&envelope](ResultKey key) {
    return envelope.Result(key).type == Type::kString;
  });
}

// Members of `data` that go with any status, and what comes with a transcript but is none.
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

bool ProvesTheEnd(const Envelope& envelope, v1::JobKind kind) {
  switch (kind) {
    case v1::JOB_KIND_PREVIEW:
      return HasPreview(envelope);
    case v1::JOB_KIND_RENDER:
      return HasVideo(envelope);
    case v1::JOB_KIND_TRANSCRIPTION:
    case v1::JOB_KIND_SUMMARY:
      return HasTranscript(envelope);
    default:
      return HasPreview(envelope) || HasVideo(envelope) || HasTranscript(envelope) ||
             envelope.HasResult(ResultKey::kUrl);
  }
}

ResultMade MadeWhenCompleted(const Envelope& envelope, v1::JobKind kind, const v1::Job& job) {
  const bool speech = kind != v1::JOB_KIND_PREVIEW && kind != v1::JOB_KIND_RENDER;
  if (ProvesTheEnd(envelope, kind)) return ResultMade::kUsable;
  if (speech && HasWrittenText(envelope)) return ResultMade::kUsable;
  if (job.summary().summaries_size() > 0) return ResultMade::kUsable;
  if (kind == v1::JOB_KIND_RENDER) return ResultMade::kNothing;
  return HasAnything(envelope) ? ResultMade::kSomething : ResultMade::kNothing;
}

std::string WhatIsMissing(v1::JobKind kind) {
  switch (kind) {
    case v1::JOB_KIND_PREVIEW:
      return "preview";
    case v1::JOB_KIND_RENDER:
      return "videoURL";
    case v1::JOB_KIND_TRANSCRIPTION:
    case v1::JOB_KIND_SUMMARY:
      return "transcript";
    default:
      return "result";
  }
}

}  // namespace gateway::pictory
