#include "http/curl_fetcher.h"

#include <curl/curl.h>

#include <array>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "http/guarded_socket.h"

namespace gateway::http {
namespace {

// What the callbacks of one fetch share.
struct Fetching {
  const FetchRequest& request;
  FetchSink& sink;
  CURL* curl;
  bool through_proxy;
  FetchHead head{};
  std::size_t header_bytes = 0;
  bool begun = false;
  bool stopped = false;  // by the sink
  bool inside = false;
  bool headers_too_long = false;
};

bool IsGood(int status) { return status >= 200 && status < 300; }

// Where a redirect leads, as a whole URL without a fragment; empty if that cannot be told.
// libcurl's own word of it comes at the end of the answer, for which nobody waits.
std::string WholeUrl(const std::string& base, const std::string& location) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), curl_url_cleanup);
  if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_URL, location.c_str(), CURLU_NON_SUPPORT_SCHEME) !=
          CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0) != CURLUE_OK) {
    return "";
  }
  char* whole = nullptr;
  if (curl_url_get(url.get(), CURLUPART_URL, &whole, 0) != CURLUE_OK) return "";
  std::string text = whole;
  curl_free(whole);
  return text;
}

// Fills in what libcurl has found out about the answer.
void CompleteHead(Fetching& fetch) {
  FetchHead& head = fetch.head;
  long status = 0;
  curl_easy_getinfo(fetch.curl, CURLINFO_RESPONSE_CODE, &status);
  head.status = static_cast<int>(status);
  curl_off_t length = -1;
  curl_easy_getinfo(fetch.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  head.length = length;
  long version = CURL_HTTP_VERSION_NONE;
  curl_easy_getinfo(fetch.curl, CURLINFO_HTTP_VERSION, &version);
  const std::string* const coding = head.FindHeader("transfer-encoding");
  head.ends_known = length >= 0 || version >= CURL_HTTP_VERSION_2_0 ||
                    (coding != nullptr && absl::EqualsIgnoreCase(*coding, "chunked"));
  const std::string* const location = head.FindHeader("location");
  if (location != nullptr) head.location = WholeUrl(fetch.request.url, *location);
}

// Returns whether the body is to be read.
bool BeginOnce(Fetching& fetch) {
  if (!fetch.begun) {
    fetch.begun = true;
    CompleteHead(fetch);
    if (IsGood(fetch.head.status) && !fetch.sink.Begin(fetch.head)) fetch.stopped = true;
  }
  return IsGood(fetch.head.status) && !fetch.stopped;
}

// Whether this line ends the head of the answer itself; before that there may be others, 1xx.
bool EndsHead(const Fetching& fetch, std::string_view line) {
  long status = 0;
  curl_easy_getinfo(fetch.curl, CURLINFO_RESPONSE_CODE, &status);
  return (line == "\r\n" || line == "\n") && status >= 200;
}

std::size_t OnFetchedHeader(char* data, std::size_t, std::size_t size, void* user) {
  auto& fetch = *static_cast<Fetching*>(user);
  fetch.header_bytes += size;
  fetch.headers_too_long = fetch.header_bytes > limits::kResponseHeadersMaxBytes;
  if (fetch.headers_too_long) return 0;
  const std::string line(data, size);
  if (line.starts_with("HTTP/")) fetch.head.headers.clear();  // an earlier one was 1xx
  const std::size_t colon = line.find(':');
  // A page about an error is not the file: nobody waits for it, however slowly it comes.
  if (!fetch.begun && EndsHead(fetch, line) && !BeginOnce(fetch)) return 0;
  if (fetch.begun || colon == std::string::npos) return size;  // a trailer, or no header
  Header header{.name = line.substr(0, colon), .value = line.substr(colon + 1)};
  absl::AsciiStrToLower(&header.name);
  absl::StripAsciiWhitespace(&header.name);
  absl::StripAsciiWhitespace(&header.value);
  fetch.head.headers.push_back(std::move(header));
  return size;
}

std::size_t OnFetchedBytes(char* data, std::size_t, std::size_t size, void* user) {
  auto& fetch = *static_cast<Fetching*>(user);
  if (!BeginOnce(fetch)) return 0;
  if (!fetch.sink.Take({data, size})) fetch.stopped = true;
  return fetch.stopped ? 0 : size;
}

int OnFetchProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& fetch = *static_cast<Fetching*>(user);
  if (!fetch.sink.Wanted()) fetch.stopped = true;
  return fetch.stopped ? 1 : 0;
}

