#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "http/server_message.h"

namespace gateway::http {
namespace {

class TextSource final : public BodySource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  std::uint64_t size() const override { return text_.size(); }
  bool Read(std::uint64_t offset, char* out, std::size_t count) override {
    std::memcpy(out, text_.data() + offset, count);
    return true;
  }

 private:
  std::string text_;
};

class StaticSource final : public BodySource {
 public:
  explicit StaticSource(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  bool Read(std::uint64_t offset, char* out, std::size_t count) override {
    std::memcpy(out, bytes_.data() + offset, count);
    return true;
  }

 private:
  std::string_view bytes_;
};

class FileSource final : public BodySource {
 public:
  FileSource(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  ~FileSource() override { ::close(fd_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::uint64_t size() const override { return size_; }
  bool Read(std::uint64_t offset, char* out, std::size_t count) override {
    while (count > 0) {
      const ssize_t got = ::pread(fd_, out, count, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;  // truncated under us
      offset += static_cast<std::uint64_t>(got);
      out += got;
      count -= static_cast<std::size_t>(got);
    }
    return true;
  }

 private:
  const int fd_;
  const std::uint64_t size_;
};

class RepeatingSource final : public BodySource {
 public:
  RepeatingSource(std::string head, std::string pattern, std::string tail, std::uint64_t total)
      : head_(std::move(head)),
        pattern_(std::move(pattern)),
        tail_(std::move(tail)),
        total_(std::max<std::uint64_t>(total, head_.size() + tail_.size())) {}

  std::uint64_t size() const override { return total_; }
  bool Read(std::uint64_t offset, char* out, std::size_t count) override {
    const std::uint64_t tail_at = total_ - tail_.size();
    for (std::size_t i = 0; i < count; ++i, ++offset) {
      if (offset < head_.size()) {
        out[i] = head_[offset];
      } else if (offset >= tail_at) {
        out[i] = tail_[offset - tail_at];
      } else {
        out[i] = pattern_[(offset - head_.size()) % pattern_.size()];
      }
    }
    return true;
  }

 private:
  const std::string head_, pattern_, tail_;
  const std::uint64_t total_;
};

}  // namespace

std::shared_ptr<BodySource> TextBody(std::string text) {
  return std::make_shared<TextSource>(std::move(text));
}

std::shared_ptr<BodySource> StaticBody(std::string_view bytes) {
  return std::make_shared<StaticSource>(bytes);
}

absl::StatusOr<std::shared_ptr<BodySource>> FileBody(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return absl::NotFoundError("cannot open " + path.string() + ": " + std::strerror(errno));
  }
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return absl::NotFoundError(path.string() + " is not a regular file");
  }
  return std::make_shared<FileSource>(fd, static_cast<std::uint64_t>(info.st_size));
}

std::shared_ptr<BodySource> RepeatingBody(std::string head, std::string pattern, std::string tail,
                                          std::uint64_t total) {
  if (pattern.empty()) pattern = " ";
  return std::make_shared<RepeatingSource>(std::move(head), std::move(pattern), std::move(tail),
                                           total);
}

ServerResponse TextResponse(int status, std::string_view content_type, std::string text) {
  ServerResponse response;
  response.status = status;
  response.headers.push_back({"Content-Type", std::string(content_type)});
  response.body = TextBody(std::move(text));
  return response;
}

}  // namespace gateway::http
