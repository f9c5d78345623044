// grpc.health.v1.Health: whether the server, and each service by name, takes calls.
//
// Set from any thread; watchers hear of changes. Not bound by admission: a full server is healthy.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "rpc/admission.h"
#include "rpc/handlers.h"

namespace gateway::rpc {

class HealthStream;

class HealthService final : public grpc::health::v1::Health::WithRawCallbackMethod_Check<
                                grpc::health::v1::Health::WithRawCallbackMethod_Watch<
                                    grpc::health::v1::Health::Service>> {
 public:
  using Status = grpc::health::v1::HealthCheckResponse::ServingStatus;

  // Knows the empty name and `services`, NOT_SERVING at first. The others must outlive the service.
  HealthService(const std::vector<std::string>& services, Admission& admission,
                const Domain& domain);
  ~HealthService() override;

  void Set(const std::string& service, bool serving);
  void SetAll(bool serving);

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request) override;

 private:
  Admission& admission_;
  const Domain& domain_;
  Mutex mutex_;
  std::map<std::string, Status> statuses_ GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<HealthStream>> streams_ GUARDED_BY(mutex_);
};

}  // namespace gateway::rpc
