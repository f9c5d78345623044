// A sandbox with its media store, and files to send there.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "sandbox/json.h"
#include "sandbox/plain_client.h"
#include "sandbox/sandbox.h"

namespace pictory_jobs::fake {

struct Place {
  std::string signed_url;
  std::string url;
  std::string content_type = "video/mp4";
};

class UploadRig {
 public:
  UploadRig() {
    std::string name = (std::filesystem::temp_directory_path() / "pictory-upload-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    options.use_ffmpeg = false;
  }
  ~UploadRig() {
    sandbox_.reset();
    std::filesystem::remove_all(folder_);
  }

  gateway::sandbox::SandboxOptions options;  // before the first Ask

  Place Ask() {
    const auto json = Call("POST", "/pictoryapis/v1/media/generateUrl",
                           R"({"fileName":"talk.mp4","contentType":"video/mp4"})",
                           "Authorization: pictai_sandbox\r\n");
    Place place;
    const auto* data = gateway::sandbox::Find(*json, "data");
    if (data == nullptr) return place;
    place.signed_url = gateway::sandbox::FindText(*data, "signedUrl");
    place.url = gateway::sandbox::FindText(*data, "url");
    // As a caller on this machine names it.
    for (std::string* url : {&place.signed_url, &place.url}) {
      url->replace(0, std::string("http://localhost").size(), "http://127.0.0.1");
    }
    return place;
  }
  void Fault(const std::string& fault, const std::string& more = R"("times":1,)") {
    Call("POST", "/sandbox/faults",
         R"({"match":{"method":"PUT","path_prefix":"/public"},)" + more + R"("fault":)" + fault +
             "}");
  }
  double Stat(const std::string& name) { return Number("uploads", name); }
  double Hits() {
    return gateway::sandbox::FindNumber(*Call("GET", "/sandbox/stats"), "faults", -1);
  }
  // What the store gives under the file's URL.
  std::string Stored(const Place& place) const {
    const std::size_t colon = place.url.rfind(':');
    const std::size_t slash = place.url.find('/', colon);
    gateway::test::PlainClient client(
        static_cast<std::uint16_t>(std::stoi(place.url.substr(colon + 1, slash - colon - 1))));
    const auto reply = client.Call("GET", place.url.substr(slash));
    return reply.status == 200 ? reply.body : "";
  }

  std::string PathOf(const std::string& name) const { return (folder_ / name).string(); }
  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(PathOf(name), std::ios::binary | std::ios::trunc) << bytes;
    return PathOf(name);
  }
  // No two stretches of it are alike.
  static std::string Bytes(std::size_t count) {
    std::string bytes(count, '\0');
    std::uint32_t state = 1;
    for (std::size_t at = 0; at + sizeof state <= count; at += sizeof state) {
      state = state * 1664525 + 1013904223;
      std::memcpy(&bytes[at], &state, sizeof state);
    }
    return bytes;
  }

 private:
  std::unique_ptr<gateway::sandbox::Json> Call(const std::string& method, const std::string& path,
                                               const std::string& body = "",
                                               const std::string& headers = "") {
    if (sandbox_ == nullptr) sandbox_ = *gateway::sandbox::Sandbox::Start(options);
    gateway::test::PlainClient client(sandbox_->port());
    const auto reply = client.Call(method, path, body, headers);
    EXPECT_EQ(reply.status, 200) << reply.body;
    std::string error;
    auto json = gateway::sandbox::ParseJson(reply.body, &error);
    return json != nullptr ? std::move(json) : gateway::sandbox::ParseJson("{}", &error);
  }
  double Number(const char* object, const std::string& name) {
    const auto json = Call("GET", "/sandbox/stats");
    const auto* found = gateway::sandbox::Find(*json, object);
    return found == nullptr ? -1 : gateway::sandbox::FindNumber(*found, name.c_str(), -1);
  }

  std::filesystem::path folder_;
  std::unique_ptr<gateway::sandbox::Sandbox> sandbox_;
};

}  // namespace pictory_jobs::fake
