#include "rpc/status.h"
#include "base/limits.h"

#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "base/payloads.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"

namespace gateway::rpc {
namespace {

namespace details = ::pictory::jobs::internal::v1;

constexpr char kBadRequest[] = "type.googleapis.com/google.rpc.BadRequest";

std::string CutMessage(std::string message) {
  if (message.size() <= limits::kStatusMessageMaxBytes) return message;
  std::size_t end = limits::kStatusMessageMaxBytes;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0) == 0x80) --end;
  message.resize(end);
  return message + "...";
}

// The only detail that grows with the request: its last entries go first.
void CutViolations(details::Status& status) {
  for (int i = 0; i < status.details_size(); ++i) {
    auto* detail = status.mutable_details(i);
    details::BadRequest bad;
    if (detail->type_url() != kBadRequest || !bad.ParseFromString(detail->value())) continue;
    const int all = bad.field_violations_size();
    while (status.ByteSizeLong() > limits::kStatusDetailsMaxBytes &&
           bad.field_violations_size() > 0) {
      // In halves: there may be very many.
      const int keep = bad.field_violations_size() / 2;
      bad.mutable_field_violations()->DeleteSubrange(keep, bad.field_violations_size() - keep);
      details::BadRequest shown = bad;
      shown.add_field_violations()->set_description("and " + std::to_string(all - keep) + " more");
      detail->set_value(shown.SerializeAsString());
    }
  }
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  details::Status wire;
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(CutMessage(std::string(status.message())));
  for (auto& [type_url, payload] : Payloads(status)) {
    auto* detail = wire.add_details();
    detail->set_type_url(std::move(type_url));
    detail->set_value(std::move(payload));
  }
  std::string bytes;
  if (wire.details_size() > 0) {
    if (wire.ByteSizeLong() > limits::kStatusDetailsMaxBytes) CutViolations(wire);
    while (wire.ByteSizeLong() > limits::kStatusDetailsMaxBytes && wire.details_size() > 0) {
      wire.mutable_details()->RemoveLast();
    }
    bytes = wire.SerializeAsString();
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), wire.message(), bytes);
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status out(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  details::Status wire;
  if (!wire.ParseFromString(status.error_details())) return out;
  for (const auto& detail : wire.details()) {
    out.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return out;
}

}  // namespace gateway::rpc
