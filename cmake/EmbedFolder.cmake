# cmake -D FOLDER=dir -D FILES=a.html,b.js -D OUT=x.cc -P EmbedFolder.cmake
#
# Writes a source file with the files of the board, which `board::Files()` of board/files.h returns. `index.html` is
# served at `/`, any other file at `/board/` and its name. A file's tag is its SHA-256.
string(REPLACE "," ";" FILES "${FILES}")
set(type.html "text/html; charset=utf-8")
set(type.css "text/css; charset=utf-8")
set(type.js "text/javascript; charset=utf-8")
set(type.svg "image/svg+xml")

set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS FILES)
  file(READ ${FOLDER}/${file} bytes HEX)
  file(SHA256 ${FOLDER}/${file} tag)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n"
                       bytes "${bytes}")
  string(REGEX MATCH "[a-z]+$" ending "${file}")
  set(path "/board/${file}")
  if(file STREQUAL "index.html")
    set(path "/")
  endif()
  string(APPEND arrays "constexpr unsigned char kFile${number}[] = {\n${bytes}};\n")
  string(APPEND rows "    {\"${path}\", \"${type.${ending}}\", \"\\\"${tag}\\\"\", Text(kFile${number})},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "#include \"board/files.h\"

#include <cstddef>

namespace gateway::board {
namespace {

template <std::size_t size>
std::string_view Text(const unsigned char (&bytes)[size]) {
  return {reinterpret_cast<const char*>(bytes), size};
}

${arrays}
}  // namespace

std::span<const File> Files() {
  static const File kFiles[] = {
${rows}  };
  return kFiles;
}

}  // namespace gateway::board
")
