// A bare gRPC server on a free port of loopback, as the library sets it up by default.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

namespace bench {

// Prints `port N`, then serves until its standard input ends. Each line there goes to `on_line`.
// Returns the exit code.
inline int Serve(grpc::Service& service, const std::function<void(const std::string&)>& on_line) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fputs("cannot listen on loopback\n", stderr);
    return 1;
  }
  std::printf("port %d\n", port);
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) on_line(line);
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace bench
