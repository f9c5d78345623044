// The clip, sound and picture linked into the program (made by media/make-media.sh).
#pragma once

#include <string_view>

namespace gateway::sandbox {

std::string_view BuiltInClip();       // H.264 mp4, 6 s, 640x360
std::string_view BuiltInSound();      // mp3, 6 s
std::string_view BuiltInThumbnail();  // jpg, 640x360

}  // namespace gateway::sandbox
