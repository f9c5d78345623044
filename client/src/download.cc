#include "pictory_jobs/download.h"

#include <curl/curl.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/host_port.h"
#include "base/inside_address.h"
#include "partial.h"
#include "transfer.h"

namespace pictory_jobs {
namespace {

constexpr long kRedirectsMax = 5;
constexpr long kPartialContent = 206;
constexpr long kRangeNotSatisfiable = 416;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

struct Transfer {
  const Download* download = nullptr;
  CURL* curl = nullptr;
  std::FILE* file = nullptr;
  bool streams = false;  // to the sink, and there is no file
  std::int64_t had = 0;  // bytes of an earlier attempt
  bool first = true;
  bool write_failed = false;
  std::string version;      // what the file has the beginning of, by its validator
  bool misplaced = false;   // the server goes on somewhere else, or with another version
  bool too_large = false;   // for max_bytes
  bool led_inside = false;  // by a redirect
  absl::Status room;        // on the disk
  std::int64_t got = 0;     // bytes of this attempt
  std::int64_t total = -1;  // of the whole file, if the server tells
};

std::string Megabytes(std::uintmax_t bytes) { return absl::StrCat(bytes / 1'000'000, " MB"); }

std::string HeaderOf(CURL* curl, const char* name) {
  curl_header* header = nullptr;
  if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return "";
  return header->value;
}

// The validator that tells this version of the file from another. A weak ETag does not count,
// because the bytes must be the same.
std::string ValidatorOf(CURL* curl) {
  const std::string tag = HeaderOf(curl, "etag");
  if (!tag.empty() && tag.rfind("W/", 0) != 0) return tag;
  return HeaderOf(curl, "last-modified");
}

// The file beside the partial one. It holds the validator of the version that the partial file is
// the beginning of.
std::string ValidatorFile(const Download& download) { return download.partial + ".version"; }

std::string KnownValidator(const Download& download) {
  std::string line;
  std::ifstream file(ValidatorFile(download));
  std::getline(file, line);
  return line;
}

void Forget(const Download& download) {
  std::error_code ignored;
  std::filesystem::remove(ValidatorFile(download), ignored);
}

void Remember(const Download& download, const std::string& validator) {
  if (validator.empty()) return Forget(download);
  std::ofstream(ValidatorFile(download)) << validator << '\n';
}

// Reads "bytes 5-9/10": where a partial answer begins, and how long the whole is (-1: not told).
bool ReadRange(const std::string& range, std::int64_t& from, std::int64_t& total) {
  long long first = 0, last = 0, all = -1;
  const int read = std::sscanf(range.c_str(), "bytes %lld-%lld/%lld", &first, &last, &all);
  from = first;
  total = read == 3 ? all : -1;
  return read >= 2;
}

// Whether the bytes that are announced have a place, and are not too many. What is not announced is
// seen as it comes.
bool Fits(Transfer& transfer) {
  curl_off_t announced = -1;
  curl_easy_getinfo(transfer.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  transfer.too_large =
      transfer.had + std::max<curl_off_t>(announced, 0) > transfer.download->max_bytes;
  if (transfer.too_large || announced <= 0 || transfer.streams) return !transfer.too_large;
  transfer.room = CheckRoom(transfer.download->partial, announced);
  return transfer.room.ok();
}

// Takes the first bytes of an answer. If the answer does not go on where the file ends, it must be
// the whole.
bool Begin(Transfer& transfer, long status) {
  transfer.first = false;
  if (status == kPartialContent) {
    std::int64_t from = 0;
    const bool told = ReadRange(HeaderOf(transfer.curl, "content-range"), from, transfer.total);
    transfer.misplaced =
        !told || from != transfer.had || ValidatorOf(transfer.curl) != transfer.version;
    return !transfer.misplaced;
  }
  // The old bytes go before the new validator comes: whatever stops this between the two, no
  // validator stands beside the bytes of another version.
  Forget(*transfer.download);
  if (transfer.had > 0) {
    transfer.file = std::freopen(transfer.download->partial.c_str(), "wb", transfer.file);
    transfer.had = 0;
  }
  Remember(*transfer.download, ValidatorOf(transfer.curl));
  return true;
}

// The first bytes tell whether the server goes on where we asked, or begins anew.
std::size_t OnBytes(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  long status = 0;
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 300) return size;  // an error's page is not the video
  if (transfer.got == 0 && transfer.streams && !Fits(transfer)) return 0;
  transfer.got += static_cast<std::int64_t>(size);
  if (transfer.file == nullptr && transfer.streams) {
    transfer.too_large = transfer.got > transfer.download->max_bytes;
    if (transfer.too_large) return 0;
    transfer.write_failed = !transfer.download->sink({data, size});
    return transfer.write_failed ? 0 : size;
  }
  if (transfer.first && (!Begin(transfer, status) || !Fits(transfer))) return 0;
  transfer.too_large = transfer.had + transfer.got > transfer.download->max_bytes;
  if (transfer.too_large) return 0;
  if (transfer.file == nullptr || std::fwrite(data, 1, size, transfer.file) != size) {
    transfer.write_failed = true;
    return 0;
  }
  return size;
}

// A proxy of the environment is inside by right, and looks up names itself.
bool UsesProxy() {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return true;
  }
  return false;
}

// Opens no connection to an inside address where a redirect leads.
curl_socket_t OnConnect(void* user, curlsocktype, curl_sockaddr* to) {
  auto& transfer = *static_cast<Transfer*>(user);
  long redirects = 0;
  curl_easy_getinfo(transfer.curl, CURLINFO_REDIRECT_COUNT, &redirects);
  if (redirects > 0 && !UsesProxy()) {
    char host[NI_MAXHOST] = "";
    getnameinfo(&to->addr, to->addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
    transfer.led_inside = gateway::IsInsideAddress(host);
    if (transfer.led_inside) return CURL_SOCKET_BAD;
  }
  return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

int OnFetched(void* user, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  const auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.download->stop.stop_requested()) return 1;
  if (transfer.download->progress) {
    transfer.download->progress(transfer.had + done, total > 0 ? transfer.had + total : 0);
  }
  return 0;
}

absl::Status FileError(const std::string& path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": cannot be written: ", std::strerror(errno)));
}

