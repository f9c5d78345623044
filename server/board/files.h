// These are the files of the board, a page for people that shows jobs (server/docs/board.md). They
// are linked into the program as they stand in this folder; nothing is made of them before.
#pragma once

#include <span>
#include <string_view>

namespace gateway::board {

struct File {
  std::string_view path;  // where it is served, such as `/board/list.js`; the page itself is at `/`
  std::string_view type;  // its media type
  std::string_view etag;  // of its bytes, with quotes
  std::string_view bytes;
};

std::span<const File> Files();

}  // namespace gateway::board
