#include "core.h"

#include <algorithm>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"

namespace pictory_jobs {
namespace {

// The gateway keeps a job's message below its FULL view's bound; other servers get some room.
constexpr int kReceiveMaxBytes = 17 * 1024 * 1024;
// gRPC's own start at 1 s and grow to 2 minutes: much too slow for a gateway that restarts.
constexpr int kReconnectFirstMs = 200;
constexpr int kReconnectMaxMs = 5000;

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

ClientOptions WithDefaults(ClientOptions options, const Target& target) {
  if (!options.pacing) options.pacing = Pacing::Real();
  if (target.tls && !options.tls) options.tls.emplace();
  options.watches_per_connection = std::max(1, options.watches_per_connection);
  return options;
}

}  // namespace

absl::StatusOr<Target> ParseTarget(std::string_view given) {
  Target target;
  std::string_view text = given;
  const bool https = TakePrefix(text, "https://");
  const bool url = https || TakePrefix(text, "http://");
  target.tls = https;
  if (url && !text.empty() && text.back() == '/') text.remove_suffix(1);
  const bool bad = text.empty() || std::any_of(text.begin(), text.end(), [](char c) {
                     return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
                   });
  if (bad || (url && text.find('/') != text.npos)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", std::string(given),
                     "' does not name a gateway; write host:port or https://host:port"));
  }
  target.address = std::string(text);
  const std::size_t after_host = text.rfind(':');
  const bool has_port = after_host != text.npos && text.find(']', after_host) == text.npos;
  if (url && !has_port) absl::StrAppend(&target.address, https ? ":443" : ":80");
  const std::string_view host = has_port ? text.substr(0, after_host) : text;
  target.loopback = host == "localhost" || host == "[::1]" || host.substr(0, 4) == "127.";
  return target;
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  ::pictory::jobs::internal::v1::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& detail : details.details()) {
      result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return result;
}

Core::Core(Target target, ClientOptions options)
    : target_(std::move(target)),
      options_(WithDefaults(std::move(options), target_)),
      stub_(NewStub(false)) {}

std::unique_ptr<Core::Stub> Core::NewStub(bool own_connection) const {
  grpc::ChannelArguments args;
  args.SetMaxReceiveMessageSize(kReceiveMaxBytes);
  args.SetMaxSendMessageSize(-1);  // the gateway's limit is the one that counts
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectFirstMs);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMaxMs);
  args.SetUserAgentPrefix(options_.user_agent.empty() ? "pictory-jobs-cpp"
                                                      : options_.user_agent + " pictory-jobs-cpp");
  // Channels with the same arguments share their connections, unless told not to.
  if (own_connection) args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A proxy set for the way out of this machine is not for a gateway on it.
  if (target_.loopback) args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (options_.tls) {
    credentials =
        grpc::SslCredentials({options_.tls->ca_pem, options_.tls->key_pem, options_.tls->cert_pem});
  }
  return ::pictory::jobs::v1::PictoryJobs::NewStub(
      grpc::CreateCustomChannel(target_.address, credentials, args));
}

std::shared_ptr<Core::Stub> Core::WatchStub() {
  const std::lock_guard lock(mutex_);
  for (const auto& stub : watch_stubs_) {
    if (stub.use_count() <= options_.watches_per_connection) return stub;  // one use is ours
  }
  watch_stubs_.push_back(NewStub(true));
  return watch_stubs_.back();
}

void Core::Prepare(grpc::ClientContext& context) const {
  for (const auto& [key, value] : options_.metadata) context.AddMetadata(key, value);
}

}  // namespace pictory_jobs
