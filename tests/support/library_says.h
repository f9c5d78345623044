// Makes gRPC and protobuf write a line, as they do when something is wrong.
#pragma once

#if __has_include(<google/protobuf/stubs/logging.h>)
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <cstdlib>
#else
#include "absl/log/log.h"
#endif

#include <string>

namespace gateway::test {

#if __has_include(<google/protobuf/stubs/logging.h>)

inline void GrpcSays(const char* file, int line, const std::string& text) {
  gpr_log(file, line, GPR_LOG_SEVERITY_ERROR, "%s", text.c_str());
}

inline void GrpcNotes(const std::string& text) { gpr_log(GPR_INFO, "%s", text.c_str()); }

inline void ProtobufSays(const std::string& text) { GOOGLE_LOG(ERROR) << text; }

// Ends the process.
inline void GrpcAsserts(const std::string& what) {
  gpr_log(GPR_ERROR, "assertion failed: %s", what.c_str());
  std::abort();
}

#else

inline void GrpcSays(const char* file, int line, const std::string& text) {
  LOG(ERROR).AtLocation(file, line) << text;
}

inline void GrpcNotes(const std::string& text) { LOG(INFO) << text; }

inline void ProtobufSays(const std::string& text) {
  LOG(ERROR).AtLocation("google/protobuf/file.cc", 7) << text;
}

inline void GrpcAsserts(const std::string& what) { LOG(FATAL) << what; }

#endif

}  // namespace gateway::test
