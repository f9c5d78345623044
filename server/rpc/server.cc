#include "rpc/server.h"
#include "base/limits.h"

#include <grpc/grpc_security.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "base/mutex.h"
#include "base/work_thread.h"
#include "rpc/acceptor.h"
#include "rpc/descriptor_set.h"
#include "rpc/health_service.h"
#include "rpc/large_answers.h"
#include "rpc/late_calls.h"
#include "rpc/open_watches.h"
#include "rpc/reflection_files.h"
#include "rpc/reflection_service.h"
#include "rpc/tenant_gates.h"
#include "rpc/unread.h"

namespace gateway::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr char kServiceName[] = "pictory.jobs.v1.PictoryJobs";
constexpr char kHealthServiceName[] = "grpc.health.v1.Health";

int Ms(Duration duration) {
  const auto ms = std::chrono::duration_cast<milliseconds>(duration).count();
  return static_cast<int>(std::min<std::int64_t>(ms, 1 << 30));
}

// Clients' callbacks run on a queue of the library's, which ends with the last channel that has
// used it; that end is a race in gRPC 1.51, and may abort the process. So one channel, to nowhere,
// uses it and never goes.
void KeepCallbackQueue() {
  struct Kept {
    std::shared_ptr<grpc::Channel> channel =
        grpc::CreateChannel("unix:/dev/null/nobody", grpc::InsecureChannelCredentials());
    grpc::GenericStub stub{channel};
    grpc::ClientContext context;
    grpc::Slice nothing;
    grpc::ByteBuffer request{&nothing, 1};
    grpc::ByteBuffer response;
  };
  [[maybe_unused]] static const Kept* const kept = [] {
    auto* const made = new Kept;
    made->stub.UnaryCall(&made->context, "/nobody/Nothing", grpc::StubOptions(), &made->request,
                         &made->response, [](const grpc::Status&) {});
    return made;
  }();
}

void SetChannelArguments(const ServerOptions& options, grpc::ServerBuilder& builder) {
  const auto set = [&builder](const char* name, int value) {
    builder.AddChannelArgument(name, value);
  };
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.concurrent_streams);
  // Our own limit is far below this one, see rpc/metadata.h.
  set(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(limits::kMetadataLibraryMaxBytes));
  // The library inflates without a limit. Compressed requests are left as they are, so that we
  // refuse them with a reason.
  set(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  // Bounds what may be sent on a stream that nobody reads, such as a watch after its request.
  // Estimates of the bandwidth would raise that to megabytes.
  set(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  set(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, static_cast<int>(limits::kStreamWindowBytes));
  set(GRPC_ARG_KEEPALIVE_TIME_MS, Ms(limits::kKeepaliveInterval));
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Ms(limits::kKeepaliveTimeout));
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      Ms(limits::kClientPingsMinInterval * 9 / 10));  // pings do not come to the moment
  set(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  set(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, Ms(limits::kHandshakeMax));
  set(GRPC_ARG_MAX_CONNECTION_IDLE_MS, Ms(limits::kCallerConnectionMaxIdle));
  set(GRPC_ARG_MAX_CONNECTION_AGE_MS, Ms(options.max_connection_age));
  set(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, Ms(options.watches.max_life + limits::kAgeGrace));
}

}  // namespace

// In the order of construction; the library's server goes first.
struct Server::Parts {
  using V1 = grpc::reflection::v1::ServerReflection;
  using V1Alpha = grpc::reflection::v1alpha::ServerReflection;

  Parts(const ServerOptions& options, const Domain& domain)
      : admission(options.admission, domain.random, domain.shedding),
        late(admission.DrainStatus()),
        intake(std::make_shared<Intake>(
            options.intake, [this](std::function<void()> task) { aside.Post(std::move(task)); },
            admission, domain.clock, domain.timers, domain.random)),
        unread(std::make_shared<Unread>(domain.clock, domain.timers, options.unread_patience)),
        large_answers(std::make_shared<LargeAnswers>(
            LargeAnswers::MaxBytes(options.intake.memory_bytes), domain.random)),
        gates(domain.clock, domain.random),
        open_watches(domain.callers),
        jobs(options.watches, options.request_max_bytes, *intake, admission, domain),
        health({kServiceName}, *intake, admission, domain),
        files(DescriptorSet()),
        answers({kServiceName, kHealthServiceName, V1::service_full_name(),
                 V1Alpha::service_full_name()},
                files),
        reflection(answers, *intake, admission, domain),
        reflection_alpha(answers, *intake, admission, domain) {}

