// What every contract case needs: a whole gateway in this process, a scripted HTTP server that it
// takes for Pictory, and the C++ client library to drive it.
//
// A case tells what Pictory answers, does what a user would do, and looks at both ends: what the
// user got, and what went over the wire. Nothing sleeps: an answer that must stay until something
// was seen stays until the test replaces it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "app/gateway.h"
#include "http/transport.h"
#include "pictory_jobs/client.h"
#include "sandbox/plain_client.h"
#include "support/scripted_server.h"

namespace gateway::test {

using pictory_jobs::Job;
namespace v1 = ::pictory::jobs::v1;

using Answer = ScriptedServer::Script;

// Bodies for the job "r".
inline constexpr char kRunning[] =
    R"({"job_id":"r","success":true,"data":{"status":"in-progress"}})";
inline constexpr char kVideo[] =
    R"({"job_id":"r","success":true,"data":{"status":"completed","videoURL":"https://v/r.mp4"}})";

// A whole answer with a JSON body. `extra`: header lines, each with its CRLF.
Answer Json(int status, std::string body, std::string extra = "");
Answer Html(int status, std::string body, std::string extra = "");
Answer ResetAfterReading();
// The head of a 200 that announces more than it sends of `body`.
Answer CutShort(std::string body);

// Pictory's part. A call is "GET /v1/jobs/a": method and path as sent, below the base URL.
class ScriptedPictory {
 public:
  ScriptedPictory();

  // The answers to a call, one after the other; the last one stays. Replaces what was set before.
  void On(const std::string& call, std::vector<Answer> answers);

  std::string base_url() const { return server_.url() + "/pictoryapis"; }
  // What came, in order; with `call`, only that.
  std::vector<ReceivedRequest> Received() const { return server_.requests(); }
  std::vector<ReceivedRequest> Received(const std::string& call) const;
  std::vector<std::string> Calls() const;
  // Waits until so many requests have come in all. False after 10 s.
  bool Await(int requests) const { return server_.AwaitRequests(requests); }
  int Count(const std::string& call) const { return static_cast<int>(Received(call).size()); }
  // When the requests of a call had been read, in order.
  std::vector<std::chrono::steady_clock::time_point> Times(const std::string& call) const;
  // Calls no answer was set for; they got a 501.
  std::vector<std::string> Unexpected() const;

 private:
  void Serve(ScriptedConnection& connection, const ReceivedRequest& request);

  mutable std::mutex mutex_;
  std::map<std::string, std::deque<Answer>> answers_;
  std::map<std::string, std::vector<std::chrono::steady_clock::time_point>> times_;
  std::vector<std::string> unexpected_;
  ScriptedServer server_;
};

// "GET /v1/jobs/a" of a request to `base_url`.
std::string CallOf(const ReceivedRequest& request);

class Contract : public ::testing::Test {
 protected:
  Contract();
  ~Contract() override;
  // Every request of every case: the credentials raw and once, a user agent that filters let pass.
  void TearDown() override;

  // Called by Api() if a case has not done it with changes of its own.
  void Start(const std::function<void(app::Config&)>& change = {});
  // With client id and secret instead of the key, and user `u-1`. Token after token is t1, t2, …
  void StartWithTokens();
  // With all calls of the older generation.
  void StartWithV1(const std::function<void(app::Config&)>& change = {});
  pictory_jobs::Client& Api();
  // Lets another gateway take its place.
  void Stop();

  // With a webhook listener, and polls so rare that only a callback can be the reason of one.
  void StartWithWebhooks();
  // What that listener answers to a POST.
  PlainReply CallBack(const std::string& path, const std::string& body);
  const std::filesystem::path& state_dir() const { return state_dir_; }

  // Submits that Pictory takes under `id`, each the simplest of its kind.
  Job Preview(const std::string& id);
  Job Render(const std::string& id);
  Job Transcription(const std::string& id);
  Job Summary(const std::string& id);

  // What Pictory says of a job from now on.
  void OnJob(const std::string& id, std::vector<Answer> answers) {
    pictory_.On("GET /v1/jobs/" + id, std::move(answers));
  }
  int Polls(const std::string& id) const { return pictory_.Count("GET /v1/jobs/" + id); }

  // Watches until the job is `enough`, or final. Fails the test after 20 s.
  Job Watch(const Job& job, const std::function<bool(const Job&)>& enough);
  Job Watch(const Job& job, v1::JobState state);
  Job Done(const Job& job) { return Watch(job, v1::JOB_STATE_UNSPECIFIED); }
  // The states a watch shows until the job has ended, without repetitions.
  std::vector<v1::JobState> States(const Job& job);
  // Follows another job to its end, over several polls: time enough for any other to be polled.
  void LetOthersBePolled();
  std::string Part(const Job& job, v1::ResultPart part);
  Job Full(const Job& job);

  ScriptedPictory pictory_;

 private:
  Job Take(absl::StatusOr<Job> job);

  void ExpectCredentials(const ReceivedRequest& request) const;

  bool tokens_ = false;
  std::filesystem::path state_dir_;
  std::unique_ptr<app::Gateway> gateway_;
  std::unique_ptr<pictory_jobs::Client> client_;
};

// The same JSON, whatever the order of members and the white space. An integer is no string and no
// other number.
bool SameJson(const std::string& a, const std::string& b);

inline constexpr char kKey[] = "pictai_k";
inline constexpr char kTokenCall[] = "POST /v1/oauth2/token";

}  // namespace gateway::test
