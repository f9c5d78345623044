#include "http/guarded_socket.h"

#include <netdb.h>
#include <sys/socket.h>

#include "base/inside_address.h"

namespace gateway::http {

curl_socket_t OpenGuarded(Reach reach, const curl_sockaddr& to, bool& inside) {
  char host[NI_MAXHOST] = "";
  getnameinfo(&to.addr, to.addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  inside = (reach == Reach::kPublic && IsInsideAddress(host)) ||
           (reach == Reach::kLoopback && !IsLoopbackAddress(host));
  if (inside) return CURL_SOCKET_BAD;
  return socket(to.family, to.socktype | SOCK_CLOEXEC, to.protocol);
}

}  // namespace gateway::http
