// An UploadSink takes one PUT to the media store: it reads what is asked, whether that is allowed,
// and where the bytes go.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/server.h"
#include "sandbox/uploads.h"

namespace gateway::sandbox {

inline constexpr std::string_view kUploadRoot = "/public/uploads/";

// An error as S3 words it. `more`: further elements.
http::ServerResponse S3Error(int status, std::string_view code, std::string_view message,
                             const std::string& more = "");

// The token in a path below kUploadRoot; "" for another path.
std::string_view TokenOf(std::string_view path);

// `bytes 5-9/10`, or `bytes */10` with no first and last.
struct ContentRange {
  std::optional<std::uint64_t> first;
  std::uint64_t last = 0;
  std::uint64_t total = 0;
};
// Reads a Content-Range; unset if the text is none. Pure.
std::optional<ContentRange> ParseContentRange(std::string_view text);

class UploadSink final : public http::BodySink {
 public:
  // `uploads` must outlive the sink.
  UploadSink(Uploads& uploads, const http::ServerRequest& head) : uploads_(uploads), head_(head) {}

  Next Begin() override;
  Next Take(std::string_view piece) override;
  void Answer(const http::Responder& responder) override;

 private:
  Next Refuse(http::ServerResponse response);
  std::optional<http::ServerResponse> CheckSignature();
  std::optional<http::ServerResponse> ReadLengths();
  Next BeginWriting();
  http::ServerResponse Progress() const;
  http::ServerResponse Finish();

  Uploads& uploads_;
  const http::ServerRequest head_;
  std::optional<Fault> fault_;
  UploadSlot slot_;
  std::uint64_t length_ = 0;
  std::optional<ContentRange> range_;
  std::uint64_t taken_ = 0;
  std::unique_ptr<UploadStore::Writing> writing_;
  std::optional<http::ServerResponse> early_;  // instead of taking the body, or the rest of it
};

}  // namespace gateway::sandbox
