#include "transfer.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace pictory_jobs {
namespace {

constexpr long kConnectSeconds = 15;
constexpr long kStalledSeconds = 60;  // without a byte

// Whether a failure is no matter of time.
bool IsHopeless(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_LOGIN_DENIED:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Prepare(CURL* curl, const std::string& url, const std::string& ca_file) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStalledSeconds);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "pictory-jobs");
  if (ca_file.empty()) return;
  curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CAPATH, static_cast<char*>(nullptr));  // would widen the trust
}

absl::Status BrokenOff(const char* what, CURLcode code, const std::string& detail) {
  std::string message = absl::StrCat(
      what, " broke off: ", detail.empty() ? curl_easy_strerror(code) : absl::CHexEscape(detail));
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    absl::StrAppend(
        &message,
        "; is its authority one of the system's, or of ca_file (--media-ca, SSL_CERT_FILE)?");
  }
  return IsHopeless(code) ? absl::FailedPreconditionError(message)
                          : absl::UnavailableError(message);
}

}  // namespace pictory_jobs
