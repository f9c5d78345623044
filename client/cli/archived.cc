#include "archived.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/sha256.h"
#include "partial.h"

namespace pictory_jobs::cli {
namespace {

namespace fs = std::filesystem;

absl::Status NotTheSame() {
  return absl::DataLossError("The file is not the one that was archived; fetch it again");
}

std::int64_t SizeOf(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

std::string HashOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  gateway::Sha256Stream digest;
  std::string bytes(std::size_t{1} << 20, '\0');
  while (file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) || file.gcount() > 0) {
    digest.Append(std::string_view(bytes).substr(0, static_cast<std::size_t>(file.gcount())));
  }
  return absl::BytesToHexString(digest.Finish());
}

// Appends to the partial file what it lacks.
absl::Status Append(const Client& client, const CallOptions& call, const Job& job,
                    const v1::ArchivedFile& file, const Download& download) {
  std::int64_t had = SizeOf(download.partial);
  if (absl::Status room = CheckRoom(download.partial, file.bytes() - had); !room.ok()) return room;
  std::ofstream out(download.partial, std::ios::binary | std::ios::app);
  if (!out) return absl::InvalidArgumentError(download.partial + ": cannot be written");
  bool written = true;
  const auto sink = [&](std::string_view piece, std::int64_t total) {
    written =
        static_cast<bool>(out.write(piece.data(), static_cast<std::streamsize>(piece.size())));
    had += static_cast<std::int64_t>(piece.size());
    if (download.progress) download.progress(had, total);
    return written;
  };
  const absl::Status read =
      client.ReadArchivedFile(job.job_id(), file.name(), sink, had, call).status();
  out.close();
  if (!written || !out) return absl::InvalidArgumentError(download.partial + ": cannot be written");
  return read;
}

}  // namespace

const v1::ArchivedFile* FindArchived(const Job& job, const std::string& name) {
  for (const v1::ArchivedFile& file : job.archive().files()) {
    const bool main = file.field() == "video_url" || file.field() == "url";
    const bool asked = name.empty() ? main : file.name() == name;
    if (asked && file.state() == v1::ARCHIVE_STATE_ARCHIVED) return &file;
  }
  return nullptr;
}

absl::Status FetchArchived(const Client& client, const CallOptions& call, const Job& job,
                           const v1::ArchivedFile& file, const Download& asked) {
  if (file.bytes() > asked.max_bytes) return TooLong(asked);
  const Partial partial(asked.partial);
  Download download = asked;
  download.partial = partial.path();
  if (SizeOf(download.partial) > file.bytes()) partial.Empty();
  if (absl::Status read = Append(client, call, job, file, download); !read.ok()) return read;
  if (SizeOf(download.partial) != file.bytes() || HashOf(download.partial) != file.sha256()) {
    std::error_code ignored;
    fs::remove(download.partial, ignored);
    return NotTheSame();
  }
  std::error_code error;
  fs::rename(download.partial, download.path, error);
  if (!error) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(download.path, ": ", error.message()));
}

absl::Status StreamArchived(const Client& client, const CallOptions& call, const Job& job,
                            const v1::ArchivedFile& file, const Download& download) {
  if (file.bytes() > download.max_bytes) return TooLong(download);
  std::int64_t done = 0;
  gateway::Sha256Stream digest;
  const auto sink = [&](std::string_view piece, std::int64_t total) {
    done += static_cast<std::int64_t>(piece.size());
    digest.Append(piece);
    if (download.progress) download.progress(done, total);
    return download.sink(piece);
  };
  const absl::Status read =
      client.ReadArchivedFile(job.job_id(), file.name(), sink, 0, call).status();
  if (!read.ok() || absl::BytesToHexString(digest.Finish()) == file.sha256()) return read;
  return NotTheSame();
}

}  // namespace pictory_jobs::cli
