// What gRPC and protobuf write on their own.
#pragma once

namespace pictory_jobs::cli {

// From now on gRPC's lines are readable text on stderr, one line each without control characters,
// and so many at most: a peer may have chosen what stands in them. Only errors, unless
// GRPC_VERBOSITY says more. protobuf says nothing.
void CleanLibraryLines();

}  // namespace pictory_jobs::cli
