// These functions make the request of a submit from a command line and its files, as far as all
// submits are alike; the rest is in submit_commands.h. They are pure but for the Files they are
// given.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "invocation.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

// Where files come from. `read` takes `-` for stdin; its errors name the file.
struct Files {
  std::function<bool(const std::string& path)> exists;
  std::function<absl::StatusOr<std::string>(const std::string& path)> read;
  // The same for a file of many requests.
  std::function<absl::StatusOr<std::string>(const std::string& path)> read_batch{};

  // The machine's own. A file may have 16 MiB, what the gateway takes; one of many requests
  // limits::kBatchFileMaxBytes.
  static Files Real();
};

// The request of any submit.
using SubmitRequest = std::unique_ptr<google::protobuf::Message>;

// Whether the source of a submit is a media file to upload first, by its name; the request that is
// built names no file then.
bool UploadsFirst(const Invocation& invocation);

// ---- For those who build requests. Errors are for the person who typed: several lines where
// several things are wrong. ----

// How errors name a file.
std::string Shown(const std::string& path);

// A file that is one JSON value of one of `kinds` (first bytes, such as "{["), as the bytes it has.
absl::StatusOr<std::string> ReadJson(const Files& files, const std::string& path,
                                     std::string_view kinds, std::string_view wanted);

// Whether a source looks like a file's name, as no job is named.
bool LooksLikeFile(const std::string& source);
bool IsUrl(const std::string& source);

// Fills in what all submits take.
template <class Request>
std::unique_ptr<Request> Begin(const Invocation& invocation) {
  auto request = std::make_unique<Request>();
  request->set_request_id(invocation.request_id);
  request->set_allow_unknown_fields(invocation.allow_unknown_fields);
  request->set_notify_url(invocation.notify_url);
  for (const auto& [key, value] : invocation.labels) (*request->mutable_labels())[key] = value;
  return request;
}

}  // namespace pictory_jobs::cli
