// A Caller says who makes a call, until when, and what the metadata of the call say.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/trace_context.h"
#include "grpcpp/server_context.h"
#include "jobs/owner.h"
#include "jobs/retry_evidence.h"
#include "rpc/handlers.h"
#include "tenants/principal.h"

namespace gateway::rpc {

struct Caller {
  tenants::PrincipalPtr principal;  // never null
  std::string tenant;               // the principal's
  jobs::Owner owner;                // of what the caller makes
  std::string peer;                 // as the library names it
  MonoTime deadline{};              // never without one
  bool own_deadline = false;        // the caller set it, and the library enforces it
  std::string idempotency_key;      // metadata `idempotency-key`; "" if there is none
  bool more_keys = false;           // there is more than one of them
  jobs::RetryEvidence retry;
  TraceContext trace;
};

// Of a call whose caller is known, and whose trace is.
Caller CallerOf(const grpc::CallbackServerContext& context, tenants::PrincipalPtr principal,
                TraceContext trace, const Domain& domain);

// Where callers pay, each acts on the jobs of the key that it shows: Pictory would be asked with
// another's otherwise. `account` is the job's.
absl::Status CheckKeyOf(const Caller& caller, std::string_view job_id, std::string_view account);

// OK for a text that can name a job, by our id or by Pictory's; else what is wrong with the field.
absl::Status CheckJobName(std::string_view name);

}  // namespace gateway::rpc
