// Magic holds what the words in a video's name (or in the URL of a file to transcribe) ask of the
// sandbox, so that failure can be tried without any tool. The words pass Pictory's own rule for
// names:
//
//   sandbox-fail         the job fails with TEXT_TO_VIDEO_FAILED
//   sandbox-fail-render  a preview succeeds, its render fails
//   sandbox-fail-summary a transcription succeeds, its summary fails
//   sandbox-fail-object  the job fails with 5001, and the reason is an object
//   sandbox-fail-list    likewise, a list of objects
//   sandbox-fail-text    likewise, a text that is JSON
//   sandbox-fail-silent  the job fails, and no reason is given
//   sandbox-no-credits   the job fails with INSUFFICIENT_CREDITS
//   sandbox-stuck        the job never ends
//   sandbox-slow         the job takes ten times as long
//   sandbox-no-video     the render ends "completed", but without its videoURL
//   sandbox-minutes-600  the built-in transcript goes on for so many minutes, at most 10,000: about
//   25 KB each
#pragma once

#include <string>
#include <string_view>

namespace gateway::sandbox {

struct Magic {
  bool fail = false;
  bool fail_render = false;
  bool fail_summary = false;
  bool fail_object = false;
  bool fail_list = false;
  bool fail_text = false;
  bool fail_silent = false;
  bool no_credits = false;
  bool stuck = false;
  bool slow = false;
  bool no_video = false;
  int minutes = 0;  // 0: not asked for
};

Magic FindMagic(std::string_view text);

// Whether Pictory would know this AI voice. The sandbox has no list: it takes every name but those
// that say of themselves that they are wrong (empty, or with "invalid", "unknown", "nobody").
bool IsKnownSpeaker(std::string_view speaker);

}  // namespace gateway::sandbox
