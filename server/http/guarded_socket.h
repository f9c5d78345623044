// OpenGuarded opens the sockets of libcurl where not every address may be connected to.
#pragma once

#include <curl/curl.h>

#include "http/transport.h"

namespace gateway::http {

// Opens a socket for this address, unless the reach forbids it, whatever name was resolved to it.
// Sets `inside` if it does, and clears it if not, for another address of a name may be fine.
curl_socket_t OpenGuarded(Reach reach, const curl_sockaddr& to, bool& inside);

}  // namespace gateway::http
