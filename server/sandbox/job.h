// A job of the sandbox. Its state is a function of when it was accepted and what time it is, so
// nothing has to happen for it to finish, and a restart changes nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sandbox/json.h"
#include "sandbox/long_transcript.h"
#include "sandbox/magic.h"
#include "sandbox/story.h"
#include "sandbox/studio.h"

namespace gateway::sandbox {

// The API version of the calls that made a job: results and follow-up calls differ.
enum class Version { kV1, kV2 };
enum class Kind { kPreview, kRender, kTranscription, kHighlights, kImage, kClip };

struct Job {
  std::string id;       // opaque
  std::string account;  // that has made it
  Kind kind = Kind::kPreview;
  Version version = Version::kV2;
  MonoTime accepted;
  bool cleaned = false;

  Magic magic;
  // An error that was found at acceptance and is told when the job ends; empty: the job succeeds.
  std::string error_code;
  std::string error_message;

  Film film;                               // preview, render
  std::shared_ptr<const Json> storyboard;  // preview: the request, v2 resolved
  std::string project_id;                  // preview with saveProject
  std::shared_ptr<const Json> project;  // preview: what its project was changed to; null: nothing
  WallTime project_saved{};             // when it was changed
  bool of_project = false;              // render of a saved project
  bool of_template = false;             // preview: both API versions render it
  std::vector<std::string> edits;       // preview: JSON arrays of element changes, oldest first
  std::string data;  // transcription, highlights: the finished `data`, but status
  std::shared_ptr<const Json> transcript;  // transcription, highlights
  Visual visual;                           // image, clip
  // If not null, hours of talk, of which `data` and `transcript` are the first minute.
  std::shared_ptr<const LongTranscript> long_transcript;

  // Where and with what the caller wants to be told of the end (webhooks.h).
  std::string webhook;
  std::string webhook_input;  // JSON text; empty: none
};

enum class Phase { kWaiting, kRunning, kCompleted, kFailed, kCleaned };

struct JobState {
  Phase phase = Phase::kWaiting;
  double progress = 0;  // 0–1 of the running time
};

inline bool IsFinal(Phase phase) { return phase >= Phase::kCompleted; }

}  // namespace gateway::sandbox
