// A sandbox on a free port with time that moves only when the test says so, and a client for it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "sandbox/json.h"
#include "sandbox/plain_client.h"
#include "sandbox/sandbox.h"
#include "support/stepped_clock.h"

namespace gateway::sandbox {

using test::SteppedClock;

struct JsonReply {
  int status = 0;
  std::string body;
  std::map<std::string, std::string> headers;
  std::shared_ptr<Json> json;  // an empty object if the body is not JSON

  // The member at a path such as "data.jobId" or "items.0.data"; null if there is none.
  const Value& At(const std::string& path) const;
  std::string TextAt(const std::string& path) const;  // "" if it is no string
  double NumberAt(const std::string& path) const;     // -1 if it is no number
  bool Has(const std::string& path) const { return !At(path).IsNull(); }
};

class Rig : public ::testing::Test {
 protected:
  static constexpr char kKey[] = "Authorization: pictai_sandbox\r\n";

  Rig() {
    options_.clock = &clock_;
    options_.seed = 7;
    options_.use_ffmpeg = false;
  }
  ~Rig() override;
  void Start();
  void Restart();
  // Uses a state directory that goes away with the test.
  void KeepState();

  test::PlainReply Raw(const std::string& method, const std::string& path,
                       const std::string& body = "", const std::string& headers = "");
  // `path`: below /pictoryapis.
  JsonReply Api(const std::string& method, const std::string& path, const std::string& body = "",
                const std::string& headers = kKey);
  JsonReply Control(const std::string& method, const std::string& path,
                    const std::string& body = "");
  JsonReply Job(const std::string& id) { return Api("GET", "/v1/jobs/" + id); }
  // Expects acceptance; the job's id.
  std::string Submit(const std::string& method, const std::string& path,
                     const std::string& body = "");
  // The id of a finished preview of `story`.
  std::string FinishedPreview(const std::string& more = "");
  void AddFault(const std::string& rule);

  SteppedClock clock_;
  SandboxOptions options_;
  std::unique_ptr<Sandbox> sandbox_;
  std::filesystem::path state_dir_;
};

}  // namespace gateway::sandbox