  Admission admission;
  LateCalls late;
  WorkThread aside{"intake"};
  std::shared_ptr<Intake> intake;               // its timer may hold it for a moment longer
  std::shared_ptr<Unread> unread;               // so may its
  std::shared_ptr<LargeAnswers> large_answers;  // bytes that the library still has hold it
  TenantGates gates;
  InsideCalls inside;
  OpenWatches open_watches;
  JobsService jobs;
  HealthService health;
  ReflectionFiles files;
  ReflectionAnswers answers;
  ReflectionService<V1> reflection;
  ReflectionService<V1Alpha> reflection_alpha;
  Mutex shown_mutex;  // keeps what health says in step with these two
  bool serving GUARDED_BY(shown_mutex) = false;
  bool usable GUARDED_BY(shown_mutex) = true;
  std::atomic<bool> drained{false};
  std::unique_ptr<grpc::Server> server;
  // For each listener: where the library takes its connections.
  std::vector<std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor>> entries;
  std::unique_ptr<Acceptor> acceptor;
};

Server::Server(ServerOptions options, Domain domain)
    : options_(std::move(options)),
      domain_(std::move(domain)),
      parts_(std::make_unique<Parts>(options_, domain_)) {
  domain_.unread = parts_->unread.get();
  domain_.large_answers = parts_->large_answers;
  domain_.inside = &parts_->inside;
  domain_.gates = &parts_->gates;
  domain_.open_watches = &parts_->open_watches;
  domain_.hold = [intake =
                      parts_->intake](std::size_t bytes) -> absl::StatusOr<std::shared_ptr<void>> {
    std::shared_ptr<void> held = intake->Hold(bytes);
    if (held == nullptr) return intake->HoldRefusal();
    return held;
  };
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(ServerOptions options, Domain domain) {
  std::unique_ptr<Server> server(new Server(std::move(options), std::move(domain)));
  if (absl::Status listening = server->Listen(); !listening.ok()) return listening;
  return server;
}

absl::Status Server::Listen() {
  if (options_.listeners.empty()) return absl::InvalidArgumentError("no address to listen on");
  std::vector<ListenSockets> sockets;
  for (const Listener& listener : options_.listeners) {
    absl::StatusOr<ListenSockets> opened =
        OpenListenSockets(listener.address, Ms(limits::kKeepaliveTimeout));
    if (!opened.ok()) return opened.status();
    if (listener.security != Security::kPlain) {
      if (options_.tls == nullptr) return absl::InvalidArgumentError("no keys to listen with TLS");
      opened->dial_scheme = "https://";
    }
    ports_.push_back(opened->port);
    sockets.push_back(*std::move(opened));
  }
  grpc::EnableDefaultHealthCheckService(false);  // ours has its name
  grpc::ServerBuilder builder;
  SetChannelArguments(options_, builder);
  // The library looks at a message's size only when all of it is in memory; so do we, and we have a
  // better answer.
  builder.SetMaxReceiveMessageSize(-1);
  // Beyond its quota the library resets streams by chance, those of paid calls included. The intake
  // acts far below the quota, which is for what the intake does not see, and is better than the end
  // of the process.
  grpc::ResourceQuota quota("rpc");
  if (options_.intake.memory_bytes > 0) quota.Resize(options_.intake.memory_bytes);
  builder.SetResourceQuota(quota);
  for (const Listener& listener : options_.listeners) {
    parts_->entries.push_back(builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        parts_->late.Checked(
            listener.security == Security::kPlain
                ? grpc_insecure_server_credentials_create()
                : options_.tls->Credentials(listener.security == Security::kMutualTls,
                                            domain_.clock, options_.max_connection_age))));
  }
  builder.RegisterService(&parts_->jobs);
  builder.RegisterService(&parts_->health);
  if (options_.reflection) {
    builder.RegisterService(&parts_->reflection);
    builder.RegisterService(&parts_->reflection_alpha);
  }
  parts_->server = builder.BuildAndStart();
  if (parts_->server == nullptr) return absl::InternalError("the gRPC server did not start");
  const int files_max =
      options_.connection_files_max > 0 ? options_.connection_files_max : ConnectionFilesMax();
  std::vector<int> listening;  // newer libraries want to know the socket that a connection came by
  for (const ListenSockets& listener : sockets) listening.push_back(listener.fds.front().get());
  parts_->acceptor = std::make_unique<Acceptor>(
      std::move(sockets), files_max,
      [parts = parts_.get(), listening = std::move(listening)](std::size_t listener, int fd) {
        grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
        connection.listener_fd = listening[listener];
        connection.fd = fd;
        parts->entries[listener]->HandleNewConnection(&connection);
      });
  parts_->acceptor->Start();
  return absl::OkStatus();
}

