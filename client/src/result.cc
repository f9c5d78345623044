#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backoff.h"
#include "call.h"
#include "core.h"
#include "pictory_jobs/client.h"

namespace pictory_jobs {
namespace {

// What ReadJobResult and ReadArchivedFile differ in.
struct PartCall {
  using Request = v1::ReadJobResultRequest;
  using Response = v1::ReadJobResultResponse;
  static auto Open(Core& core, grpc::ClientContext& context, const Request& request) {
    return core.stub().ReadJobResult(&context, request);
  }
};
struct FileCall {
  using Request = v1::ReadArchivedFileRequest;
  using Response = v1::ReadArchivedFileResponse;
  static auto Open(Core& core, grpc::ClientContext& context, const Request& request) {
    return core.stub().ReadArchivedFile(&context, request);
  }
};

// A ChunkReader reads one part or file, over as many streams as it takes.
template <class Call>
class ChunkReader {
 public:
  using Request = typename Call::Request;
  using Response = typename Call::Response;
  // An offset, or a length in bytes.
  using Bytes = decltype(Response().total_bytes());
  using Sink = std::function<bool(std::string_view piece, Bytes total_bytes)>;

  ChunkReader(Core& core, Request request, const Sink& sink, const CallOptions& call)
      : core_(core), request_(std::move(request)), sink_(sink), call_(call) {}

  absl::StatusOr<Bytes> Run() {
    Backoff backoff(call_.retry.value_or(core_.options().retry), Repeatable::kAlways,
                    core_.pacing());
    for (;;) {
      const Bytes before = request_.offset();
      absl::Status status = ReadStream();
      if (status.ok()) return total_;
      if (ours_) return status;
      if (call_.stop.stop_requested()) return StoppedByCaller();
      if (request_.offset() > before) {
        backoff.Reset();
        // The deadline is for a stream that stands still, not for a large part.
        if (absl::IsDeadlineExceeded(status)) continue;
      }
      const std::optional<std::chrono::nanoseconds> wait = backoff.Next(status, out_of_time_);
      if (!wait) return status;
      if (!core_.pacing().wait(*wait, call_.stop)) return StoppedByCaller();
    }
  }

 private:
  absl::Status ReadStream() {
    grpc::ClientContext context;
    Prepare(core_, call_, context);
    const std::stop_callback cancel(call_.stop, [&context] { context.TryCancel(); });
    auto reader = Call::Open(core_, context, request_);
    Response chunk;
    absl::Status taken;
    while (taken.ok() && reader->Read(&chunk)) taken = Take(chunk);
    if (!taken.ok()) {
      ours_ = true;
      context.TryCancel();
      while (reader->Read(&chunk)) {
      }
      reader->Finish();
      return taken;
    }
    const absl::Status status = FromGrpc(reader->Finish());
    out_of_time_ = OutOfTime(context);
    if (!status.ok()) return status;
    if (total_ >= 0 && request_.offset() < total_) {
      return absl::UnavailableError(
          absl::StrCat("The result ended after ", request_.offset(), " of ", total_, " bytes"));
    }
    if (total_ < 0) total_ = request_.offset();  // an empty part, or nothing after the offset
    return absl::OkStatus();
  }

  absl::Status Take(const Response& chunk) {
    if (total_ >= 0 && chunk.total_bytes() != total_) {
      return absl::DataLossError(
          "The result changed while it was read; read it again from the start");
    }
    if (chunk.offset() != request_.offset() ||
        static_cast<std::int64_t>(chunk.offset()) + static_cast<std::int64_t>(chunk.data().size()) >
            chunk.total_bytes()) {
      return absl::DataLossError("The pieces of the result do not fit together");
    }
    total_ = chunk.total_bytes();
    request_.set_offset(request_.offset() + static_cast<Bytes>(chunk.data().size()));
    if (!sink_(chunk.data(), total_)) return absl::CancelledError("The sink wants no more");
    return absl::OkStatus();
  }

  Core& core_;
  Request request_;
  const Sink& sink_;
  const CallOptions& call_;
  Bytes total_ = -1;          // not known yet
  bool out_of_time_ = false;  // the stream read last
  bool ours_ = false;         // the end of it: no connection broke
};

}  // namespace

absl::StatusOr<std::int32_t> Client::ReadResult(const std::string& job_id, ResultPart part,
                                                const Sink& sink, std::int32_t offset,
                                                const CallOptions& call) const {
  v1::ReadJobResultRequest request;
  request.set_job_id(job_id);
  request.set_part(part);
  request.set_offset(offset);
  return ChunkReader<PartCall>(*core_, std::move(request), sink, call).Run();
}

absl::StatusOr<std::int64_t> Client::ReadArchivedFile(const std::string& job_id,
                                                      const std::string& name, const FileSink& sink,
                                                      std::int64_t offset,
                                                      const CallOptions& call) const {
  v1::ReadArchivedFileRequest request;
  request.set_job_id(job_id);
  request.set_name(name);
  request.set_offset(offset);
  return ChunkReader<FileCall>(*core_, std::move(request), sink, call).Run();
}

absl::StatusOr<std::string> Client::ReadResult(const std::string& job_id, ResultPart part,
                                               const CallOptions& call) const {
  std::string bytes;
  const auto append = [&bytes](std::string_view piece, std::int32_t total_bytes) {
    if (bytes.empty()) bytes.reserve(static_cast<std::size_t>(total_bytes));
    bytes.append(piece);
    return true;
  };
  const absl::StatusOr<std::int32_t> total = ReadResult(job_id, part, append, 0, call);
  if (!total.ok()) return total.status();
  return bytes;
}

}  // namespace pictory_jobs
