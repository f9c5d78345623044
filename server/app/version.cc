#include "app/version.h"

#include <curl/curl.h>
#include <google/protobuf/stubs/common.h>
#include <grpcpp/grpcpp.h>
#include <sqlite3.h>

namespace gateway::app {

std::string Version() { return PICTORY_VERSION; }

std::string VersionText() {
  return "pictory-gateway " + Version() + " (gRPC " + grpc::Version() + ", protobuf " +
         google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION) + ", libcurl " +
         curl_version_info(CURLVERSION_NOW)->version + ", SQLite " + sqlite3_libversion() + ")";
}

}  // namespace gateway::app
