#include "face/board_answer.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "board/files.h"
#include "face/entity_tag.h"
#include "http/server_request_head.h"

namespace gateway::face {
namespace {

// What the page may load and do. Its own files and calls are from here; pictures and films are
// Pictory's, from servers that it does not publish, or this machine's where the sandbox made them.
// Nothing on it can become a script: not by a text in the page, nor by one that is made a script.
constexpr char kPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: https: http://127.0.0.1:* http://localhost:*; "
    "media-src 'self' blob: https: http://127.0.0.1:* http://localhost:*; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

}  // namespace

std::optional<http::ServerResponse> BoardAnswer(const http::ServerRequest& head) {
  if (head.method != "GET" && head.method != "HEAD") return std::nullopt;
  const std::span<const board::File> files = board::Files();
  const auto file = std::find_if(files.begin(), files.end(), [&head](const board::File& one) {
    return one.path == http::PathOf(head);
  });
  if (file == files.end()) return std::nullopt;
  http::ServerResponse response;
  response.etag = std::string(file->etag);
  response.headers = {{"Cache-Control", "no-cache"},
                      {"Content-Security-Policy", kPolicy},
                      {"Cross-Origin-Opener-Policy", "same-origin"},
                      {"Cross-Origin-Resource-Policy", "same-origin"},
                      {"Referrer-Policy", "no-referrer"},
                      {"X-Frame-Options", "DENY"}};
  if (IsKnown(head, file->etag)) {
    response.status = 304;
    return response;
  }
  response.headers.push_back({"Content-Type", std::string(file->type)});
  response.body = http::StaticBody(file->bytes);
  return response;
}

}  // namespace gateway::face
