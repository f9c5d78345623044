#include "sandbox/sandbox.h"

#include "sandbox/service.h"

namespace gateway::sandbox {

absl::StatusOr<std::unique_ptr<Sandbox>> Sandbox::Start(SandboxOptions options) {
  absl::StatusOr<std::unique_ptr<Service>> service = Service::Start(std::move(options));
  if (!service.ok()) return service.status();
  return std::unique_ptr<Sandbox>(new Sandbox(*std::move(service)));
}

Sandbox::Sandbox(std::unique_ptr<Service> service) : service_(std::move(service)) {}
Sandbox::~Sandbox() { Stop(); }
std::string Sandbox::origin() const { return service_->origin(); }
std::string Sandbox::base_url() const { return origin() + "/pictoryapis"; }
std::uint16_t Sandbox::port() const { return service_->server().port(); }
const std::vector<std::uint16_t>& Sandbox::lost_ports() const { return service_->lost_ports(); }
const std::filesystem::path& Sandbox::ca_file() const { return service_->ca_file(); }
void Sandbox::Stop() { service_->Stop(); }

}  // namespace gateway::sandbox
