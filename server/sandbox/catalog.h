// The Catalog answers what programs look up before they write a storyboard: stock media, voices,
// music, avatars, and the brands, styles and smart layouts of the account. Its lists are short and
// the sandbox's own; their shapes are those of Pictory's pages. Pure.
#pragma once

#include <string>
#include <string_view>

#include "sandbox/api_reply.h"

namespace gateway::sandbox {

// GET v1/media/search; `keyword` is required, and every one is found.
ApiReply SearchMedia(const std::string& query, const std::string& origin);

// GET v1/voiceovers/tracks.
ApiReply Voices(const std::string& origin);

// POST v1/music/search: what of the library has all that `body` asks for.
ApiReply SearchMusic(const std::string& body, const std::string& origin);

// GET v1/avatars; all of them are on one page.
ApiReply Avatars(const std::string& origin);

// GET v1/brands/video, v1/styles and v1/smartlayouts.
ApiReply Brands();
ApiReply Styles();
ApiReply SmartLayouts();

// GET v1/music/LIST, where LIST is moods, genres, genres/groups, instruments or purposes.
ApiReply MusicWords(std::string_view list);

}  // namespace gateway::sandbox