curl_socket_t OnFetchSocket(void* user, curlsocktype, curl_sockaddr* to) {
  auto& fetch = *static_cast<Fetching*>(user);
  const Reach reach = fetch.request.loopback ? Reach::kLoopback : Reach::kPublic;
  return OpenGuarded(fetch.through_proxy ? Reach::kAnywhere : reach, *to, fetch.inside);
}

struct Headers {
  curl_slist* list = nullptr;
  ~Headers() { curl_slist_free_all(list); }
  void Add(const std::string& line) {
    if (curl_slist* const longer = curl_slist_append(list, line.c_str())) list = longer;
  }
};

void SetTransfer(CURL* curl, const CurlFetcherOptions& options, const FetchRequest& request) {
  const auto whole_seconds = [](Duration duration) {
    return static_cast<long>(std::chrono::ceil<std::chrono::seconds>(duration).count());
  };
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, request.loopback ? "http,https" : "https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, whole_seconds(limits::kConnectTimeout));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, whole_seconds(options.timeout));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(limits::kFetchLeastBytes));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, whole_seconds(options.stall_timeout));
  curl_easy_setopt(curl, CURLOPT_MAX_RECV_SPEED_LARGE,
                   static_cast<curl_off_t>(options.bytes_per_second));
  if (!options.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH,
                     static_cast<char*>(nullptr));  // it would widen the trust
  }
  // Unset, both would come from the environment.
  curl_easy_setopt(curl, CURLOPT_PROXY, options.proxy.c_str());
  curl_easy_setopt(curl, CURLOPT_NOPROXY, options.proxy.empty() ? "*" : "");
  if (!options.proxy.empty()) curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void SetCallbacks(CURL* curl, Fetching& fetch) {
  void* const user = &fetch;
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnFetchedHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, user);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnFetchedBytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, user);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnFetchProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, user);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OnFetchSocket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, user);
}

}  // namespace

CurlFetcher::CurlFetcher(CurlFetcherOptions options) : options_(std::move(options)) {}

FetchEnd CurlFetcher::Fetch(const FetchRequest& request, FetchSink& sink) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  if (curl == nullptr) {
    return {.problem = "it could not begin", .detail = "libcurl cannot start"};
  }
  Fetching fetch{.request = request,
                 .sink = sink,
                 .curl = curl.get(),
                 .through_proxy = !options_.proxy.empty()};
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, detail.data());
  SetTransfer(curl.get(), options_, request);
  SetCallbacks(curl.get(), fetch);
  Headers headers;
  headers.Add("Accept: */*");
  headers.Add("Accept-Encoding: identity");  // what is stored are the file's own bytes
  if (request.from > 0) {
    // This is not RESUME_FROM, which gives up where a server ignores it.
    curl_easy_setopt(curl.get(), CURLOPT_RANGE, absl::StrCat(request.from, "-").c_str());
    if (!request.validator.empty()) headers.Add("If-Range: " + request.validator);
  }
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.list);
  const CURLcode code = curl_easy_perform(curl.get());

  FetchEnd end;
  if (code == CURLE_OK) BeginOnce(fetch);
  const bool head_alone = fetch.begun && !IsGood(fetch.head.status);
  if (!fetch.stopped && (code == CURLE_OK || head_alone)) {
    end.what = FetchEnd::What::kWhole;
  } else if (fetch.stopped) {
    end.what = FetchEnd::What::kStopped;
  } else if (fetch.inside) {
    end.what = FetchEnd::What::kInside;
  } else {
    end.problem = fetch.headers_too_long ? "the headers are too long" : curl_easy_strerror(code);
    end.detail = detail.front() != '\0' ? detail.data() : end.problem;
  }
  end.head = std::move(fetch.head);
  return end;
}

}  // namespace gateway::http
