// A summary that waits for its transcription: what a caller asks for while that one is running. It
// is paid once at most, never after it was cancelled, and never forgotten.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "jobs/submitter.h"

namespace gateway::simulation {

class Process;
class World;

class Follower {
 public:
  Follower(World& world, const std::string& of, std::string tenant, std::string pictory_key,
           std::string transcription);

  // Submits it, and again until there is an answer.
  void Call();
  // Its caller hears that the transcription has ended: the moment to cancel in.
  void OnTranscribed();
  void ResolveUnconfirmed();
  void CheckEnd();
  std::optional<jobs::JobRecord> Stored() const;

 private:
  jobs::SubmitRequest MakeRequest(Process* process) const;
  void OnAnswer(const jobs::Submitter::Answer& answer);
  // Looks what has become of it, now and then.
  void Read();
  // An equal submit without a request_id, while it waits.
  void AskAgainWithoutKey();
  void Cancel();
  void Hear(const jobs::v1::Job& job, const char* where);
  void Fail(const std::string& what);

  World& world_;
  const std::string name_;
  const std::string tenant_;
  const std::string pictory_key_;
  const std::string transcription_;
  bool refused_ = false;
  bool deleting_ = false;   // asked for: it is cancelled, or has ended by then and goes
  bool cancelled_ = false;  // told so
  std::string job_id_;      // "" until an answer was OK
  jobs::JobState state_ = jobs::v1::JOB_STATE_UNSPECIFIED;
  std::int32_t revision_ = 0;
};

}  // namespace gateway::simulation
