#include "paint.h"

#include "absl/strings/str_cat.h"

namespace pictory_jobs::cli {
namespace {

// Colours that can be read on light and on dark ground.
const char* CodeOf(Hue hue) {
  switch (hue) {
    case Hue::kGood:
      return "\x1b[32m";
    case Hue::kBad:
      return "\x1b[31m";
    case Hue::kBusy:
      return "\x1b[34m";
    case Hue::kOdd:
      return "\x1b[33m";
    case Hue::kNone:
      break;
  }
  return "";
}

constexpr char kPlain[] = "\x1b[0m";

}  // namespace

Hue HueOf(JobState state) {
  switch (state) {
    case v1::JOB_STATE_SUCCEEDED:
      return Hue::kGood;
    case v1::JOB_STATE_FAILED:
      return Hue::kBad;
    case v1::JOB_STATE_QUEUED:
    case v1::JOB_STATE_RUNNING:
      return Hue::kBusy;
    case v1::JOB_STATE_UNCONFIRMED:
    case v1::JOB_STATE_OUTCOME_UNKNOWN:
    case v1::JOB_STATE_EXPIRED:
      return Hue::kOdd;
    default:
      return Hue::kNone;
  }
}

std::string Painted(const std::string& text, Hue hue) {
  if (hue == Hue::kNone) return text;
  const std::size_t end = text.find_last_not_of(' ') + 1;
  return absl::StrCat(CodeOf(hue), text.substr(0, end), kPlain, text.substr(end));
}

std::string TextOf(const Pieces& pieces) {
  std::string text;
  for (const Piece& piece : pieces) text += piece.text;
  return text;
}

}  // namespace pictory_jobs::cli
