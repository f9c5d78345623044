// CleanLibraryLines changes what gRPC and protobuf write on their own.
#pragma once

namespace pictory_jobs::cli {

// From now on gRPC's lines are readable text on stderr, one line each without control characters,
// and a limited number of them, because a peer may have chosen what stands in them. There are only
// errors, and none about TLS, unless GRPC_VERBOSITY says more. protobuf writes nothing.
void CleanLibraryLines();

}  // namespace pictory_jobs::cli
