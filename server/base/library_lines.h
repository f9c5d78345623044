// The lines that gRPC and protobuf write for themselves.
#pragma once

#include <string_view>

namespace gateway {

// Its texts end with the call that hands it over.
struct LibraryLine {
  std::string_view library;  // grpc or protobuf
  bool error = false;        // what the library itself calls an error
  bool last = false;         // the library ends the process next
  std::string_view file;
  int line = 0;
  std::string_view text;
};

// From now on every such line goes to `take` and nowhere else, on the thread that writes it; with
// nullptr they are written by the libraries again. GRPC_VERBOSITY says what gRPC writes. gRPC 1.51
// and protobuf 3.21 have a function each to set; newer ones write to Abseil's log, whose other
// users are then taken for gRPC.
void TakeLibraryLines(void (*take)(const LibraryLine&));

}  // namespace gateway
