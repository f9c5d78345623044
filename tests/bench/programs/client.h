// What the load programs share: calls by name and bytes, over connections that are really their
// own.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace bench {

// Channels to one target would share a connection. With `fixed_window` a stream that is not read
// takes 64 KiB and no more; else the library makes that more as it sees fit.
inline std::vector<std::unique_ptr<grpc::GenericStub>> Connect(const std::string& target,
                                                               long connections,
                                                               bool fixed_window = false) {
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs;
  for (long i = 0; i < connections; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    if (fixed_window) arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    auto channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
      std::fprintf(stderr, "cannot connect to %s\n", target.c_str());
      std::exit(1);
    }
    stubs.push_back(std::make_unique<grpc::GenericStub>(channel));
  }
  return stubs;
}

// Shows who calls, if BENCH_BEARER says so: an API key or a token.
inline void ShowKey(grpc::ClientContext& context) {
  static const char* const key = std::getenv("BENCH_BEARER");
  if (key != nullptr) context.AddMetadata("authorization", std::string("Bearer ") + key);
}

// A submit gets a request_id of its own: equal ones without would be taken for one.
inline void Prepare(grpc::ClientContext& context, const std::string& method,
                    std::chrono::seconds deadline) {
  context.set_deadline(std::chrono::system_clock::now() + deadline);
  ShowKey(context);
  static std::atomic<long> submits{0};
  if (!method.ends_with("/CreatePreview")) return;
  context.AddMetadata("idempotency-key",
                      std::to_string(getpid()) + "-" + std::to_string(++submits));
}

// The serialised request.
inline grpc::ByteBuffer ReadRequest(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read the request %s\n", path.c_str());
    std::exit(1);
  }
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

inline std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// The requests of `each` bytes that `requests` is made of, in order; 0: it is one.
inline std::vector<grpc::ByteBuffer> Split(const grpc::ByteBuffer& requests, std::size_t each) {
  if (each == 0) return {requests};
  const std::string bytes = BytesOf(requests);
  std::vector<grpc::ByteBuffer> split;
  for (std::size_t at = 0; at + each <= bytes.size(); at += each) {
    const grpc::Slice slice(bytes.data() + at, each);
    split.emplace_back(&slice, 1);
  }
  return split;
}

}  // namespace bench
