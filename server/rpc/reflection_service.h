// Server reflection over the callback API: the packaged library brings only a blocking v1alpha.
#pragma once

#include <memory>

#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "rpc/admission.h"
#include "rpc/handlers.h"
#include "rpc/intake.h"
#include "rpc/reflection_answers.h"

namespace gateway::rpc {

using ReflectionReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

// Opens one stream, which deletes itself.
ReflectionReactor* OpenReflection(grpc::CallbackServerContext* context,
                                  const ReflectionAnswers& answers, Intake& intake,
                                  Admission& admission, const Domain& domain);

// `Version` is ServerReflection of either package. What is given must outlive it.
template <class Version>
class ReflectionService final : public Version::template WithRawCallbackMethod_ServerReflectionInfo<
                                    typename Version::Service> {
 public:
  ReflectionService(const ReflectionAnswers& answers, Intake& intake, Admission& admission,
                    const Domain& domain)
      : answers_(answers), intake_(intake), admission_(admission), domain_(domain) {}

  ReflectionReactor* ServerReflectionInfo(grpc::CallbackServerContext* context) override {
    return OpenReflection(context, answers_, intake_, admission_, domain_);
  }

 private:
  const ReflectionAnswers& answers_;
  Intake& intake_;
  Admission& admission_;
  const Domain& domain_;
};

}  // namespace gateway::rpc
