#include "rpc/late_calls.h"

#include <utility>

namespace gateway::rpc {

// Not all of grpc::ServerCredentials take a check: grpc::InsecureServerCredentials() does not.
class LateCalls::Credentials final : public grpc::ServerCredentials {
 public:
#if GATEWAY_CALLS_ARE_CHECKED
  explicit Credentials(grpc_server_credentials* checked) : checked_(checked) {}
  ~Credentials() override { grpc_server_credentials_release(checked_); }
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), checked_);
  }

  grpc_server_credentials* const checked_;
#else
  explicit Credentials(grpc_server_credentials* checked) : grpc::ServerCredentials(checked) {}
#endif
};

LateCalls::LateCalls(const absl::Status& refusal)
    : shared_(new Shared{static_cast<grpc_status_code>(refusal.code()),
                         std::string(refusal.message())}) {}

std::shared_ptr<grpc::ServerCredentials> LateCalls::Checked(
    grpc_server_credentials* credentials) const {
#if GATEWAY_CALLS_ARE_CHECKED
  grpc_server_credentials_set_auth_metadata_processor(
      credentials,
      {.process = &LateCalls::Check,
       .destroy = [](void* state) { delete static_cast<std::shared_ptr<Shared>*>(state); },
       .state = new std::shared_ptr<Shared>(shared_)});
#endif
  return std::make_shared<Credentials>(credentials);
}

// `done` hands the call to the library before it returns.
void LateCalls::Check(void* state, grpc_auth_context*, const grpc_metadata*, std::size_t,
                      grpc_process_auth_metadata_done_cb done, void* call) {
  const std::shared_ptr<Shared> shared = *static_cast<std::shared_ptr<Shared>*>(state);
  shared->entering.fetch_add(1);
  const bool refuse = shared->refusing.load();
  done(call, nullptr, 0, nullptr, 0, refuse ? shared->code : GRPC_STATUS_OK,
       refuse ? shared->message.c_str() : nullptr);
  if (shared->entering.fetch_sub(1) == 1 && shared->refusing.load()) shared->entering.notify_all();
}

// Waits for the calls that were let in. Each of them is on its way through a few functions.
void LateCalls::Refuse() {
  shared_->refusing.store(true);
  int entering = shared_->entering.load();
  while (entering > 0) {
    shared_->entering.wait(entering);
    entering = shared_->entering.load();
  }
}

}  // namespace gateway::rpc
