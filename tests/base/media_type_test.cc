#include "base/media_type.h"

#include <gtest/gtest.h>

#include <string>

namespace gateway {
namespace {

TEST(MediaTypeTest, ByExtensionInAnyCase) {
  for (const auto& [name, type] :
       {std::pair{"a.mp4", "video/mp4"}, std::pair{"A.MOV", "video/quicktime"},
        std::pair{"x/y.avi", "video/x-msvideo"}, std::pair{"a.b.mp3", "audio/mpeg"},
        std::pair{"a.wav", "audio/wav"}, std::pair{"a.m4a", "audio/mp4"}}) {
    ASSERT_TRUE(MediaTypeOf(name).has_value()) << name;
    EXPECT_EQ(MediaTypeOf(name)->content_type, type);
    EXPECT_TRUE(MediaTypeOf(name)->speech);
  }
  EXPECT_EQ(MediaTypeOf("logo.JPEG")->content_type, "image/jpeg");
  EXPECT_FALSE(MediaTypeOf("logo.JPEG")->speech);
  for (const char* name : {"", "mp4", ".mp4", "a.", "a.mkv", "a.mp4/b", "dir.mp4/.mp4"}) {
    EXPECT_FALSE(MediaTypeOf(name).has_value()) << name;
  }
}

TEST(MediaTypeTest, ContentTypesThatMayStandInAHeader) {
  for (const char* type : {"video/mp4", "application/vnd.ms-powerpoint",
                           "text/plain; charset=utf-8", "text/plain;charset=utf-8", "x/y ; a=b"}) {
    EXPECT_TRUE(IsContentType(type)) << type;
  }
  for (const char* type : {"", "video", "video/", "/mp4", "video/mp4\r\nX: y", "video/mp4 ",
                           "vi deo/mp4", "video/mp4;\n", "a/b/c", "vidéo/mp4"}) {
    EXPECT_FALSE(IsContentType(type)) << type;
  }
  EXPECT_FALSE(IsContentType("a/" + std::string(300, 'b')));
}

}  // namespace
}  // namespace gateway