std::shared_ptr<grpc::Channel> Server::InsideChannel() const {
  KeepCallbackQueue();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // our own answers are within their bounds
  return parts_->server->InProcessChannel(arguments);
}

InsideCalls& Server::inside_calls() const { return parts_->inside; }

Server::~Server() { Drain(Duration::zero()); }

void Server::RecheckWatches() { parts_->open_watches.Recheck(); }

void Server::SetServing(bool serving) {
  MutexLock lock(parts_->shown_mutex);
  parts_->serving = serving;
  if (!parts_->admission.draining()) parts_->health.SetAll(serving, parts_->usable);
}

void Server::SetUsable(bool usable) {
  MutexLock lock(parts_->shown_mutex);
  parts_->usable = usable;
  if (!parts_->admission.draining()) parts_->health.SetAll(parts_->serving, usable);
}

void Server::Drain(Duration deadline) {
  if (parts_->server == nullptr || parts_->drained.exchange(true)) return;
  const auto until = std::chrono::system_clock::now() +
                     std::chrono::duration_cast<std::chrono::system_clock::duration>(deadline);
  parts_->admission.Drain();
  parts_->intake->Drain();
  parts_->health.SetAll(false, false);
  domain_.wheel.EndAll([this] { return parts_->admission.DrainStatus(); },
                       std::min(options_.drain_spread, deadline / 2));
  parts_->acceptor->Stop();
  parts_->late.Refuse();
  parts_->server->Shutdown(until);
  parts_->server->Wait();
}

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> addresses;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const std::string& asked = options_.listeners[i].address;
    addresses.push_back(
        ports_[i] == 0 ? asked : asked.substr(0, asked.rfind(':') + 1) + std::to_string(ports_[i]));
  }
  return addresses;
}

const std::vector<std::string>& Server::dial_addresses() const {
  return parts_->acceptor->dial_addresses();
}

std::uint64_t Server::accepted_connections() const { return parts_->acceptor->accepted(); }

std::uint64_t Server::refused_connections() const { return parts_->acceptor->refused(); }

std::uint64_t Server::address_refused_connections() const {
  return parts_->acceptor->refused_of_address();
}

std::uint64_t Server::begun_calls() const { return parts_->intake->begun(); }

int Server::open_calls() const {
  using Kind = Admission::Kind;
  int open = 0;
  for (const Kind kind :
       {Kind::kCall, Kind::kSubmit, Kind::kResult, Kind::kHealthWatch, Kind::kReflection}) {
    open += parts_->admission.open(kind);
  }
  return open;
}

std::size_t Server::arriving_requests() const { return parts_->intake->arriving(); }

std::size_t Server::unread_answers() const { return parts_->unread->count(); }

std::size_t Server::large_answer_bytes() const { return parts_->large_answers->bytes(); }

std::uint64_t Server::unread_ended() const { return parts_->unread->ended(); }

int Server::open_watches() const { return parts_->admission.open(Admission::Kind::kWatch); }

}  // namespace gateway::rpc
