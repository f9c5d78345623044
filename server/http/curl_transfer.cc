#include "http/curl_transfer.h"

#include <algorithm>
#include <climits>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "http/guarded_socket.h"

namespace gateway::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Rounds up, because libcurl truncates, and reads 0 as "for ever".
long Milliseconds(Duration duration) {
  const auto rounded = std::chrono::ceil<milliseconds>(
      std::clamp(duration, Duration(milliseconds(1)), Duration(std::chrono::hours(24))));
  return static_cast<long>(rounded.count());
}

long Seconds(Duration duration) {
  return static_cast<long>(
      std::max<Duration::rep>(1, std::chrono::ceil<seconds>(duration).count()));
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// Cleans what libcurl says, because that may quote what Pictory said.
std::string Readable(std::string text) {
  if (text.size() > limits::kUpstreamTextMaxBytes) text.resize(limits::kUpstreamTextMaxBytes);
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

// Doubling would keep up to three times a large body in memory while it grows: beyond a small size,
// all that the body may have is reserved at once. What is never written to costs no memory.
void Append(std::string& body, std::string_view more, std::size_t limit) {
  const std::size_t size = body.size() + more.size();
  if (size > body.capacity() && size > limits::kMiB) body.reserve(std::max(size, limit));
  body.append(more);
}

// "HTTP/1.1 200 OK" -> 200; 0 if it is none.
int ParseStatus(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || space + 4 > line.size()) return 0;
  int status = 0;
  for (char c : line.substr(space + 1, 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return status;
}

}  // namespace

Response NotSent(std::string error, bool crowded) {
  Response response;
  response.outcome = Response::Outcome::kNotSent;
  response.crowded = crowded;
  response.error = std::move(error);
  return response;
}

absl::StatusOr<std::unique_ptr<CurlTransfer>> CurlTransfer::Create(
    const CurlTransportOptions& options, Lane lane) {
  std::unique_ptr<CurlTransfer> transfer(new CurlTransfer(options, lane));
  if (transfer->handle_ == nullptr) return absl::ResourceExhaustedError("libcurl: out of memory");
  transfer->SetTransport();
  transfer->SetSecurity();
  transfer->SetCallbacks();
  if (transfer->setup_ != CURLE_OK) {
    return absl::InternalError(absl::StrCat("this libcurl refuses an option we rely on: ",
                                            curl_easy_strerror(transfer->setup_)));
  }
  return transfer;
}

CurlTransfer::CurlTransfer(const CurlTransportOptions& options, Lane lane)
    : options_(options), lane_(lane), handle_(curl_easy_init()) {}

CurlTransfer::~CurlTransfer() { curl_easy_cleanup(handle_); }

CurlTransfer* CurlTransfer::Of(CURL* handle) {
  char* self = nullptr;
  curl_easy_getinfo(handle, CURLINFO_PRIVATE, &self);
  return reinterpret_cast<CurlTransfer*>(self);
}

template <typename T>
void CurlTransfer::Set(CURLoption option, T value) {
  const CURLcode rc = curl_easy_setopt(handle_, option, value);
  if (rc != CURLE_OK && setup_ == CURLE_OK) setup_ = rc;
}

void CurlTransfer::SetTransport() {
  const bool tls = absl::StartsWith(options_.base_url, "https://");
  const bool paid = lane_ == Lane::kPaid;
  Set(CURLOPT_NOSIGNAL, 1L);
  Set(CURLOPT_PATH_AS_IS, 1L);
  Set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  Set(CURLOPT_ACCEPT_ENCODING, "");  // all that libcurl can decode
  // One connection for one paid request leaves nothing to multiplex. In the clear HTTP/2 would
  // need prior knowledge, which libcurl 7.88 breaks on every reused connection.
  Set(CURLOPT_HTTP_VERSION,
      static_cast<long>(tls && !paid ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  Set(CURLOPT_PIPEWAIT, 0L);
  Set(CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(options_.connect_timeout));
  Set(CURLOPT_TCP_NODELAY, 1L);
  Set(CURLOPT_TCP_KEEPALIVE, 1L);
  Set(CURLOPT_TCP_KEEPIDLE, 15L);
  Set(CURLOPT_TCP_KEEPINTVL, 5L);
  Set(CURLOPT_DNS_CACHE_TIMEOUT, 60L);
  // Ending a transfer that still looks up a name must not wait for the resolver's thread.
  Set(CURLOPT_QUICK_EXIT, 1L);
  Set(CURLOPT_MAXAGE_CONN, Seconds(limits::kConnectionMaxIdle));
  Set(CURLOPT_MAXLIFETIME_CONN, Seconds(limits::kConnectionMaxLife));
  const bool fresh = paid && (options_.paid_guards == PaidGuards::kBoth ||
                              options_.paid_guards == PaidGuards::kFreshConnectionOnly);
  Set(CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
  Set(CURLOPT_FORBID_REUSE, fresh ? 1L : 0L);
  // Unset, both would come from the environment.
  Set(CURLOPT_PROXY, options_.proxy.c_str());
  Set(CURLOPT_NOPROXY, options_.proxy.empty() ? "*" : "");
  if (!options_.proxy.empty()) {
    // Else a proxy's own answer to a plain request would pass for Pictory's.
    Set(CURLOPT_HTTPPROXYTUNNEL, 1L);
    Set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  }
}

void CurlTransfer::SetSecurity() {
  const bool tls = absl::StartsWith(options_.base_url, "https://");
  Set(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
  Set(CURLOPT_REDIR_PROTOCOLS_STR, "https");
  Set(CURLOPT_FOLLOWLOCATION, 0L);
  Set(CURLOPT_MAXREDIRS, 0L);
  Set(CURLOPT_UNRESTRICTED_AUTH, 0L);
  Set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  Set(CURLOPT_HTTP09_ALLOWED, 0L);
  Set(CURLOPT_SSL_VERIFYPEER, 1L);
  Set(CURLOPT_SSL_VERIFYHOST, 2L);
  Set(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
  Set(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
  Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // The system's directory of certificates goes: beside a configured file it would widen the trust,
  // and beside the system's own bundle it keeps libcurl from parsing that only once (it does not
  // cache a store that has a directory), which every fresh connection would pay for.
  const char* const system_file = curl_version_info(CURLVERSION_NOW)->cainfo;
  if (!options_.ca_file.empty()) Set(CURLOPT_CAINFO, options_.ca_file.c_str());
  if (!options_.ca_file.empty() || system_file != nullptr) {
    Set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
}

void CurlTransfer::SetCallbacks() {
  Set(CURLOPT_PRIVATE, static_cast<void*>(this));
  Set(CURLOPT_ERRORBUFFER, curl_error_.data());
  Set(CURLOPT_PREREQFUNCTION, &CurlTransfer::OnBeforeSend);
  Set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  Set(CURLOPT_HEADERFUNCTION, &CurlTransfer::OnHeader);
  Set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  Set(CURLOPT_WRITEFUNCTION, &CurlTransfer::OnBody);
  Set(CURLOPT_WRITEDATA, static_cast<void*>(this));
}

CURLcode CurlTransfer::Begin(PendingRequest pending) {
  pending_ = std::move(pending);
  const Request& request = pending_.request;
  response_ = Response();
  sends_ = 0;
  header_bytes_ = 0;
  headers_complete_ = false;
  curl_error_[0] = '\0';
  setup_ = CURLE_OK;
  SetUrl(request);
  Set(CURLOPT_TIMEOUT_MS, Milliseconds(request.timeout));
  Set(CURLOPT_LOW_SPEED_LIMIT, 0L);
  Set(CURLOPT_LOW_SPEED_TIME, 0L);
  SetMethod(request);
  SetHeaders(request);
  return setup_;
}

void CurlTransfer::SetUrl(const Request& request) {
  if (request.url.empty()) {
    Set(CURLOPT_URL, absl::StrCat(options_.base_url, request.path).c_str());
    return;
  }
  Set(CURLOPT_URL, request.url.c_str());
  Set(CURLOPT_PROTOCOLS_STR, request.reach == Reach::kLoopback ? "http,https" : "https");
  Set(CURLOPT_OPENSOCKETFUNCTION, &CurlTransfer::OnOpenSocket);
  Set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
}

// A proxy's address is not where the URL leads.
curl_socket_t CurlTransfer::OnOpenSocket(void* self, curlsocktype, curl_sockaddr* to) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const bool proxied = !transfer.options_.proxy.empty();
  return OpenGuarded(proxied ? Reach::kAnywhere : transfer.pending_.request.reach, *to,
                     transfer.response_.inside);
}

void CurlTransfer::SetMethod(const Request& request) {
  const std::string& method = request.method;
  const bool has_body =
      request.body != nullptr || method == "POST" || method == "PUT" || method == "PATCH";
  // POSTFIELDS also selects POST, so the order matters: back to GET after it is cleared.
  Set(CURLOPT_POSTFIELDS, static_cast<char*>(nullptr));
  Set(CURLOPT_CUSTOMREQUEST, static_cast<char*>(nullptr));
  Set(CURLOPT_HTTPGET, 1L);
  if (has_body) {
    const std::size_t size = request.body == nullptr ? 0 : request.body->size();
    Set(CURLOPT_POST, 1L);
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
    Set(CURLOPT_POSTFIELDS, size == 0 ? "" : request.body->data());
    if (method != "POST") Set(CURLOPT_CUSTOMREQUEST, method.c_str());
  } else if (method == "HEAD") {
    Set(CURLOPT_NOBODY, 1L);
  } else if (method != "GET") {
    Set(CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

void CurlTransfer::SetHeaders(const Request& request) {
  if (header_list_ != nullptr && listed_ == request.headers)
    return;  // polls differ in their paths only
  header_list_.reset();
  AddHeaderLine("Expect:");  // a body is sent at once, whatever its size
  bool has_type = false;
  for (const Header& header : request.headers) {
    has_type = has_type || absl::EqualsIgnoreCase(header.name, "content-type");
    // "Name:" would take a header away; this is how libcurl spells an empty one.
    const bool empty = Trim(header.value).empty();
    AddHeaderLine(empty ? absl::StrCat(header.name, ";")
                        : absl::StrCat(header.name, ": ", header.value));
  }
  if (!has_type) AddHeaderLine("Content-Type:");  // libcurl would claim a web form
  Set(CURLOPT_HTTPHEADER, header_list_.get());
  if (setup_ == CURLE_OK) {
    listed_ = request.headers;
  } else {
    header_list_.reset();  // it may lack some
    Set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  }
}

void CurlTransfer::AddHeaderLine(const std::string& line) {
  curl_slist* const longer = curl_slist_append(header_list_.get(), line.c_str());
  if (longer == nullptr) {
    setup_ = CURLE_OUT_OF_MEMORY;
    return;
  }
  header_list_.release();
  header_list_.reset(longer);
}

FinishedRequest CurlTransfer::Finish(CURLcode verdict) {
  if (verdict == CURLE_OK && sends_ > 0) {
    response_.outcome = Response::Outcome::kComplete;
    return Conclude();
  }
  // If a callback of ours ended the transfer, its reason is more precise than libcurl's.
  std::string reason = std::move(response_.error);
  if (reason.empty()) {
    reason = Readable(curl_error_[0] != '\0' ? curl_error_.data() : curl_easy_strerror(verdict));
  }
  response_.timed_out = verdict == CURLE_OPERATION_TIMEDOUT && sends_ > 0;
  return Abandon(std::move(reason));
}

FinishedRequest CurlTransfer::Abandon(std::string reason) {
  response_.outcome = sends_ > 0 ? Response::Outcome::kUnknown : Response::Outcome::kNotSent;
  response_.error = std::move(reason);
  return Conclude();
}

FinishedRequest CurlTransfer::Conclude() {
  // libcurl must not be left with a pointer to what goes now.
  curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, nullptr);
  response_.repeats = std::max(0, sends_ - 1);
  FinishedRequest finished{std::move(pending_.done), std::move(response_)};
  pending_ = PendingRequest();
  response_ = Response();
  return finished;
}

long CurlTransfer::connections_opened() const {
  long opened = 0;
  curl_easy_getinfo(handle_, CURLINFO_NUM_CONNECTS, &opened);
  return opened;
}

int CurlTransfer::MostSends() const {
  if (lane_ == Lane::kRead) return limits::kReadSendsMax;
  const PaidGuards guards = options_.paid_guards;
  const bool once = guards == PaidGuards::kBoth || guards == PaidGuards::kSingleSendOnly;
  return once ? 1 : std::numeric_limits<int>::max();
}

// Is called when a connection stands and the request is about to be written to it. If it was never
// called, nothing was written; if it is called again, libcurl repeats a request that died on a
// reused connection.
int CurlTransfer::OnBeforeSend(void* self, char*, char*, int, int) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::function<bool()>& may_repeat = transfer.pending_.request.may_repeat;
  if (transfer.sends_ == transfer.MostSends() ||
      (transfer.sends_ > 0 && may_repeat && !may_repeat())) {
    transfer.response_.error = "the connection died after the request was sent; not sent again";
    return CURL_PREREQFUNC_ABORT;
  }
  const std::function<bool()>& may_send = transfer.pending_.request.may_send;
  if (transfer.sends_ == 0 && may_send && !may_send()) {
    transfer.response_.error = "it was held up for too long to be sent";
    return CURL_PREREQFUNC_ABORT;
  }
  ++transfer.sends_;
  return CURL_PREREQFUNC_OK;
}

std::size_t CurlTransfer::OnHeader(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  transfer.header_bytes_ += size * count;
  if (transfer.header_bytes_ > limits::kResponseHeadersMaxBytes) {
    transfer.response_.error =
        absl::StrCat("the response headers exceed ", limits::kResponseHeadersMaxBytes, " bytes");
    return 0;
  }
  transfer.TakeHeaderLine(std::string_view(data, size * count));
  return size * count;
}

void CurlTransfer::TakeHeaderLine(std::string_view line) {
  if (headers_complete_) return;
  std::vector<Header>& headers = response_.headers;
  if (line.substr(0, 5) == "HTTP/") {
    headers.clear();
    const int status = ParseStatus(line);
    response_.status = status >= 200 ? status : 0;  // 1xx announces another
    if (response_.status != 0) {
      Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
      Set(CURLOPT_LOW_SPEED_TIME, Seconds(options_.stall_timeout));
    }
    return;
  }
  const std::string_view text = Trim(line);
  if (text.empty()) {
    headers_complete_ = response_.status != 0;
    if (!headers_complete_) headers.clear();
    return;
  }
  if ((line.front() == ' ' || line.front() == '\t') && !headers.empty()) {  // a folded line
    headers.back().value.append(" ").append(text);
    return;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(Trim(text.substr(0, colon)));
  absl::AsciiStrToLower(&name);
  headers.push_back({std::move(name), std::string(Trim(text.substr(colon + 1)))});
}

std::size_t CurlTransfer::OnBody(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::size_t bytes = size * count;
  const std::size_t limit = transfer.pending_.request.max_body_bytes;
  std::string& body = transfer.response_.body;
  const std::size_t announced = body.empty() ? transfer.AnnouncedBytes() : 0;
  const std::size_t room = limit - std::min(limit, body.size());
  // All of the body's memory is reserved at once, or it would be copied each time it grows.
  if (announced <= limit) body.reserve(announced);
  Append(body, {data, std::min(bytes, room)}, limit);
  if (bytes <= room && announced <= limit) return bytes;
  transfer.response_.error = absl::StrCat("the response body exceeds ", limit, " bytes");
  transfer.response_.longer_than_bytes = limit;
  return 0;
}

// The length of the body as the head tells it; 0 if the head does not, or tells only that of the
// encoded body.
std::size_t CurlTransfer::AnnouncedBytes() const {
  if (response_.FindHeader("content-encoding") != nullptr) return 0;
  curl_off_t length = -1;
  curl_easy_getinfo(handle_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return length > 0 ? static_cast<std::size_t>(length) : 0;
}

}  // namespace gateway::http