void Configure(CURL* curl, Transfer& transfer, const std::string& range, curl_slist* headers) {
  Prepare(curl, transfer.download->url, transfer.download->ca_file);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                   static_cast<long>(transfer.download->silence.count()));
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OnConnect);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kRedirectsMax);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnFetched);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  // This is not RESUME_FROM, which gives up where a server ignores it.
  if (!range.empty()) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
}

// The status of a transfer that ended; 416 says that the partial file is no beginning of this
// video.
absl::Status Outcome(const Transfer& transfer, CURLcode code, long status, const char* detail) {
  if (transfer.download->stop.stop_requested())
    return absl::CancelledError("The download was stopped");
  if (transfer.write_failed && transfer.streams) return absl::CancelledError("Nobody reads it");
  if (transfer.write_failed) return FileError(transfer.download->partial);
  if (transfer.too_large) return TooLong(*transfer.download);
  if (!transfer.room.ok()) return transfer.room;
  if (transfer.led_inside) {
    return absl::FailedPreconditionError(
        "Not followed: the video's server leads to an inside address");
  }
  if (transfer.misplaced) return absl::OutOfRangeError("The server goes on at another place");
  if (code != CURLE_OK) return BrokenOff("The download", code, detail);
  if (status == 200 || status == kPartialContent) return absl::OkStatus();
  if (status == kRangeNotSatisfiable) return absl::OutOfRangeError("The partial file does not fit");
  const std::string what = absl::StrCat("The video's server answered HTTP ", status);
  if (status == 404 || status == 410) return absl::NotFoundError(what);
  if (status == 403) return absl::FailedPreconditionError(what + "; the URL may have expired");
  return status >= 500 || status == 429 ? absl::UnavailableError(what)
                                        : absl::FailedPreconditionError(what);
}

absl::Status Stream(const Download& download) {
  Transfer transfer;
  transfer.download = &download;
  transfer.streams = true;
  const Curl curl(curl_easy_init());
  if (!curl) return absl::InternalError("libcurl cannot start");
  transfer.curl = curl.get();
  char detail[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, detail);
  Configure(curl.get(), transfer, "", nullptr);
  const CURLcode code = curl_easy_perform(curl.get());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return Outcome(transfer, code, status, detail);
}

absl::Status CheckUrl(const Download& download) {
  if (MayAsk(download.url, download.gateway_is_here)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "Not downloaded, because it is neither https nor the sandbox's on this machine: ",
      absl::CHexEscape(download.url)));
}

