// Words in a video's name (or in the URL of a file to transcribe) that ask the sandbox for trouble,
// so that failure can be tried without any tool. Written `[fail]`, or `sandbox-fail` where only
// letters, digits and dashes are allowed:
//
//   fail         the job fails with TEXT_TO_VIDEO_FAILED
//   fail-render  a preview succeeds, its render fails
//   no-credits   the job fails with INSUFFICIENT_CREDITS
//   stuck        the job never ends
//   slow         the job takes ten times as long
//   no-video     the render ends "completed", but without its videoURL
//   minutes-600  the built-in transcript goes on for so many minutes, at most 10,000: about 25 KB each
#pragma once

#include <string>
#include <string_view>

namespace gateway::sandbox {

struct Magic {
  bool fail = false;
  bool fail_render = false;
  bool no_credits = false;
  bool stuck = false;
  bool slow = false;
  bool no_video = false;
  int minutes = 0;  // 0: not asked for
};

Magic FindMagic(std::string_view text);

// `name` without bracketed magic words: what is checked against Pictory's rules for names.
std::string WithoutMagic(std::string_view name);

// Whether Pictory would know this AI voice. The sandbox has no list: it takes every name but those
// that say of themselves that they are wrong (empty, or with "invalid", "unknown", "nobody").
bool IsKnownSpeaker(std::string_view speaker);

}  // namespace gateway::sandbox
