#include "core.h"

#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/host_port.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"

namespace pictory_jobs {
namespace {

// The gateway keeps a job's message below its FULL view's bound; other servers get some room.
constexpr int kReceiveMaxBytes = 17 * 1024 * 1024;
// gRPC's own delays start at 1 s and grow to 2 minutes, which is much too slow for a gateway that
// restarts.
constexpr int kReconnectFirstMs = 200;
constexpr int kReconnectMaxMs = 5000;
// Pings show whether a connection is still there: TCP alone would wait for a peer that has gone.
constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveAnswerMs = 10'000;

constexpr char kHealthWatch[] = "/grpc.health.v1.Health/Watch";
constexpr char kPictoryKey[] = "pictory-api-key";  // metadata; part of the interface

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Schemes of gRPC's own, whose names gRPC reads.
constexpr std::string_view kGrpcSchemes[] = {
    "dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "xds:"};

bool IsOfGrpc(std::string_view text) {
  return std::any_of(std::begin(kGrpcSchemes), std::end(kGrpcSchemes),
                     [text](std::string_view scheme) {
                       // A host may be called `dns`, and a port is a number.
                       return text.substr(0, scheme.size()) == scheme &&
                              text.find_first_not_of("0123456789", scheme.size()) != text.npos;
                     });
}

// A host and a port in a name that gRPC reads are no less a host and a port: it would take a number
// above 65535 modulo 65536, and a name without a port for one with 443.
absl::Status CheckName(std::string_view text) {
  if (std::any_of(text.begin(), text.end(),
                  [](unsigned char c) { return c <= 0x20 || c == 0x7F; })) {
    return absl::InvalidArgumentError("there is a blank in it");
  }
  if (!TakePrefix(text, "dns:")) return absl::OkStatus();
  if (text.substr(0, 2) == "//") {
    const std::size_t authority_end = text.find('/', 2);
    if (authority_end == text.npos) return absl::InvalidArgumentError("the host is missing");
    text.remove_prefix(authority_end);
  }
  TakePrefix(text, "/");
  return gateway::ParseHostPort(text).status();
}

// Whether a URL's host stands alone, so that its scheme's port counts.
bool LacksPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  return colon == text.npos || text.find(']', colon) != text.npos;
}

ClientOptions WithDefaults(ClientOptions options, const Target& target) {
  if (!options.pacing) options.pacing = Pacing::Real();
  if (target.tls && !options.tls) options.tls.emplace();
  options.watches_per_connection = std::max(1, options.watches_per_connection);
  return options;
}

}  // namespace

absl::StatusOr<Target> ParseTarget(std::string_view given) {
  const auto bad = [given](const absl::Status& why) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", gateway::errors::Clean(given),
        "' does not name a gateway: ", std::string(why.message()),
        "; write host:port or https://host[:port], such as 127.0.0.1:50051 or [::1]:50051"));
  };
  Target target;
  if (IsOfGrpc(given)) {
    if (absl::Status named = CheckName(given); !named.ok()) return bad(named);
    target.address = std::string(given);
    target.loopback = given.starts_with("unix:") || given.starts_with("unix-abstract:");
    return target;
  }
  std::string_view text = given;
  target.tls = TakePrefix(text, "https://");
  target.plain = !target.tls && TakePrefix(text, "http://");
  const bool url = target.tls || target.plain;
  if (url && !text.empty() && text.back() == '/') text.remove_suffix(1);
  absl::StatusOr<gateway::HostPort> host = gateway::ParseHostPort(text);
  if (!host.ok() && url && LacksPort(text)) {
    host = gateway::ParseHostPort(absl::StrCat(std::string(text), target.tls ? ":443" : ":80"));
  }
  if (!host.ok()) return bad(host.status());
  if (host->port == 0) return bad(absl::InvalidArgumentError("nobody listens on port 0"));
  target.address = host->ToString();
  target.loopback = host->IsLoopback();
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
      channel_(NewChannel(false)),
      stub_(::pictory::jobs::v1::PictoryJobs::NewStub(channel_)) {}

grpc::Status Core::CallMethod(const google::protobuf::MethodDescriptor& method,
                              grpc::ClientContext& context,
                              const google::protobuf::Message& request,
                              google::protobuf::Message& response) {
  using google::protobuf::Message;
  grpc::TemplatedGenericStub<Message, Message> stub(channel_);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(
      &context, absl::StrCat("/", method.service()->full_name(), "/", method.name()), request,
      &queue);
  call->StartCall();
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status;
}

// The watch of the health service is the one stream that is there whatever jobs there are. Its
// messages are not read, so that the library needs none of their code.
absl::Status Core::HoldStream(std::chrono::milliseconds time, const std::stop_token& stop) {
  const auto until = std::chrono::system_clock::now() + time;
  grpc::GenericStub stub(NewChannel(true));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  Prepare(context);
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  const auto stream = stub.PrepareCall(&context, kHealthWatch, &queue);
  void* tag = nullptr;
  bool ok = false;
  stream->StartCall(nullptr);
  queue.Next(&tag, &ok);
  if (ok) {
    const grpc::Slice nothing;
    stream->WriteLast(grpc::ByteBuffer(&nothing, 1), grpc::WriteOptions(), nullptr);
    queue.Next(&tag, &ok);
  }
  bool held = false;
  while (ok) {
    grpc::ByteBuffer message;
    stream->Read(&message, nullptr);
    held = queue.AsyncNext(&tag, &ok, until) == grpc::CompletionQueue::TIMEOUT;
    if (!held) continue;
    context.TryCancel();
    queue.Next(&tag, &ok);
    break;
  }
  grpc::Status status;
  stream->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  if (held) return absl::OkStatus();
  return status.ok() ? absl::UnavailableError("it was ended as if it were over") : FromGrpc(status);
}

std::shared_ptr<grpc::Channel> Core::NewChannel(bool own_connection) const {
  grpc::ChannelArguments args;
  args.SetMaxReceiveMessageSize(kReceiveMaxBytes);
  if (!options_.service_config.empty()) args.SetServiceConfigJSON(options_.service_config);
  args.SetMaxSendMessageSize(-1);  // the gateway's limit is the one that counts
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectFirstMs);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMaxMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveAnswerMs);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // no limit
  args.SetUserAgentPrefix(options_.user_agent.empty() ? "pictory-jobs-cpp"
                                                      : options_.user_agent + " pictory-jobs-cpp");
  // Channels with the same arguments share their connections, unless told not to.
  if (own_connection) args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A proxy that is set for the way out of this machine is not for a gateway on it.
  if (target_.loopback) args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (options_.tls) {
    credentials =
        grpc::SslCredentials({options_.tls->ca_pem, options_.tls->key_pem, options_.tls->cert_pem});
  }
  return grpc::CreateCustomChannel(target_.address, credentials, args);
}

std::shared_ptr<Core::Stub> Core::WatchStub() {
  const std::lock_guard lock(mutex_);
  for (const auto& stub : watch_stubs_) {
    if (stub.use_count() <= options_.watches_per_connection) return stub;  // one use is ours
  }
  watch_stubs_.push_back(::pictory::jobs::v1::PictoryJobs::NewStub(NewChannel(true)));
  return watch_stubs_.back();
}

void Core::Prepare(grpc::ClientContext& context) const {
  for (const auto& [key, value] : options_.metadata) context.AddMetadata(key, value);
  if (!options_.pictory_key.empty()) context.AddMetadata(kPictoryKey, options_.pictory_key);
}

}  // namespace pictory_jobs
