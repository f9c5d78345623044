#include "sandbox/embedded_media.h"

// PICTORY_MEDIA_DIR is needed to build, not to run.
#define EMBED(symbol, file)                   \
  __asm__(                                    \
      ".pushsection .rodata\n"                \
      ".global gateway_sandbox_" symbol       \
      "\n"                                    \
      ".global gateway_sandbox_" symbol       \
      "_end\n"                                \
      "gateway_sandbox_" symbol               \
      ":\n"                                   \
      ".incbin \"" PICTORY_MEDIA_DIR "/" file \
      "\"\n"                                  \
      "gateway_sandbox_" symbol               \
      "_end:\n"                               \
      ".byte 0\n"                             \
      ".popsection\n")

EMBED("clip", "clip.mp4");
EMBED("sound", "sound.mp3");
EMBED("thumbnail", "thumbnail.jpg");

extern "C" {
extern const char gateway_sandbox_clip[], gateway_sandbox_clip_end[];
extern const char gateway_sandbox_sound[], gateway_sandbox_sound_end[];
extern const char gateway_sandbox_thumbnail[], gateway_sandbox_thumbnail_end[];
}

namespace gateway::sandbox {
namespace {

std::string_view Between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view BuiltInClip() { return Between(gateway_sandbox_clip, gateway_sandbox_clip_end); }
std::string_view BuiltInSound() {
  return Between(gateway_sandbox_sound, gateway_sandbox_sound_end);
}
std::string_view BuiltInThumbnail() {
  return Between(gateway_sandbox_thumbnail, gateway_sandbox_thumbnail_end);
}

}  // namespace gateway::sandbox
