// These functions check the head of a request to http::Server, beyond what the parser does: it
// reads as other programs might read it differently. Two programs that disagree about where a
// request ends let a stranger put a second one into another's connection. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/server_message.h"

namespace gateway::http {

// How a request is refused because of its head; status 0: it is not.
struct HeadProblem {
  int status = 0;
  std::string_view why;
};

// `version` is 11 for HTTP/1.1. The target is a path, or a whole URL as proxies may send it. A body
// is framed by one Content-Length of digits or by one `Transfer-Encoding: chunked`, and by nothing
// else. There is one Host, which HTTP/1.0 may leave out.
HeadProblem CheckHead(const ServerRequest& head, unsigned version);

// The host that a request is for, with its port: that of a target that is a whole URL, else Host,
// as RFC 9112 has it; "" if there is neither.
std::string_view HostOf(const ServerRequest& head);

// The path of the target, where that is a whole URL too.
std::string_view PathOf(const ServerRequest& head);

// Whether a caller may address a listener on loopback by this value of Host: with or without a
// port, an address, `localhost` or one of `names`. A page in a browser that reaches loopback by a
// name of its own, whose address it has changed, sends that name.
bool IsOwnHost(std::string_view host, const std::vector<std::string>& names);

}  // namespace gateway::http
