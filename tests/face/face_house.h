// A Face over a gRPC server in process, and a client that sends exactly what it is told.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "face/face.h"
#include "rpc/rpc_house.h"
#include "sandbox/plain_client.h"

namespace gateway::test {

class FaceHouse {
 public:
  explicit FaceHouse(face::FaceOptions options = {}, rpc::ServerOptions server = {})
      : rpc(std::move(server)) {
    if (options.listeners.empty()) options.listeners = {{.address = "127.0.0.1:0"}};
    options.refused = [this](const absl::Status& status, const std::string&) {
      MutexLock lock(mutex_);
      refused_.push_back(errors::Reason(status));
    };
    auto started = face::Face::Start(std::move(options), *rpc.server);
    EXPECT_TRUE(started.ok()) << started.status();
    face = *std::move(started);
    address = face->addresses().front();
  }

  std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  PlainReply Get(const std::string& path, const std::string& headers = "") const {
    return PlainClient(port()).Call("GET", path, "", headers);
  }
  PlainReply Post(const std::string& path, const std::string& body,
                  const std::string& headers = "Content-Type: application/json\r\n") const {
    return PlainClient(port()).Call("POST", path, body, headers);
  }
  // The body of a stream, without the marks of its chunks, until it ends.
  static std::string Unchunked(const std::string& chunks) {
    std::string body;
    for (std::size_t at = 0; at < chunks.size();) {
      const std::size_t size = std::stoul(chunks.substr(at), nullptr, 16);
      at = chunks.find("\r\n", at) + 2;
      if (size == 0) return body;
      body += chunks.substr(at, size);
      at += size + 2;
    }
    return body + "<cut off>";
  }
  // Everything that comes for a GET until the peer closes.
  std::string Stream(const std::string& path, const std::string& headers = "") const {
    PlainClient client(port());
    client.Send(PlainRequest("GET", path, "", headers + "Connection: close\r\n"));
    client.ReadHead();
    return Unchunked(client.Rest());
  }

  std::vector<std::string> refused() {
    MutexLock lock(mutex_);
    return refused_;
  }

  RpcHouse rpc;
  std::unique_ptr<face::Face> face;
  std::string address;

 private:
  Mutex mutex_;
  std::vector<std::string> refused_ GUARDED_BY(mutex_);
};

}  // namespace gateway::test
