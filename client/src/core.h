// Core holds the connections behind a Client, shared by its copies, watches and lists. Thread-safe.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "pictory/jobs/v1/pictory_jobs.grpc.pb.h"
#include "pictory_jobs/options.h"

namespace pictory_jobs {

// What a target given by a person means: `host:port`, `https://host[:port]`, `http://…`, or a name
// of gRPC's such as `dns:///host:port` and `unix:/path`. Pure.
struct Target {
  std::string address;    // as gRPC takes it
  bool tls = false;       // `https://`
  bool plain = false;     // `http://`
  bool loopback = false;  // on this machine: such a host, or a unix socket
};
absl::StatusOr<Target> ParseTarget(std::string_view target);

// Converts code, message and the details, which become payloads.
absl::Status FromGrpc(const grpc::Status& status);

class Core {
 public:
  using Stub = ::pictory::jobs::v1::PictoryJobs::Stub;

  Core(Target target, ClientOptions options);

  const ClientOptions& options() const { return options_; }
  const Pacing& pacing() const { return *options_.pacing; }
  Stub& stub() { return *stub_; }
  // Calls a unary method by its descriptor, for callers that have messages of any type. Blocks.
  grpc::Status CallMethod(const google::protobuf::MethodDescriptor& method,
                          grpc::ClientContext& context, const google::protobuf::Message& request,
                          google::protobuf::Message& response);

  // See Client::HoldStream.
  absl::Status HoldStream(std::chrono::milliseconds time, const std::stop_token& stop);

  // A stub for one watch, which counts on its connection as long as the pointer lives.
  std::shared_ptr<Stub> WatchStub();

  // Adds the metadata that every call carries.
  void Prepare(grpc::ClientContext& context) const;

 private:
  std::shared_ptr<grpc::Channel> NewChannel(bool own_connection) const;

  const Target target_;
  const ClientOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<Stub> stub_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Stub>> watch_stubs_;  // guarded by mutex_
};

}  // namespace pictory_jobs
