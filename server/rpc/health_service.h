// HealthService serves grpc.health.v1.Health: whether the server, and each service by name, takes
// calls.
//
// What it says is set from any thread, and watchers hear of changes. A check is not bound by
// admission, because a full server is healthy and a check is over when it is answered. Watches are
// bound by it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "grpc/health/v1/health.pb.h"
#include "rpc/admission.h"
#include "rpc/handlers.h"
#include "rpc/intake.h"
#include "rpc/raw_service.h"

namespace gateway::rpc {

class HealthStream;

class HealthService final : public RawService {
 public:
  using Status = grpc::health::v1::HealthCheckResponse::ServingStatus;

  // Knows the empty name and `services`, NOT_SERVING at first. The others must outlive the service.
  HealthService(const std::vector<std::string>& services, Intake& intake, Admission& admission,
                const Domain& domain);
  ~HealthService() override;

  void Set(const std::string& service, bool serving);
  // `usable` is what the services say while the server serves; the empty name says only that it
  // does.
  void SetAll(bool serving, bool usable);

 private:
  Unary* Check(Context* context, const Bytes* request, Bytes* response);
  Stream* Watch(Context* context, const Bytes* request);

  Admission& admission_;
  const Domain& domain_;
  Mutex mutex_;
  std::map<std::string, Status> statuses_ GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<HealthStream>> streams_ GUARDED_BY(mutex_);
};

}  // namespace gateway::rpc
