#include "upload.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "base/media_type.h"
#include "pictory_jobs/download.h"
#include "transfer.h"
#include "upload_answer.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

using std::chrono::steady_clock;

constexpr long kResumeIncomplete = 308;
constexpr std::size_t kErrorMaxBytes = 16'384;
constexpr long kBufferBytes = 262'144;

std::string ErrnoText() { return std::generic_category().message(errno); }

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// An Exchange is one request and its answer.
struct Exchange {
  const Upload* upload = nullptr;
  steady_clock::time_point give_up;
  std::int64_t first = 0;
  std::int64_t next = 0;  // byte to read
  bool unreadable = false;
  std::string body;
  std::string range;
  long status = 0;
  CURLcode code = CURLE_OK;
  std::string detail;
  std::chrono::seconds asked{0};  // Retry-After

  bool Stopped() const { return upload->stop.stop_requested(); }
  bool TooLate() const { return steady_clock::now() >= give_up; }
};

std::size_t OnRead(char* out, std::size_t, std::size_t room, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const LocalFile& file = *exchange.upload->file;
  const std::int64_t count = std::min(static_cast<std::int64_t>(room), file.size() - exchange.next);
  const std::int64_t got = count > 0 ? file.Read(exchange.next, out, count) : 0;
  if (got < count) {
    exchange.unreadable = true;
    return CURL_READFUNC_ABORT;
  }
  exchange.next += got;
  return static_cast<std::size_t>(got);
}

// libcurl begins the body again where a kept connection turned out to be dead.
int OnSeek(void* user, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  exchange.next = exchange.first + offset;
  return CURL_SEEKFUNC_OK;
}

std::size_t OnBody(char* data, std::size_t, std::size_t size, void* user) {
  std::string& body = static_cast<Exchange*>(user)->body;
  body.append(data, std::min(size, kErrorMaxBytes - std::min(kErrorMaxBytes, body.size())));
  return size;
}

std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view line(data, size);
  if (line.substr(0, 5) == "HTTP/") exchange.range.clear();  // of a 100 Continue
  constexpr std::string_view kRange = "range:";
  if (line.size() > kRange.size() &&
      std::equal(kRange.begin(), kRange.end(), line.begin(), [](char a, char b) {
        return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
      })) {
    std::string_view value = line.substr(kRange.size());
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    exchange.range = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
  }
  return size;
}

int OnSent(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
  const auto& exchange = *static_cast<Exchange*>(user);
  if (exchange.Stopped() || exchange.TooLate()) return 1;
  if (exchange.upload->progress) exchange.upload->progress(exchange.first + sent);
  return 0;
}

// A Request sends the file from `first` on, or, with `ask`, only asks how far it has come.
class Request {
 public:
  explicit Request(CURL* curl) : curl_(curl) {}

  void Perform(Exchange& exchange, bool ask) {
    const Upload& upload = *exchange.upload;
    const std::int64_t size = upload.file->size();
    exchange.next = exchange.first;
    curl_easy_reset(curl_);  // keeps the connection
    AddHeader("Content-Type: " + upload.content_type);
    if (ask) AddHeader(absl::StrCat("Content-Range: bytes */", size));
    if (!ask && exchange.first > 0) {
      AddHeader(absl::StrCat("Content-Range: bytes ", exchange.first, "-", size - 1, "/", size));
    }
    Configure(exchange, ask ? 0 : size - exchange.first);
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, detail);
    exchange.code = curl_easy_perform(curl_);
    curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, nullptr);
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &exchange.status);
    curl_off_t asked = 0;
    curl_easy_getinfo(curl_, CURLINFO_RETRY_AFTER, &asked);
    exchange.asked = std::chrono::seconds(asked);
    exchange.detail = detail;
  }

 private:
  void AddHeader(const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) return;
    (void)headers_.release();  // it is the beginning of the longer one
    headers_.reset(longer);
  }

  void Configure(Exchange& exchange, std::int64_t bytes) {
    const Upload& upload = *exchange.upload;
    Prepare(curl_, upload.url, upload.ca_file);
    curl_easy_setopt(curl_, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(curl_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(bytes));
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(curl_, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
    curl_easy_setopt(curl_, CURLOPT_READFUNCTION, OnRead);
    curl_easy_setopt(curl_, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(curl_, CURLOPT_SEEKFUNCTION, OnSeek);
    curl_easy_setopt(curl_, CURLOPT_SEEKDATA, &exchange);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, OnSent);
    curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, &exchange);
    // Without TLS only this machine is allowed, and no proxy needs to see that.
    if (upload.url.rfind("https://", 0) != 0) curl_easy_setopt(curl_, CURLOPT_NOPROXY, "*");
  }

  CURL* const curl_;
  std::unique_ptr<curl_slist, FreeList> headers_;
};

