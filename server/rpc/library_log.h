// The lines that gRPC and protobuf write for themselves.
#pragma once

namespace gateway::rpc {

// From now on they are lines of our log: one escaped line each with its source, of bounded length,
// and so many in a while, because strangers can make the libraries write. Once, after
// obs::StartLog.
void TakeLibraryLogs();

}  // namespace gateway::rpc