absl::Status Attempt(const Download& download) {
  Transfer transfer;
  transfer.download = &download;
  std::error_code ignored;
  const auto size = std::filesystem::file_size(download.partial, ignored);
  if (!ignored) transfer.version = KnownValidator(download);
  // Without a validator nothing tells whether the server still has the same video.
  if (!transfer.version.empty()) transfer.had = static_cast<std::int64_t>(size);
  File file(std::fopen(download.partial.c_str(), transfer.had > 0 ? "ab" : "wb"));
  if (!file) return FileError(download.partial);
  transfer.file = file.get();
  const Curl curl(curl_easy_init());
  if (!curl) return absl::InternalError("libcurl cannot start");
  transfer.curl = curl.get();
  char detail[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, detail);
  // A video that was made anew meanwhile is then sent whole.
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      transfer.had == 0 ? nullptr
                        : curl_slist_append(nullptr, ("If-Range: " + transfer.version).c_str()),
      curl_slist_free_all);
  Configure(curl.get(), transfer, transfer.had > 0 ? absl::StrCat(transfer.had, "-") : "",
            headers.get());
  const CURLcode code = curl_easy_perform(curl.get());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  // An answer without a byte is an answer too, and not the end of what was there.
  if (transfer.first && code == CURLE_OK && (status == 200 || status == kPartialContent)) {
    Begin(transfer, status);
    transfer.write_failed = transfer.file == nullptr;
  }
  if (transfer.file == nullptr) file.release();  // freopen closed it
  const absl::Status outcome = Outcome(transfer, code, status, detail);
  if (transfer.too_large) {  // nothing to go on with
    std::filesystem::remove(download.partial, ignored);
    Forget(download);
  }
  if (!outcome.ok()) return outcome;
  if (std::fclose(file.release()) != 0) return FileError(download.partial);
  std::error_code error;
  const auto now = static_cast<std::int64_t>(std::filesystem::file_size(download.partial, error));
  if (error || (transfer.total >= 0 && now != transfer.total)) {
    return absl::OutOfRangeError("The file does not have the length the server told");
  }
  std::filesystem::rename(download.partial, download.path, error);
  if (error) return absl::InvalidArgumentError(absl::StrCat(download.path, ": ", error.message()));
  Forget(download);
  return absl::OkStatus();
}

}  // namespace

bool MayAsk(const std::string& url, bool gateway_is_here) {
  if (url.rfind("https://", 0) == 0) return true;
  if (!gateway_is_here) return false;
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), curl_url_cleanup);
  char* host = nullptr;
  if (url.rfind("http://", 0) != 0 ||
      curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parts.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) {
    return false;
  }
  const std::unique_ptr<char, decltype(&curl_free)> owned(host, curl_free);
  const std::string_view name(host);
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]";
}

bool IsHere(const std::string& server) {
  if (server.rfind("unix:", 0) == 0) return true;
  constexpr std::string_view kDns = "dns:///";
  const auto address =
      gateway::ParseHostPort(server.rfind(kDns, 0) == 0 ? server.substr(kDns.size()) : server);
  return address.ok() && address->IsLoopback();
}

absl::Status CheckRoom(const std::string& path, std::int64_t bytes) {
  std::error_code unknown;
  const auto space = std::filesystem::space(std::filesystem::absolute(path).parent_path(), unknown);
  if (unknown || space.available >= static_cast<std::uintmax_t>(bytes)) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("No room: the file needs ", Megabytes(static_cast<std::uintmax_t>(bytes)),
                   " and ", Megabytes(space.available), " are free"));
}

absl::Status TooLong(const Download& download) {
  return absl::FailedPreconditionError(absl::StrCat(
      "The file has more than ", Megabytes(static_cast<std::uintmax_t>(download.max_bytes)),
      "; a larger max_bytes (--max-mib) allows more"));
}

absl::Status FetchFile(const Download& asked) {
  if (absl::Status allowed = CheckUrl(asked); !allowed.ok()) return allowed;
  const Partial partial(asked.partial.empty() ? asked.path + ".part" : asked.partial);
  Download download = asked;
  download.partial = partial.path();
  absl::Status status = Attempt(download);
  if (absl::IsOutOfRange(status)) {
    partial.Empty();
    Forget(download);
    status = Attempt(download);
  }
  if (partial.is_own()) Forget(download);
  return status;
}

absl::Status StreamFile(const Download& download) {
  if (absl::Status allowed = CheckUrl(download); !allowed.ok()) return allowed;
  return Stream(download);
}

}  // namespace pictory_jobs
