#include "app/self_dial.h"
#include "base/limits.h"

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace gateway::app {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kTls = "https://";
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

curl_blob Blob(const std::string& text) {
  return {.data = const_cast<char*>(text.data()), .len = text.size(), .flags = CURL_BLOB_NOCOPY};
}

// `own` must live as long as the handle.
void SetTls(CURL* curl, const rpc::OwnCertificate& own) {
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  if (own.certificate_pem.empty()) return;
  curl_blob certificate = Blob(own.certificate_pem);
  curl_blob key = Blob(own.key_pem.Reveal());
  curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &certificate);
  curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key);
}

absl::StatusOr<bool> Dial(const rpc::OwnCertificate& own, const std::string& target,
                          Duration timeout) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  Headers headers(curl_slist_append(nullptr, "content-type: application/grpc"),
                  &curl_slist_free_all);
  if (easy == nullptr || headers == nullptr) return absl::InternalError("libcurl gives no handle");
  curl_slist_append(headers.get(), "te: trailers");
  Heard heard;
  CURL* const curl = easy.get();
  const bool tls = target.rfind(kTls, 0) == 0;
  const std::string address = tls ? target.substr(kTls.size()) : target;
  const bool local = address.rfind(kUnix, 0) == 0;
  const std::string url = std::string(tls ? "https://" : "http://") +
                          (local ? "localhost" : address) + "/grpc.health.v1.Health/Check";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  if (tls) SetTls(curl, own);
  if (local) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, address.c_str() + kUnix.size());
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                   tls ? long{CURL_HTTP_VERSION_2TLS} : long{CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE});
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
    return absl::UnavailableError(target + ": " + curl_easy_strerror(ended));
  }
  return absl::UnavailableError(target + ": the answer is not a gRPC server's");
}

}  // namespace

SelfDial DialWith(rpc::OwnCertificate own) {
  return [own = std::move(own)](const std::string& address, Duration timeout) {
    return Dial(own, address, timeout);
  };
}

}  // namespace gateway::app
