// The lines that gRPC and protobuf write for themselves.
#pragma once

namespace gateway::rpc {

// Makes these lines lines of our log from now on: one escaped line each with its source, of bounded
// length, and a limited number in a while, because strangers can make the libraries write. It is
// called once, after obs::StartLog.
void TakeLibraryLogs();

}  // namespace gateway::rpc