// The status of an exchange that did not end with an answer that counts.
absl::Status Failure(const Exchange& exchange) {
  const Upload& upload = *exchange.upload;
  if (exchange.Stopped()) return absl::CancelledError("The upload was stopped");
  if (exchange.TooLate()) return absl::DeadlineExceededError("The upload took too long");
  if (exchange.unreadable) {
    return absl::InvalidArgumentError(
        absl::StrCat(upload.file->path(), ": cannot be read to its end"));
  }
  // An answer that came while we were still sending counts more than how the sending ended.
  if (exchange.status >= 400) return RefusedBy(exchange.status, exchange.body);
  if (exchange.code != CURLE_OK) return BrokenOff("The upload", exchange.code, exchange.detail);
  return RefusedBy(exchange.status, exchange.body);
}

// A Sender goes on until the file is whole, each time from where it was, as far as the store is
// able to say.
class Sender {
 public:
  Sender(const Upload& upload, CURL* curl) : upload_(upload), curl_(curl) {
    if (upload.timeout) give_up_ = steady_clock::now() + *upload.timeout;
  }

  absl::Status Run() {
    for (int attempts = 1;; ++attempts) {
      Exchange exchange = Attempt();
      if (whole_) return absl::OkStatus();
      absl::Status failed = Failure(exchange);
      if (!upload_.file->Unchanged()) {
        return absl::InvalidArgumentError(
            absl::StrCat(upload_.file->path(), ": changed while it was uploaded"));
      }
      if (!absl::IsUnavailable(failed)) return failed;
      if (std::exchange(progressed_, false)) fruitless_ = 0;
      if (++fruitless_ >= kUploadFruitlessMax || attempts >= kUploadAttemptsMax) {
        return absl::UnavailableError(absl::StrCat(std::string(failed.message()),
                                                   " (given up after ", attempts, " attempts)"));
      }
      if (upload_.retrying) upload_.retrying(std::string(failed.message()));
      const auto wait = UploadDelay(fruitless_ - 1, upload_.pacing.uniform(), exchange.asked);
      if (!upload_.pacing.wait(wait, upload_.stop)) {
        return absl::CancelledError("The upload was stopped");
      }
    }
  }

 private:
  Exchange Send(bool ask) {
    Exchange exchange;
    exchange.upload = &upload_;
    exchange.give_up = give_up_;
    exchange.first = ask ? 0 : offset_;
    Request(curl_).Perform(exchange, ask);
    return exchange;
  }

  // Makes one attempt: asks, if something may have arrived, then sends the rest.
  Exchange Attempt() {
    if (maybe_sent_) {
      Exchange answer = Send(true);
      if (!TakeAnswer(answer)) return answer;
      if (whole_) return answer;
    }
    Exchange sent = Send(false);
    maybe_sent_ = maybe_sent_ || sent.next > sent.first;
    const bool complete = sent.code == CURLE_OK;
    if (complete && sent.status >= 200 && sent.status < 300) whole_ = true;
    if (complete && sent.status == kResumeIncomplete) {
      sent.code = CURLE_PARTIAL_FILE;
      sent.detail = "the media store did not take all of it";
    }
    return sent;
  }

  // Sets where to go on. False: the question itself failed, and may be asked again.
  bool TakeAnswer(const Exchange& answer) {
    const std::optional<std::int64_t> next = NextByte(answer.range, upload_.file->size());
    if (answer.Stopped() || answer.TooLate()) return false;
    if (answer.code == CURLE_OK && answer.status == kResumeIncomplete && next) {
      resumable_ = true;
      progressed_ = *next > offset_;
      offset_ = *next;
      return true;
    }
    const bool success = answer.status >= 200 && answer.status < 300;
    // This counts only from a store that has shown that it understands the question. Another store
    // took it for an empty file, and the whole one has to follow.
    if (answer.code == CURLE_OK && success && resumable_) {
      whole_ = true;
      return true;
    }
    const bool silent = answer.code != CURLE_OK || absl::IsUnavailable(Failure(answer));
    if (silent && !success) return false;
    offset_ = 0;
    return true;
  }

