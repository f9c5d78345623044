// These functions say which URLs may be handed to Pictory, and which of Pictory's to callers. Pure.
//
// The gateway never fetches them, Pictory does; still nobody may aim Pictory's servers, or a later
// reader of the stored job, at an inside address.
#pragma once

#include <string>
#include <string_view>

#include "base/limits.h"

namespace gateway::pictory {

// What is wrong with `url`, in words that follow the field's name; "" if nothing. With
// `allow_loopback`, http and https to localhost, 127.x.y.z and [::1] are fine too (the sandbox).
std::string UrlProblem(std::string_view url, bool allow_loopback,
                       std::size_t max_bytes = limits::kUrlMaxBytes);

// What is wrong with the form of `url`, whatever host it names: it must be one of https, without a
// user, at most so long. "" if nothing.
std::string UrlFormProblem(std::string_view url, std::size_t max_bytes = limits::kUrlMaxBytes);

// The host and port of a URL that has no problem, as `host:port` in lower case; the port is that of
// the scheme where the URL names none. Empty if it cannot be told.
std::string HostAndPortOf(std::string_view url);

// Whether callers may be given a URL of a result as a link: https, or with `allow_loopback` http to
// this machine, of at most limits::kResultUrlMaxBytes, and without a character that could mislead a
// browser, a terminal or a reader. Any host will do, because who follows it is the caller.
bool IsLink(std::string_view url, bool allow_loopback);

}  // namespace gateway::pictory
