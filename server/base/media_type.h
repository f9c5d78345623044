// MediaTypeOf says what a file's name tells about the bytes in it. Pure.
//
// It knows only the kinds of file that Pictory's documentation speaks of; for all others the caller
// says what they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gateway {

struct MediaType {
  std::string_view content_type;
  bool speech = false;  // can be transcribed: MP4, MOV, AVI, MP3, WAV, M4A
};

// By the extension, in any case; unset if there is none or it is not known.
std::optional<MediaType> MediaTypeOf(std::string_view file_name);

// `mp4`, in lower case; "" if there is none.
std::string ExtensionOf(std::string_view file_name);

// A type and a subtype, perhaps with parameters, that may stand in a header: `video/mp4`.
bool IsContentType(std::string_view text);

}  // namespace gateway