  const Upload& upload_;
  CURL* const curl_;
  steady_clock::time_point give_up_ = steady_clock::time_point::max();
  std::int64_t offset_ = 0;
  bool maybe_sent_ = false;  // bytes have been sent
  bool resumable_ = false;   // the store has said how far it got
  bool progressed_ = false;  // further than the last time
  bool whole_ = false;
  int fruitless_ = 0;
};

}  // namespace

absl::StatusOr<LocalFile> LocalFile::Open(const std::string& path, bool speech,
                                          const std::string& content_type) {
  const auto wrong = [&path](std::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", std::string(why)));
  };
  LocalFile file;
  file.path_ = path;
  file.name_ = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  // O_NONBLOCK, so as not to hang on a pipe that nobody writes to.
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.fd_ < 0) {
    return wrong(errno == ENOENT ? std::string("no such file")
                                 : absl::StrCat("cannot be read: ", ErrnoText()));
  }
  struct stat info{};
  if (::fstat(file.fd_, &info) != 0) return wrong(ErrnoText());
  if (S_ISDIR(info.st_mode)) return wrong("is a directory");
  if (!S_ISREG(info.st_mode)) return wrong("is no regular file");
  file.size_ = info.st_size;
  file.changed_ns_ = info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec;
  if (file.size_ == 0) return wrong("is empty");
  if (static_cast<std::uint64_t>(file.size_) > gateway::limits::kUploadMaxBytes) {
    return wrong("is larger than 5 GiB, the most one upload may be");
  }
  const std::optional<gateway::MediaType> type = gateway::MediaTypeOf(file.name_);
  if (speech && !(type && type->speech)) {
    return wrong("Pictory transcribes MP4, MOV, AVI, MP3, WAV and M4A files");
  }
  file.content_type_ = !content_type.empty() ? content_type
                       : type                ? std::string(type->content_type)
                                             : "";
  if (file.content_type_.empty()) {
    return wrong("its name does not show what it is; add --content-type, such as video/webm");
  }
  if (!gateway::IsContentType(file.content_type_)) {
    return absl::InvalidArgumentError("--content-type: write a type such as video/webm");
  }
  return file;
}

LocalFile::~LocalFile() {
  if (fd_ >= 0) ::close(fd_);
}

LocalFile::LocalFile(LocalFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      name_(std::move(other.name_)),
      content_type_(std::move(other.content_type_)),
      size_(other.size_),
      changed_ns_(other.changed_ns_) {}

std::int64_t LocalFile::Read(std::int64_t offset, char* out, std::int64_t count) const {
  std::int64_t total = 0;
  while (total < count) {
    const ssize_t got =
        ::pread(fd_, out + total, static_cast<std::size_t>(count - total), offset + total);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    total += got;
  }
  return total;
}

bool LocalFile::Unchanged() const {
  struct stat info{};
  return ::fstat(fd_, &info) == 0 && info.st_size == size_ &&
         info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec == changed_ns_;
}

absl::Status SendFile(const Upload& upload) {
  // The rule of downloads holds here too; a user name in the URL would be a credential to send
  // along.
  if (!MayAsk(upload.url, upload.gateway_is_here) ||
      upload.url.find('@') < upload.url.find('/', 8)) {
    return absl::InvalidArgumentError(
        "Not uploaded: the gateway named a place that is neither https nor the sandbox's on this "
        "machine");
  }
  const Curl curl(curl_easy_init());
  if (!curl) return absl::InternalError("libcurl cannot start");
  absl::Status status = Sender(upload, curl.get()).Run();
  if (status.ok() && !upload.file->Unchanged()) {
    return absl::InvalidArgumentError(
        absl::StrCat(upload.file->path(), ": changed while it was uploaded"));
  }
  return status;
}

}  // namespace pictory_jobs::cli
