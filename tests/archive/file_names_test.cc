#include "archive/file_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway::archive {
namespace {

constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
constexpr std::string_view kWebp = "RIFF\x10\0\0\0WEBPVP8 ";

TEST(FileNames, APictureIsCalledByItsBytes) {
  EXPECT_EQ(NameByBytes("image.jpg", "\xff\xd8\xff\xe0 and more"), "image.jpg");
  EXPECT_EQ(NameByBytes("image.jpg", kPng), "image.png");
  EXPECT_EQ(NameByBytes("thumbnail.jpg", std::string_view(kWebp.data(), 16)), "thumbnail.webp");
  EXPECT_EQ(NameByBytes("preview.jpg", "GIF89a..."), "preview.gif");
  EXPECT_EQ(NameByBytes("image.jpg", "RIFF....WAVEfmt "), "image.jpg");
  EXPECT_EQ(NameByBytes("image.jpg", ""), "image.jpg");
}

TEST(FileNames, OnlyPicturesAre) {
  EXPECT_EQ(NameByBytes("video.mp4", kPng), "video.mp4");
  EXPECT_EQ(NameByBytes("video.txt", "GIF89a is a format"), "video.txt");
}

TEST(FileNames, WhatWasNamedIsFoundUnderAllItsNames) {
  EXPECT_THAT(NamesOf("video.srt"), testing::ElementsAre("video.srt"));
  EXPECT_THAT(NamesOf("image.jpg"),
              testing::ElementsAre("image.jpg", "image.png", "image.webp", "image.gif"));
}

}  // namespace
}  // namespace gateway::archive
