#include "app/self_dial.h"
#include "base/limits.h"

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace gateway::app {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kStatus = "grpc-status:";
// A request without a field, which asks for the whole server.
constexpr char kQuestion[5] = {0, 0, 0, 0, 0};
// The message {status: SERVING} behind its length.
constexpr std::string_view kServing("\0\0\0\0\2\x08\1", 7);

struct Heard {
  bool status = false;  // gRPC's, whatever it is
  std::string body;
};

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* to) {
  const std::string_view line(data, size * count);
  if (line.substr(0, kStatus.size()) == kStatus) static_cast<Heard*>(to)->status = true;
  return line.size();
}

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* to) {
  std::string& body = static_cast<Heard*>(to)->body;
  if (body.size() + size * count > limits::kSelfCallAnswerMaxBytes) return 0;
  body.append(data, size * count);
  return size * count;
}

using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

}  // namespace

absl::StatusOr<bool> DialPlain(const std::string& address, Duration timeout) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  Headers headers(curl_slist_append(nullptr, "content-type: application/grpc"),
                  &curl_slist_free_all);
  if (easy == nullptr || headers == nullptr) return absl::InternalError("libcurl gives no handle");
  curl_slist_append(headers.get(), "te: trailers");
  Heard heard;
  CURL* const curl = easy.get();
  const bool local = address.rfind(kUnix, 0) == 0;
  const std::string url =
      "http://" + (local ? "localhost" : address) + "/grpc.health.v1.Health/Check";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  if (local) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, address.c_str() + kUnix.size());
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, kQuestion);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(sizeof kQuestion));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &heard);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &heard);
  curl_easy_setopt(
      curl, CURLOPT_TIMEOUT_MS,
      static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()));
  const CURLcode ended = curl_easy_perform(curl);
  // After a status it does not matter how the connection ended.
  if (heard.status) return heard.body == kServing;
  if (ended != CURLE_OK) {
    return absl::UnavailableError(address + ": " + curl_easy_strerror(ended));
  }
  return absl::UnavailableError(address + ": the answer is not a gRPC server's");
}

}  // namespace gateway::app
