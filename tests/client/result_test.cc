// Results in pieces, over streams that break.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "client/connect.h"
#include "client/fake_pacing.h"
#include "client/fake_server.h"
#include "pictory_jobs/client.h"

namespace pictory_jobs {
namespace {

using fake::CallInfo;
using fake::Connect;
using fake::FakePacing;
using fake::FakeServer;
using fake::Handlers;
using fake::WithErrorInfo;

// 10 bytes in pieces of 4.
fake::Streaming<v1::ReadJobResultRequest, v1::ReadJobResultResponse> Pieces(
    int break_after_bytes, absl::Status broken = absl::UnavailableError("cut")) {
  return [break_after_bytes, broken](
             const v1::ReadJobResultRequest& request, const CallInfo&,
             const fake::Writer<v1::ReadJobResultResponse>& write) -> absl::Status {
    const std::string all = "0123456789";
    for (int at = request.offset(); at < 10; at += 4) {
      if (request.offset() < break_after_bytes && at >= break_after_bytes) return broken;
      v1::ReadJobResultResponse piece;
      piece.set_data(all.substr(static_cast<std::size_t>(at), 4));
      piece.set_offset(at);
      piece.set_total_bytes(10);
      write(piece);
    }
    return absl::OkStatus();
  };
}

TEST(ReadResult, PutsPiecesTogetherAndResumesByOffset) {
  for (const int break_after : {0, 4, 8}) {
    Handlers handlers;
    handlers.read = Pieces(break_after);
    FakeServer server(handlers);
    FakePacing pacing;
    const auto text = Connect(server, pacing).ReadResult("j", v1::RESULT_PART_TXT);
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(*text, "0123456789");
    EXPECT_EQ(server.Calls("ReadJobResult"), break_after == 0 ? 1 : 2);
  }
}

TEST(ReadResult, ResumesWhateverAProxyCallsABrokenStream) {
  const struct {
    absl::Status status;
    bool resumed;
  } cases[] = {
      {absl::InternalError("Received RST_STREAM with error code 2"), true},
      {absl::UnknownError("Stream removed"), true},
      {absl::CancelledError("Received RST_STREAM with error code 8"), true},
      {absl::DeadlineExceededError("stream timeout"), true},
      {WithErrorInfo(absl::StatusCode::kInternal, "the store failed"), false},
      {absl::ResourceExhaustedError("Received message larger than max"), false},
  };
  for (const auto& [status, resumed] : cases) {
    Handlers handlers;
    handlers.read = Pieces(4, status);
    FakeServer server(handlers);
    FakePacing pacing;
    const auto text = Connect(server, pacing).ReadResult("j", v1::RESULT_PART_TXT);
    EXPECT_EQ(text.ok(), resumed) << status;
    EXPECT_EQ(server.Calls("ReadJobResult"), resumed ? 2 : 1) << status;
    if (!resumed) {
      EXPECT_EQ(text.status().code(), status.code());
    }
  }
}

TEST(ReadResult, BeginsAtAnOffsetAndStopsWithItsSink) {
  Handlers handlers;
  handlers.read = Pieces(0);
  FakeServer server(handlers);
  FakePacing pacing;
  const Client client = Connect(server, pacing);
  std::string bytes;
  const auto take = [&](std::string_view piece, std::int32_t) {
    bytes += piece;
    return true;
  };
  EXPECT_EQ(*client.ReadResult("j", v1::RESULT_PART_TXT, take, 6), 10);
  EXPECT_EQ(bytes, "6789");
  const auto refuse = [](std::string_view, std::int32_t) { return false; };
  EXPECT_TRUE(absl::IsCancelled(client.ReadResult("j", v1::RESULT_PART_TXT, refuse).status()));
}

TEST(ReadResult, NoticesPiecesThatDoNotFit) {
  Handlers handlers;
  handlers.read = [](const v1::ReadJobResultRequest&, const CallInfo&,
                     const fake::Writer<v1::ReadJobResultResponse>& write) {
    v1::ReadJobResultResponse piece;
    piece.set_data("abc");
    piece.set_offset(3);
    piece.set_total_bytes(6);
    write(piece);
    return absl::OkStatus();
  };
  FakeServer server(handlers);
  FakePacing pacing;
  const auto text = Connect(server, pacing).ReadResult("j", v1::RESULT_PART_TXT);
  EXPECT_EQ(text.status().code(), absl::StatusCode::kDataLoss);
}

TEST(ReadResult, AnEmptyPartIsEmptyAndAShortStreamIsResumed) {
  Handlers handlers;
  handlers.read = [](const v1::ReadJobResultRequest& request, const CallInfo& call,
                     const fake::Writer<v1::ReadJobResultResponse>& write) {
    if (request.job_id() == "empty") return absl::OkStatus();
    v1::ReadJobResultResponse piece;
    piece.set_data(call.number == 2 ? "abc" : "def");
    piece.set_offset(request.offset());
    piece.set_total_bytes(6);
    write(piece);
    return absl::OkStatus();
  };
  FakeServer server(handlers);
  FakePacing pacing;
  const Client client = Connect(server, pacing);
  EXPECT_EQ(*client.ReadResult("empty", v1::RESULT_PART_TXT), "");
  EXPECT_EQ(*client.ReadResult("short", v1::RESULT_PART_TXT), "abcdef");
}

TEST(ReadArchivedFile, GoesOnBehindWhatIsThereAndBeyondTwoGiB) {
  constexpr std::int64_t kAll = std::int64_t{5} << 30;
  Handlers handlers;
  handlers.read_file = [](const v1::ReadArchivedFileRequest& request, const CallInfo& call,
                          const fake::Writer<v1::ReadArchivedFileResponse>& write) -> absl::Status {
    EXPECT_EQ(request.job_id(), "j");
    EXPECT_EQ(request.name(), "video.mp4");
    v1::ReadArchivedFileResponse piece;
    piece.set_data("ab");
    piece.set_offset(request.offset());
    piece.set_total_bytes(kAll);
    write(piece);
    return call.number == 1 ? absl::UnavailableError("cut") : absl::OkStatus();
  };
  FakeServer server(handlers);
  FakePacing pacing;
  std::string bytes;
  const auto total = Connect(server, pacing)
                         .ReadArchivedFile(
                             "j", "video.mp4",
                             [&](std::string_view piece, std::int64_t total_bytes) {
                               EXPECT_EQ(total_bytes, kAll);
                               bytes += piece;
                               return true;
                             },
                             kAll - 4);
  ASSERT_TRUE(total.ok()) << total.status();
  EXPECT_EQ(*total, kAll);
  EXPECT_EQ(bytes, "abab");
  EXPECT_EQ(server.Calls("ReadArchivedFile"), 2);
}

}  // namespace
}  // namespace pictory_jobs
