// The library's credentials in C, wherever the library at hand has them. Not ours.
#pragma once

#if __has_include(<grpc/credentials.h>)
#include <grpc/credentials.h>  // which gRPC 1.51 has in grpc_security.h
#endif
#include <grpc/grpc_security.h>
